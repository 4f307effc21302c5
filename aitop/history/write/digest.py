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
SumOf = tuple[int, str, Place | None, Sum]  # (quarter hour, model, place, sum)
CallsOf = tuple[int, str, int, int]  # (quarter hour, tool, calls, failures)


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
    stops: dict[str, int] = {}
    for plain in responses:
        stop = plain[p.STOP]
        if stop:
            stops[stop] = stops.get(stop, 0) + 1
    return Digest(
        [plain[p.NAMES][0] for plain in responses],
        [plain[p.REQUEST_KEY] for plain in responses if plain[p.REQUEST_KEY] is not None],
        [plain[p.KEY] for plain in tools],
        min(times),
        max(times),
        _sums(responses),
        _calls(tools),
        list(stops.items()),
        [
            steps(Timing(plain[p.DURATION], plain[p.TTFT], plain[p.OUTPUT]))
            for plain in responses
            if plain[p.DURATION] is not None or plain[p.TTFT] is not None
        ],
        list({(plain[p.MODEL], plain[p.BASIS]) for plain in responses if plain[p.BASIS]}),
        list({plain[p.AGENT] for plain in responses if plain[p.AGENT]}),
        _newest(responses),
    )


def _newest(responses: Iterable[Plain]) -> Newest | None:
    """Of equal ones the last."""
    found: Newest | None = None
    for plain in responses:
        if plain[p.AGENT] is None:
            tokens = plain[p.UNCACHED] + plain[p.CACHE_READ] + plain[p.WRITE_5M] + plain[p.WRITE_1H]
            if found is None or (plain[p.AT], tokens) >= found[:2]:
                found = (plain[p.AT], tokens, plain[p.MODEL])
    return found


def packed(found: p.Batch) -> p.Batch:
    """A batch as it travels between processes."""
    if not found.responses and not found.tools:
        return found
    import pickle

    rows = pickle.dumps((found.responses, found.tools), protocol=5)
    what = of(found.responses, found.tools)
    return p.Batch(found.prices, found.session, [], [], found.rest, rows, what)


class _Running:
    """What the responses of one quarter hour, model and place add, while it is added up."""

    __slots__ = ("cache_read", "client_priced", "cost", "estimated", "incomplete", "output", "requests", "uncached",
                 "understated", "unpriced", "write_1h", "write_5m")  # fmt: skip

    def __init__(self) -> None:
        self.requests = self.uncached = self.output = self.cache_read = self.write_5m = self.write_1h = 0
        self.cost = self.unpriced = self.estimated = self.client_priced = self.incomplete = (
            self.understated
        ) = 0

    def add(self, plain: Plain) -> None:
        """One response."""
        self.requests += 1
        self.uncached += plain[p.UNCACHED]
        self.output += plain[p.OUTPUT]
        self.cache_read += plain[p.CACHE_READ]
        self.write_5m += plain[p.WRITE_5M]
        self.write_1h += plain[p.WRITE_1H]
        self.cost += plain[p.COST]
        basis = plain[p.BASIS]
        if basis:
            self.unpriced += basis == Basis.UNPRICED
            self.estimated += basis == Basis.FAMILY
            self.client_priced += basis == Basis.CLIENT
        if plain[p.INCOMPLETE]:
            self.incomplete += 1
            self.understated += plain[p.UNDERSTATED]

    def sum(self) -> Sum:
        """As a sum."""
        return Sum(
            requests=self.requests,
            uncached_input_tokens=self.uncached,
            output_tokens=self.output,
            cache_read_tokens=self.cache_read,
            cache_write_5m_tokens=self.write_5m,
            cache_write_1h_tokens=self.write_1h,
            cost=self.cost,
            unpriced_requests=self.unpriced,
            estimated_requests=self.estimated,
            client_priced_requests=self.client_priced,
            incomplete_requests=self.incomplete,
            understated_requests=self.understated,
        )


def _sums(responses: Iterable[Plain]) -> list[SumOf]:
    found: dict[tuple[int, str, Place | None], _Running] = {}
    for plain in responses:
        key = (int(plain[p.AT]) // QUARTER * QUARTER, plain[p.MODEL], plain[p.PLACE])
        running = found.get(key)
        if running is None:
            running = found[key] = _Running()
        running.add(plain)
    return [(*key, running.sum()) for key, running in found.items()]


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
