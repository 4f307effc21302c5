"""The short way into the history: whole runs of records that are new to it.

Nearly all of a first read is new. Its rows are gathered and written many at a time, in the order of their keys, and
its sums are added up by quarter hours first. What is known already, or is too recent to be summed up, is kept back as
events for `responses` and `tools`, which decide between several versions of one thing; `settled` hands those out.

While the history was empty at the start, every name is known from memory and the database is not asked.
"""

from collections.abc import Callable
from typing import NamedTuple

from aitop.history.rows import File, Session
from aitop.history.write import load
from aitop.history.write import prepare as b
from aitop.history.write.ledger import QUARTER, STOPS, Ledger, within
from aitop.history.write.naming import names_of
from aitop.history.write.prepare import Batch, Plain
from aitop.history.write.responses import Responses
from aitop.history.write.tools import Tools
from aitop.model.events import Event, Place, Response, Timing
from aitop.model.histograms import steps
from aitop.model.sums import ZERO, Sum, plus
from aitop.pricing.basis import Basis

MAX_GATHERED = 50_000  # rows in memory before they are written into the open transaction
MAX_NAMES = 400_000  # keys in memory while the database need not be asked

_MARKS = ", ".join("?" * (5 + b.COLUMNS.count(",") + 1))
_RESPONSE = (
    f"INSERT INTO response (id, session, model, file, place, {b.COLUMNS}, copies) VALUES ({_MARKS}, 0)"  # noqa: S608
)
_TOOL = (
    "INSERT INTO tool (key, session, name, at, from_file, used, result_at, client_ms, failed) "
    "VALUES (?, ?, ?, ?, ?, 1, ?, NULL, ?)"
)
_ALIAS = "INSERT INTO alias (key, response) VALUES (?, ?)"


class KeptBack(NamedTuple):
    """Events of one run that have to be decided one by one."""

    provider: str
    events: list[Event]
    now: float
    file: File


class Bulk:
    """Takes runs in. `write` puts what is gathered into the open transaction, `settled` gives what was kept back."""

    def __init__(self, ledger: Ledger, responses: Responses, tools: Tools) -> None:
        self.ledger, self._responses, self._tools = ledger, responses, tools
        self._all_known = responses.next == 1 and not load.any_tool(
            ledger.db
        )  # `_names` and `_calls` hold every key
        self._names: set[int] = set()
        self._calls: set[int] = set()
        self._rows: list[Plain] = []
        self._aliases: list[tuple[int, int]] = []
        self._tool_rows: list[Plain] = []
        self._kept_back: list[KeptBack] = []
        self._lone: set[int] = set()  # request ids of kept back responses that have no message id

    def waiting(self) -> bool:
        """Whether anything is gathered or kept back."""
        return bool(self._rows or self._tool_rows or self._kept_back)

    def take(self, provider: str, batch: Batch, file: File, now: float) -> None:
        """Gather what is new in a run of a file, and keep back the rest of it."""
        exact = self.ledger.exact
        bound = min(exact, self._responses.paired_from())
        fresh, late = _part(batch.responses, lambda plain: plain[b.AT] < bound)
        calls, later = _part(batch.tools, lambda plain: plain[b.TOOL_AT] < exact)
        if fresh or calls:
            owner = self.ledger.session(provider, batch.session)
            sums: dict[int, Sum] = {}
            fresh, again_responses = self._new_responses(fresh)
            self._count(fresh, owner, file, sums)
            calls, again = self._new_calls(calls)
            self._count_calls(calls, owner, file, sums)
            self._hand_out(sums, owner)
            late, later = late + again_responses, later + again
        rest = b.in_order(batch.session, late, later, batch.rest)
        if rest:
            self._kept_back.append(KeptBack(provider, rest, now, file))
            self._lone.update(name for event in batch.rest if (name := _lone_request(event)) is not None)
        if len(self._rows) + len(self._tool_rows) > MAX_GATHERED:
            self.write()

    def write(self) -> None:
        """Put what is gathered into the open transaction, each table in the order of its key."""
        db = self.ledger.db
        db.executemany(_RESPONSE, self._rows)
        db.executemany(_ALIAS, sorted(self._aliases))
        db.executemany(_TOOL, sorted(self._tool_rows))
        self._rows, self._aliases, self._tool_rows = [], [], []
        if not self._all_known or len(self._names) + len(self._calls) > MAX_NAMES:
            self._all_known = False
            self._names, self._calls = set(), set()

    def learn(self) -> None:
        """Remember what `responses` and `tools` are about to forget, because the database knows it."""
        if self._all_known:
            self._names.update(self._responses.known)
            self._calls.update(self._tools.touched())

    def settled(self) -> list[KeptBack]:
        """What was kept back so far, oldest first; it is the caller's now."""
        kept, self._kept_back = self._kept_back, []
        self._lone.clear()
        return kept

    # -- responses -------------------------------------------------------------------------------------------

    def _new_responses(self, responses: list[Plain]) -> tuple[list[Plain], list[Plain]]:
        """Those under names that are new, and the others."""
        waiting, names = self._responses.known, self._names
        stored: set[int] = set()
        if not self._all_known:
            stored.update(
                load.aliases(self.ledger.db, [name for plain in responses for name in plain[b.NAMES]])
            )
        lone = set(self._lone)
        if self._responses.lone_requests:  # a response known by its request id alone may be one of these
            requests = [plain[b.REQUEST_KEY] for plain in responses if plain[b.REQUEST_KEY]]
            lone.update(load.aliases(self.ledger.db, requests), (r for r in requests if r in waiting))
        fresh, seen_before = [], []
        for plain in responses:
            (name,) = plain[b.NAMES]
            if name in names or name in stored or name in waiting or plain[b.REQUEST_KEY] in lone:
                seen_before.append(plain)
            else:
                names.add(name)
                fresh.append(plain)
        return fresh, seen_before

    def _count(self, fresh: list[Plain], owner: Session, file: File, sums: dict[int, Sum]) -> None:
        if not fresh:
            return
        ledger, names = self.ledger, self.ledger.names
        model = {name: names.model(name) for name in {plain[b.MODEL] for plain in fresh}}
        place = {where: names.place(where) for where in {plain[b.PLACE] for plain in fresh}}
        session, from_file, number = owner.id, file.id, self._responses.next
        for number, plain in enumerate(fresh, number):  # noqa: B020 - the last one says where to go on
            (name,) = plain[b.NAMES]
            self._aliases.append((name, number))
            self._rows.append(
                (number, session, model[plain[b.MODEL]], from_file, place[plain[b.PLACE]], *plain[b.STORED :])
            )
        self._responses.next = number + 1
        for (quarter, of, where), running in _by_quarter(fresh).items():
            value = running.sum()
            ledger.out.add((quarter, session, model[of], place[where]), value)
            sums[quarter] = plus(sums.get(quarter, ZERO), value)
        self._facts(fresh, owner)

    def _facts(self, fresh: list[Plain], owner: Session) -> None:
        """What the responses say of their session besides its sums."""
        ledger, reasons = self.ledger, owner.stop_reasons
        for plain in fresh:
            stop = plain[b.STOP]
            if stop:
                stop = within(reasons, stop, STOPS)
                reasons[stop] = reasons.get(stop, 0) + 1
            if plain[b.DURATION] is not None or plain[b.TTFT] is not None:
                owner.timings.add(steps(Timing(plain[b.DURATION], plain[b.TTFT], plain[b.OUTPUT])), 1)
        ledger.changes.models.update((plain[b.MODEL], plain[b.BASIS]) for plain in fresh if plain[b.BASIS])
        for agent in {plain[b.AGENT] for plain in fresh}:
            if agent and agent not in owner.agents:
                owner.agents.add(agent)
                ledger.out.agents.append((owner.id, agent))
        main = [plain for plain in fresh if plain[b.AGENT] is None]
        newest = max(reversed(main), key=lambda plain: (plain[b.AT], _input(plain)), default=None)
        if newest is not None and (newest[b.AT], _input(newest)) >= (
            owner.context_at,
            owner.context_tokens or 0,
        ):
            owner.context_at, owner.model, owner.context_tokens = (
                newest[b.AT],
                newest[b.MODEL],
                _input(newest),
            )
        times = [plain[b.AT] for plain in fresh]
        ledger.seen(owner, min(times))
        ledger.seen(owner, max(times))

    # -- tool calls ------------------------------------------------------------------------------------------

    def _new_calls(self, plain_calls: list[Plain]) -> tuple[list[Plain], list[Plain]]:
        """Those that are new, and the others."""
        calls = self._calls
        before = (
            self._tools.touched()
            if self._all_known
            else self._tools.among([plain[b.KEY] for plain in plain_calls])
        )
        fresh, seen_before = [], []
        for plain in plain_calls:
            if plain[b.KEY] in calls or plain[b.KEY] in before:
                seen_before.append(plain)
            else:
                calls.add(plain[b.KEY])
                fresh.append(plain)
        return fresh, seen_before

    def _count_calls(self, calls: list[Plain], owner: Session, file: File, sums: dict[int, Sum]) -> None:
        if not calls:
            return
        session, number = owner.id, file.id
        self._tool_rows += [
            (key, session, name, at, number, ended, failed) for key, name, at, ended, failed, _, _ in calls
        ]
        by_name: dict[tuple[int, str], list[int]] = {}
        for plain in calls:
            key = (int(plain[b.TOOL_AT]) // QUARTER * QUARTER, plain[b.NAME])
            counts = by_name.get(key)
            if counts is None:
                counts = by_name[key] = [0, 0]
            counts[0] += 1
            counts[1] += plain[b.FAILED]
        for (quarter, name), (count, failures) in by_name.items():
            self.ledger.out.add_tool(quarter, session, name, count, failures)
            value = Sum(tool_calls=count, tool_failures=failures)
            sums[quarter] = plus(sums.get(quarter, ZERO), value)
        times = [plain[b.TOOL_AT] for plain in calls]
        self.ledger.seen(owner, min(times))
        self.ledger.seen(owner, max(times))

    # -- sums ------------------------------------------------------------------------------------------------

    def _hand_out(self, sums: dict[int, Sum], owner: Session) -> None:
        owner.dirty = owner.totals_moved = True
        for quarter, value in sums.items():
            owner.total = plus(owner.total, value)
            if quarter >= self.ledger.floor:
                self.ledger.changes.sums.append((quarter, owner.id, value))


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
        self.uncached += plain[b.UNCACHED]
        self.output += plain[b.OUTPUT]
        self.cache_read += plain[b.CACHE_READ]
        self.write_5m += plain[b.WRITE_5M]
        self.write_1h += plain[b.WRITE_1H]
        self.cost += plain[b.COST]
        basis = plain[b.BASIS]
        if basis:
            self.unpriced += basis == Basis.UNPRICED
            self.estimated += basis == Basis.FAMILY
            self.client_priced += basis == Basis.CLIENT
        if plain[b.INCOMPLETE]:
            self.incomplete += 1
            self.understated += plain[b.UNDERSTATED]

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


def _by_quarter(fresh: list[Plain]) -> dict[tuple[int, str, Place | None], _Running]:
    """(quarter hour, model, place) → what the responses add."""
    sums: dict[tuple[int, str, Place | None], _Running] = {}
    for plain in fresh:
        key = (int(plain[b.AT]) // QUARTER * QUARTER, plain[b.MODEL], plain[b.PLACE])
        running = sums.get(key)
        if running is None:
            running = sums[key] = _Running()
        running.add(plain)
    return sums


def _lone_request(event: Event) -> int | None:
    """The request id's key of a response that is named by it alone."""
    if isinstance(event, Response) and not event.message_id:
        return names_of(event).request
    return None


def _input(plain: Plain) -> int:
    """All input tokens."""
    tokens: int = plain[b.UNCACHED] + plain[b.CACHE_READ] + plain[b.WRITE_5M] + plain[b.WRITE_1H]
    return tokens


def _part(plain: list[Plain], wanted: Callable[[Plain], bool]) -> tuple[list[Plain], list[Plain]]:
    """Those that are wanted, and the others."""
    others = [one for one in plain if not wanted(one)]
    return ([one for one in plain if wanted(one)], others) if others else (plain, others)
