"""Clients that write only how much a session used so far: what it grew by is what was used since the last look.

A growth is one or several responses at the moment it was seen, spread evenly over its calls, since prices go by the
size of one request. The sums seen last are a note that the history keeps with the file (`Parsed.pending`), so nothing
is told twice. A sum that fell belongs to a session that began again; a value that is absent or no number says nothing,
and its sum stays as it was (`known`). Pure.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from aitop.model.events import Place, Response, Usage
from aitop.model.sums import MICRO
from aitop.providers.lenient import MAX_TOKENS

MAX_SUM = 1 << 40  # tokens of one session
MAX_USD = 1e6  # of one session
MAX_CREDITS = 1e8  # of one session; a response of more than 1e6 is damage to the history
MAX_CALLS = 10_000  # responses made of one growth
NANO = 1_000_000_000
DONE = "completed"
UNKNOWN = -1  # in the place of a sum that the client does not say, or not as a number


class Sums(NamedTuple):
    """What one session used of one model so far. Tokens are disjoint, reasoning is a part of the output."""

    calls: int = 0  # 0: the client does not count them
    fresh: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    nano_usd: int = 0  # by the client's own reckoning; 0: it does not know
    micro_credits: int = 0  # millionths of the client's own credits; 0: it does not say

    @property
    def tokens(self) -> int:
        return self.fresh + self.output + self.cache_read + self.cache_write


class Bearer(NamedTuple):
    """What a growth of the sums belongs to, and when and where it came about."""

    session: str
    model: str
    at: float
    agent: str | None = None
    place: Place | None = None
    billed: bool = False  # the client's cost is what was billed


NOTHING = Sums()


def whole(value: object) -> int:
    """A sum of tokens or calls; 0 for anything but a number above 0."""
    if type(value) is float and value == value and abs(value) < MAX_SUM:  # noqa: PLR0124
        value = int(value)
    return value if type(value) is int and 0 < value < MAX_SUM else 0


def running(value: object) -> int:
    """A sum of tokens as a client wrote it; UNKNOWN for anything but a number from 0 up."""
    return 0 if type(value) in (int, float) and value == 0 else whole(value) or UNKNOWN


def nano(usd: object) -> int:
    """USD as whole billionths; UNKNOWN for anything but an amount from 0 up."""
    return _parts(usd, NANO, MAX_USD)


def micro(amount: object) -> int:
    """Credits as whole millionths; UNKNOWN for anything but an amount from 0 up."""
    return _parts(amount, MICRO, MAX_CREDITS)


def _parts(amount: object, scale: int, most: float) -> int:
    """An amount from 0 up and below `most`, in whole parts of it; UNKNOWN for anything else, `true` included."""
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < most:
        return UNKNOWN
    return round(amount * scale)


def known(before: Sums, now: Sums) -> Sums:
    """The sums with each UNKNOWN one as it was. Of a session that began again, what it was is nothing to keep."""
    filled = Sums(*(old if new == UNKNOWN else new for old, new in zip(before, now, strict=True)))
    if filled.tokens < before.tokens:
        usd, spent = filled.nano_usd, filled.micro_credits
        filled = Sums(*(max(0, new) for new in now))._replace(nano_usd=usd, micro_credits=spent)
    return filled


def unpacked(note: str | None) -> dict[str, Sums]:
    """The sums seen last, by their key; the inverse of `packed`."""
    try:
        sums = json.loads(note or "{}")
        return {key: Sums(*numbers) for key, numbers in sums.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def packed(sums: dict[str, Sums]) -> str:
    return json.dumps(sums, separators=(",", ":"), ensure_ascii=False)


def grown(before: Sums, now: Sums) -> Sums:
    """What came to a sum since it was seen last; all of it where it began again. Tokens and cost begin apart."""
    usd, spent = _more(before.nano_usd, now.nano_usd), _more(before.micro_credits, now.micro_credits)
    if now.tokens < before.tokens:
        return now._replace(calls=_more(before.calls, now.calls), nano_usd=usd, micro_credits=spent)
    growth = Sums(*(max(0, new - old) for new, old in zip(now, before, strict=True)))
    return growth._replace(nano_usd=usd, micro_credits=spent)


def _more(before: int, now: int) -> int:
    """What one number grew by; all of it where it fell."""
    return now - before if now >= before else now


def responses(bearer: Bearer, before: Sums, now: Sums) -> Iterator[Response]:
    """The responses that a growth stands for; their names hold the sum they lead to."""
    growth = grown(before, now)
    if not growth.tokens and not growth.nano_usd and not growth.micro_credits:
        return
    number = max(
        1,
        min(growth.calls, MAX_CALLS),
        1 + growth.tokens // (MAX_TOKENS // 2),
        1 + growth.micro_credits // (MICRO * 500_000),
    )
    name = f"{bearer.session}:{bearer.model}:{now.tokens}.{now.nano_usd}.{now.calls}:{bearer.at:.0f}"
    if not growth.tokens and not growth.nano_usd:
        name += f":{now.micro_credits}"  # credits alone, which may come after the tokens they are for
    for one in range(number):
        share = Sums(*(total // number + (total % number if one == 0 else 0) for total in growth))
        usd = share.nano_usd / NANO if share.nano_usd else None
        spent = share.micro_credits / MICRO if share.micro_credits else None
        yield Response(
            bearer.session, bearer.at, bearer.model,
            Usage(*share[1:5], 0, min(share.reasoning, share.output)),
            f"{name}:{one}", stop_reason=DONE, agent=bearer.agent, place=bearer.place,
            billed_usd=usd if bearer.billed else None, client_usd=None if bearer.billed else usd,
            credits=spent,
        )  # fmt: skip
