"""The short way into the history: whole runs of records that nobody told of before.

Nearly all of a first read is new: its rows go straight into the open transaction and its sums are
added up by quarter hours first. Whatever is known already, or is too recent to be summed up, is given
back as events, for the rooms that decide between several versions of one thing.
"""

from collections.abc import Callable
from operator import itemgetter

from aitop.history.rows import File, Session
from aitop.history.write import load
from aitop.history.write import prepare as b
from aitop.history.write.ledger import QUARTER, Ledger
from aitop.history.write.prepare import Batch, Told
from aitop.history.write.responses import Responses
from aitop.history.write.tools import Tools
from aitop.model.events import Event, Timing
from aitop.model.histograms import steps
from aitop.model.sums import ZERO, Sum, plus
from aitop.pricing.basis import Basis

_MARKS = ", ".join("?" * (4 + b.COLUMNS.count(",") + 1))
_RESPONSE = f"INSERT INTO response (id, session, model, file, {b.COLUMNS}, copies) VALUES ({_MARKS}, 0)"  # noqa: S608
_TOOL = (
    "INSERT INTO tool (key, session, name, at, from_file, used, result_at, client_ms, failed) "
    "VALUES (?, ?, ?, ?, ?, 1, ?, NULL, ?)"
)
_ALIAS = "INSERT OR IGNORE INTO alias (key, response) VALUES (?, ?)"


class Bulk:
    """Takes runs in."""

    def __init__(self, ledger: Ledger, responses: Responses, tools: Tools) -> None:
        self.ledger, self._responses, self._tools = ledger, responses, tools

    def take(self, provider: str, found: Batch, file: File) -> list[Event]:
        """Count what is new in a run of a file; the rest of it, as events."""
        exact, session = self.ledger.exact, found.session
        bound = min(exact, self._responses.paired_from())
        fresh, late = _part(found.responses, lambda told: told[b.AT] < bound)
        tools, later = _part(found.tools, lambda told: told[b.TOOL_AT] < exact)
        if fresh or tools:
            owner = self.ledger.session(provider, session)
            sums: dict[int, Sum] = {}
            numbered, known = self._numbers(fresh)
            self._count(numbered, owner, file, sums)
            told_before = self._tools.among([told[b.KEY] for told in tools])
            tools, again = _part(tools, lambda told: told[b.KEY] not in told_before)
            self._count_tools(tools, owner, file, sums)
            self._hand_out(sums, owner)
            late, later = late + known, later + again
        return b.in_order(session, late, later, found.rest)

    # -- responses -------------------------------------------------------------------------------------------

    def _numbers(self, fresh: list[Told]) -> tuple[list[tuple[int, Told]], list[Told]]:
        """Give each response its number, by each of its names; those that are known already come second."""
        db, numbers = self.ledger.db, self._responses
        numbered = list(enumerate(fresh, numbers.next))
        numbers.next += len(fresh)
        pairs = [(name, number) for number, told in numbered for name in told[b.NAMES]]
        waiting = numbers.known
        known = {number for name, number in pairs if name in waiting} if waiting else set()
        if db.executemany(_ALIAS, pairs).rowcount != len(pairs):
            stored = load.aliases(db, [name for name, _ in pairs])
            known |= {number for name, number in pairs if stored[name] != number}
        if not known:
            return numbered, []
        db.executemany(
            "DELETE FROM alias WHERE key = ? AND response = ?", [p for p in pairs if p[1] in known]
        )
        return [one for one in numbered if one[0] not in known], [told for n, told in numbered if n in known]

    def _count(
        self, numbered: list[tuple[int, Told]], owner: Session, file: File, sums: dict[int, Sum]
    ) -> None:
        if not numbered:
            return
        ledger, models = self.ledger, self.ledger.models
        identity = {name: models.id(name) for name in {told[b.MODEL] for _, told in numbered}}
        session = owner.id
        ledger.db.executemany(
            _RESPONSE,
            [(n, session, identity[told[b.MODEL]], file.id, *told[b.STORED :]) for n, told in numbered],
        )
        fresh = [told for _, told in numbered]
        for (quarter, model), running in _by_quarter(fresh).items():
            value = running.sum()
            ledger.out.add(quarter, session, identity[model], value)
            sums[quarter] = plus(sums.get(quarter, ZERO), value)
        self._facts(fresh, owner)

    def _facts(self, fresh: list[Told], owner: Session) -> None:
        """What the responses say of their session besides its sums."""
        ledger, reasons = self.ledger, owner.stop_reasons
        for told in fresh:
            stop = told[b.STOP]
            if stop:
                reasons[stop] = reasons.get(stop, 0) + 1
            if told[b.DURATION] is not None or told[b.TTFT] is not None:
                owner.timings.add(steps(Timing(told[b.DURATION], told[b.TTFT], told[b.OUTPUT])), 1)
        ledger.changes.models.update((told[b.MODEL], told[b.BASIS]) for told in fresh if told[b.BASIS])
        for agent in {told[b.AGENT] for told in fresh}:
            if agent and agent not in owner.agents:
                owner.agents.add(agent)
                ledger.out.agents.append((owner.id, agent))
        main = [told for told in fresh if told[b.AGENT] is None]
        newest = max(reversed(main), key=itemgetter(b.AT), default=None)  # of several, the file's last
        if newest is not None and newest[b.AT] >= owner.context_at:
            owner.context_at, owner.model = newest[b.AT], newest[b.MODEL]
            owner.context_tokens = newest[b.UNCACHED] + sum(newest[b.CACHE_READ : b.WRITE_1H + 1])
        times = [told[b.AT] for told in fresh]
        ledger.seen(owner, min(times))
        ledger.seen(owner, max(times))

    # -- tool calls ------------------------------------------------------------------------------------------

    def _count_tools(self, tools: list[Told], owner: Session, file: File, sums: dict[int, Sum]) -> None:
        if not tools:
            return
        session, number = owner.id, file.id
        self.ledger.db.executemany(
            _TOOL,
            [(key, session, name, at, number, ended, failed) for key, name, at, ended, failed, _, _ in tools],
        )
        by_name: dict[tuple[int, str], list[int]] = {}
        for told in tools:
            key = (int(told[b.TOOL_AT]) // QUARTER * QUARTER, told[b.NAME])
            known = by_name.get(key)
            if known is None:
                known = by_name[key] = [0, 0]
            known[0] += 1
            known[1] += told[b.FAILED]
        for (quarter, name), (calls, failures) in by_name.items():
            self.ledger.out.add_tool(quarter, session, name, calls, failures)
            value = Sum(tool_calls=calls, tool_failures=failures)
            sums[quarter] = plus(sums.get(quarter, ZERO), value)
        times = [told[b.TOOL_AT] for told in tools]
        self.ledger.seen(owner, min(times))
        self.ledger.seen(owner, max(times))

    # -- sums ------------------------------------------------------------------------------------------------

    def _hand_out(self, sums: dict[int, Sum], owner: Session) -> None:
        owner.dirty = True
        for quarter, value in sums.items():
            owner.total = plus(owner.total, value)
            if quarter >= self.ledger.floor:
                self.ledger.changes.sums.append((quarter, owner.id, value))


class _Running:
    """What the responses of one quarter hour and model add, while it is added up."""

    __slots__ = ("cache_read", "client_priced", "cost", "estimated", "incomplete", "output", "requests", "uncached",
                 "understated", "unpriced", "write_1h", "write_5m")  # fmt: skip

    def __init__(self) -> None:
        self.requests = self.uncached = self.output = self.cache_read = self.write_5m = self.write_1h = 0
        self.cost = self.unpriced = self.estimated = self.client_priced = self.incomplete = (
            self.understated
        ) = 0

    def add(self, told: Told) -> None:
        """One response."""
        self.requests += 1
        self.uncached += told[b.UNCACHED]
        self.output += told[b.OUTPUT]
        self.cache_read += told[b.CACHE_READ]
        self.write_5m += told[b.WRITE_5M]
        self.write_1h += told[b.WRITE_1H]
        self.cost += told[b.COST]
        basis = told[b.BASIS]
        if basis:
            self.unpriced += basis == Basis.UNPRICED
            self.estimated += basis == Basis.FAMILY
            self.client_priced += basis == Basis.CLIENT
        if told[b.INCOMPLETE]:
            self.incomplete += 1
            self.understated += told[b.UNDERSTATED]

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


def _by_quarter(fresh: list[Told]) -> dict[tuple[int, str], _Running]:
    """(quarter hour, model) → what the responses add."""
    found: dict[tuple[int, str], _Running] = {}
    for told in fresh:
        key = (int(told[b.AT]) // QUARTER * QUARTER, told[b.MODEL])
        running = found.get(key)
        if running is None:
            running = found[key] = _Running()
        running.add(told)
    return found


def _part(told: list[Told], plain: Callable[[Told], bool]) -> tuple[list[Told], list[Told]]:
    """Those of which it is true, and the others."""
    others = [one for one in told if not plain(one)]
    return ([one for one in told if plain(one)], others) if others else (told, others)
