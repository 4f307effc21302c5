"""What a run's plain responses and tool calls add up to, so that the writer need not look at each one of them.

The process that read a run makes its digest: keys, sums by quarter hour, and what the responses say of their session.
Where every key is new, that is all the writer needs until it puts the rows into their tables; the rows wait packed.
Pure: no database, no clock.
"""

from collections.abc import Iterable
from typing import NamedTuple

from aitop.history.write import prepare as p
from aitop.history.write.prepare import Plain
from aitop.model.events import Place, Timing
from aitop.model.histograms import Steps, steps
from aitop.model.sums import Sum
from aitop.pricing.basis import Basis

QUARTER = 900

Newest = tuple[float, int, str]  # (when, all its input tokens, model) of a main thread's newest response
# (quarter hour, model, place, sum), the last two as plain tuples: they travel between processes
SumOf = tuple[int, str, tuple[str | None, str | None] | None, tuple[int, ...]]
CallsOf = tuple[int, str, int, int]  # (quarter hour, tool, calls, failures)
# stop reasons and how often, timings, (model, basis) of what is not at list price, agents, newest
_OfSession = tuple[list[tuple[str, int]], list[Steps], list[tuple[str, int]], list[str], "Newest | None"]


class Digest(NamedTuple):
    """Of one run. `first` and `last` are its earliest and latest time in epoch seconds."""

    names: list[int]
    requests: list[int]
    calls: list[int]
    first: float
    last: float
    sums: list[SumOf]
    tools: list[CallsOf]
    stops: list[tuple[str, int]]
    timings: list[Steps]
    unlisted: list[tuple[str, int]]  # (model, basis) of responses that are not at list price
    agents: list[str]
    newest: Newest | None


def of(responses: list[Plain], tools: list[Plain]) -> Digest:
    """The digest of a run that holds a response or a call."""
    times = [plain[p.AT] for plain in responses]
    times += [plain[p.TOOL_AT] for plain in tools]
    return Digest(
        [plain[p.NAMES][0] for plain in responses],
        [plain[p.REQUEST_KEY] for plain in responses if plain[p.REQUEST_KEY] is not None],
        [plain[p.KEY] for plain in tools],
        min(times),
        max(times),
        _sums(responses) if responses else [],
        _calls(tools) if tools else [],
        *_of_session(responses),
    )


def _of_session(responses: list[Plain]) -> _OfSession:
    """What the responses say of their session besides their sums."""
    stops: dict[str, int] = {}
    timings: list[Steps] = []
    unlisted: dict[tuple[str, int], None] = {}
    agents: dict[str, None] = {}
    newest: Newest | None = None
    for plain in responses:
        stop, agent, basis = plain[p.STOP], plain[p.AGENT], plain[p.BASIS]
        if stop:
            stops[stop] = stops.get(stop, 0) + 1
        if plain[p.DURATION] is not None or plain[p.TTFT] is not None:
            timings.append(steps(Timing(plain[p.DURATION], plain[p.TTFT], plain[p.OUTPUT])))
        if basis:
            unlisted[plain[p.MODEL], basis] = None
        if agent:
            agents[agent] = None
        elif agent is None and (newest is None or plain[p.AT] >= newest[0]):
            tokens = plain[p.UNCACHED] + plain[p.CACHE_READ] + plain[p.WRITE_5M] + plain[p.WRITE_1H]
            if newest is None or (plain[p.AT], tokens) >= newest[:2]:  # of equal ones the last
                newest = (plain[p.AT], tokens, plain[p.MODEL])
    return list(stops.items()), timings, list(unlisted), list(agents), newest


_PLACE_OF = {field: number for number, field in enumerate(Sum._fields)}
_REQUESTS, _UNPRICED, _ESTIMATED, _CLIENT_PRICED, _INCOMPLETE, _UNDERSTATED = (
    _PLACE_OF[f"{name}requests"]
    for name in ("", "unpriced_", "estimated_", "client_priced_", "incomplete_", "understated_")
)
_UNCACHED, _OUTPUT, _CACHE_READ, _WRITE_5M, _WRITE_1H, _COST = (
    _PLACE_OF[name]
    for name in ("uncached_input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens",
                 "cache_write_1h_tokens", "cost")
)  # fmt: skip


def _sums(responses: Iterable[Plain]) -> list[SumOf]:
    """Added up in lists with the fields of `Sum`: one object for each sum, not one for each addition."""
    by_key: dict[tuple[int, str, Place | None], list[int]] = {}
    for plain in responses:
        key = (int(plain[p.AT]) // QUARTER * QUARTER, plain[p.MODEL], plain[p.PLACE])
        running = by_key.get(key)
        if running is None:
            running = by_key[key] = [0] * len(Sum._fields)
        running[_REQUESTS] += 1
        running[_UNCACHED] += plain[p.UNCACHED]
        running[_OUTPUT] += plain[p.OUTPUT]
        running[_CACHE_READ] += plain[p.CACHE_READ]
        running[_WRITE_5M] += plain[p.WRITE_5M]
        running[_WRITE_1H] += plain[p.WRITE_1H]
        running[_COST] += plain[p.COST]
        if basis := plain[p.BASIS]:
            running[_UNPRICED] += basis == Basis.UNPRICED
            running[_ESTIMATED] += basis == Basis.FAMILY
            running[_CLIENT_PRICED] += basis == Basis.CLIENT
        if plain[p.INCOMPLETE]:
            running[_INCOMPLETE] += 1
            running[_UNDERSTATED] += plain[p.UNDERSTATED]
    return [(at, model, place and (*place,), (*running,)) for (at, model, place), running in by_key.items()]


def _calls(tools: Iterable[Plain]) -> list[CallsOf]:
    found: dict[tuple[int, str], list[int]] = {}
    for plain in tools:
        key = (int(plain[p.TOOL_AT]) // QUARTER * QUARTER, plain[p.NAME])
        known = found.get(key)
        if known is None:
            known = found[key] = [0, 0]
        known[0] += 1
        known[1] += plain[p.FAILED]
    return [(quarter, name, calls, failures) for (quarter, name), (calls, failures) in found.items()]
