"""What fills a thread's context, and what each part of it cost: a ledger of the prompt, in order. Pure.

A prompt is what went before, in order, so that its cached beginning is the oldest part. The ledger holds the parts of
it with their tokens. Each request's growth is the answer before it, then what tool calls put in, else the user's
words. A response's cost is divided exactly: its cached tokens are the first parts of the ledger, the written ones the
next, the uncached ones the last, each at its own rate. What the records do not say is estimated by this growth; the
sum over all parts is the cost of the responses to the picodollar.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from aitop.history.query.doubts import Doubts
from aitop.model.events import Usage

Kind = Literal["mcp", "skill", "tool", "context", "output", "unattributed"]


class Part(NamedTuple):
    """What tokens are: an MCP server's, a skill's, a tool's; or words of our own for the rest."""

    kind: Kind
    name: str


START = Part("context", "beginnings (system prompt, tools)")
TALK = Part("context", "prompts and answers")
OUTPUT = Part("output", "written by the models")
UNATTRIBUTED = Part("unattributed", "not attributed (no price by tokens)")
SHRUNK = 0.9  # of the prompt before: a smaller one begins anew (compacted, cleared, rewound)


class Rates(NamedTuple):
    """Picodollars a token in one request, as it was paid."""

    uncached: float
    read: float
    write_5m: float
    write_1h: float


class Paid(NamedTuple):
    """One response. `rates` None: its cost cannot be divided by tokens. Not `counted`: only its prompt matters."""

    at: float
    usage: Usage
    cost: int
    rates: Rates | None
    counted: bool
    doubts: Doubts = Doubts()


class Put(NamedTuple):
    """Something that entered the context. `tokens` None: an even share of the growth; `shares` divide it by part.

    `caller`: the part that made the call, None where nothing was called.
    """

    at: float
    shares: Mapping[Part, float]
    tokens: int | None = None
    caller: Part | None = None


class Share(NamedTuple):
    """What one part came to: calls, tokens put in, tokens sent again by later requests, picodollars.

    `doubts`: of the requests in which the part was; each of them makes its cost a lower bound or an estimate.
    """

    calls: int = 0
    tokens: float = 0.0
    again: float = 0.0
    cost: int = 0
    doubts: Doubts = Doubts()


def thread(turns: Sequence[Paid], puts: Sequence[Put], total: dict[Part, Share]) -> None:
    """Add one thread's responses to `total`. `turns` and `puts` are in order."""
    ledger = _Ledger()
    moments = [put.at for put in puts]
    first = 0
    for number, turn in enumerate(turns):
        last = bisect_left(moments, turn.at)
        fresh = ledger.grow(turns[number - 1] if number else None, turn, puts[first:last])
        first = last
        if turn.counted:
            _book(total, turn, fresh, ledger)
    times = [turn.at for turn in turns]
    for put in puts:
        number = bisect_right(times, put.at) - 1
        if put.caller is not None and number >= 0 and turns[number].counted:
            _plus(total, put.caller, Share(calls=1))


def _book(total: dict[Part, Share], turn: Paid, fresh: Mapping[Part, float], ledger: "_Ledger") -> None:
    """Add one response: the tokens of its prompt, and its cost by their parts. What is left is the answer's."""
    left = turn.cost
    costs = ledger.costs(turn)
    for part, tokens in ledger.sums.items():
        new = fresh.get(part, 0.0)
        cost = int(costs.get(part, 0.0))
        left -= cost
        _plus(total, part, Share(0, new, max(tokens - new, 0.0), cost, turn.doubts))
    rest = UNATTRIBUTED if turn.rates is None else OUTPUT
    _plus(total, rest, Share(0, float(turn.usage.output_tokens), 0.0, left, turn.doubts))


def _plus(total: dict[Part, Share], part: Part, more: Share) -> None:
    old = total.get(part, Share())
    total[part] = Share(
        old.calls + more.calls, old.tokens + more.tokens, old.again + more.again, old.cost + more.cost,
        old.doubts.plus(more.doubts) if any(more.doubts) else old.doubts,
    )  # fmt: skip


class _Ledger:
    """The parts of the newest prompt, the oldest first, and their sums."""

    def __init__(self) -> None:
        self.parts: list[tuple[Part, float]] = []
        self.sums: dict[Part, float] = {}
        self.size = 0

    def grow(self, before: Paid | None, turn: Paid, puts: Sequence[Put]) -> dict[Part, float]:
        """Make the ledger that of this response's prompt; returns what is new in it."""
        size = turn.usage.input_tokens
        fresh: list[tuple[Part, float]] = []
        if before is None or size < SHRUNK * self.size:
            self.parts, self.sums = [], {}
            given = _given(puts, size)
            fresh = [(START, size - sum(tokens for _, tokens in given)), *given]
        elif size < self.size:
            self._trim(self.size - size)
        else:
            answer = min(size - self.size, before.usage.output_tokens)
            fresh = [(TALK, float(answer)), *_entered(puts, size - self.size - answer)]
        for part, tokens in fresh:
            self._append(part, tokens)
        self.size = size
        new: dict[Part, float] = {}
        for part, tokens in fresh:
            new[part] = new.get(part, 0.0) + tokens
        return new

    def costs(self, turn: Paid) -> dict[Part, float]:
        """Picodollars of each part of the prompt: its last tokens are uncached, those before written, the rest read."""
        rates, usage = turn.rates, turn.usage
        if rates is None:
            return {}
        costs = {part: tokens * rates.read for part, tokens in self.sums.items()}
        regions = [
            (float(usage.uncached_input_tokens), rates.uncached),
            (float(usage.cache_write_5m_tokens), rates.write_5m),
            (float(usage.cache_write_1h_tokens), rates.write_1h),
        ]
        at = len(self.parts) - 1
        room = self.parts[at][1] if self.parts else 0.0
        for size, rate in regions:
            left = size
            while left > 0 and at >= 0:
                taken = min(left, room)
                costs[self.parts[at][0]] += taken * (rate - rates.read)
                left -= taken
                room -= taken
                if room <= 0:
                    at -= 1
                    room = self.parts[at][1] if at >= 0 else 0.0
        return costs

    def _append(self, part: Part, tokens: float) -> None:
        if tokens <= 0:
            return
        if self.parts and self.parts[-1][0] == part:
            tokens_before = self.parts.pop()[1]
            self.parts.append((part, tokens_before + tokens))
        else:
            self.parts.append((part, tokens))
        self.sums[part] = self.sums.get(part, 0.0) + tokens

    def _trim(self, tokens: float) -> None:
        """Take tokens from the newest parts: something of the end was left out of this prompt."""
        while tokens > 0 and self.parts:
            part, size = self.parts.pop()
            taken = min(tokens, size)
            tokens -= taken
            self.sums[part] -= taken
            if size > taken:
                self.parts.append((part, size - taken))


def _given(puts: Sequence[Put], room: float) -> list[tuple[Part, float]]:
    """What entered with a size of its own, as far as there is room."""
    given = []
    for put in puts:
        if put.tokens is not None:
            tokens = min(float(put.tokens), room)
            room -= tokens
            given += [(part, tokens * share) for part, share in put.shares.items()]
    return given


def _entered(puts: Sequence[Put], growth: float) -> list[tuple[Part, float]]:
    """Growth without the answer: what has a size of its own first, the rest by calls, else it is the user's words."""
    given = _given(puts, growth)
    rest = growth - sum(tokens for _, tokens in given)
    calls = [put for put in puts if put.tokens is None]
    if not calls:
        return [*given, (TALK, rest)]
    return [
        *given,
        *((part, rest / len(calls) * share) for put in calls for part, share in put.shares.items()),
    ]
