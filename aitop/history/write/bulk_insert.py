"""The short way into the history: whole runs of records that are new to it.

Nearly all of a first read is new. Its sums are added up by quarter hours, and its rows are gathered until `write`
puts them into the open transaction, many at a time and in the order of their keys. What is known already, or is too
recent to be summed up, is kept back as events for `responses` and `tools`, which decide between several versions of
one thing; `settled` hands those out.

While the history was empty at the start, every name is known from memory and the database is not asked.
"""

from collections.abc import Callable, Iterable
from sys import intern
from typing import NamedTuple

from aitop.history.rows import CountedResponse, File, Session
from aitop.history.write import digest, load, wire
from aitop.history.write import prepare as b
from aitop.history.write.digest import Digest
from aitop.history.write.gathered import Gathered, Run
from aitop.history.write.ledger import STOPS, Ledger, within
from aitop.history.write.load import Tool
from aitop.history.write.naming import names_of
from aitop.history.write.prepare import Batch, Plain
from aitop.history.write.responses import Responses
from aitop.history.write.tools import Tools
from aitop.model.events import Event, Response
from aitop.model.sums import ZERO, Sum, plus

MAX_GATHERED = 28 << 20  # bytes of packed rows in memory before they are written into the open transaction
MAX_NAMES = 400_000  # keys in memory while the database need not be asked


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
        # while it holds, every key of the database is in `_names` or `_calls`
        self._all_known = responses.next == 1 and not load.any_tool(ledger.db)
        self._names: set[int] = set()
        self._calls: set[int] = set()
        self._gathered = Gathered()
        self._kept_back: list[KeptBack] = []
        self._facts: list[
            tuple[str, bytes, float, File]
        ] = []  # provider, facts as `wire` packs them, now, file
        self._held: set[int] = set()  # names of kept back responses: a later line of one must not overtake it
        self._lone: set[int] = set()  # request ids of kept back responses that have no message id

    def waiting(self) -> bool:
        """Whether anything is gathered or kept back."""
        return bool(self._gathered or self._kept_back or self._facts)

    @property
    def rows(self) -> int:
        """How many responses and tool calls are gathered."""
        return len(self._gathered.names) + len(self._gathered.calls)

    def full(self) -> bool:
        """Whether so much is gathered that it should be written."""
        return self._gathered.bytes > MAX_GATHERED

    def take(self, provider: str, batch: Batch, file: File, now: float) -> None:
        """Gather what is new in a run of a file, and keep back the rest of it."""
        if batch.packed is not None and self._all_new(batch.digest):
            owner = self.ledger.session(provider, batch.session)
            self._gather(batch, batch.digest, owner, file)
            rest = batch.rest
            if batch.facts is not None:
                self._facts.append((provider, batch.facts, now, file))
        else:
            rest = self._take_parted(provider, wire.unpacked(batch), file)
        if rest:
            self._kept_back.append(KeptBack(provider, rest, now, file))
            for event in rest:
                if isinstance(event, Response):
                    names = names_of(event)
                    self._held.update(names.own)
                    if names.message is None and names.request is not None:
                        self._lone.add(names.request)

    def write(self) -> None:
        """Put what is gathered into the open transaction."""
        if self._gathered:
            if self._all_known:
                self._names.update(self._gathered.names)
                self._calls.update(self._gathered.calls)
            self._gathered.write(self.ledger.db, self.ledger.names)
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
        self._held.clear()
        self._lone.clear()
        return kept

    def settled_facts(self) -> list[KeptBack]:
        """The facts of sessions that were kept back so far, oldest first. No sum depends on them."""
        facts, self._facts = self._facts, []
        return [KeptBack(provider, wire.facts_of(some), now, file) for provider, some, now, file in facts]

    # -- rows that another record speaks of -------------------------------------------------------------------

    def take_responses(self, names: Iterable[int]) -> list[tuple[int, CountedResponse]]:
        """(name, row) of those that are gathered; from now on the caller writes them."""
        rows = ((name, self._gathered.take_response(name, self.ledger.names)) for name in names)
        return [(name, row) for name, row in rows if row is not None]

    def take_calls(self, keys: Iterable[int]) -> list[tuple[int, Tool]]:
        """The same for tool calls."""
        calls = ((key, self._gathered.take_call(key)) for key in keys)
        return [(key, call) for key, call in calls if call is not None]

    # -- what is new -----------------------------------------------------------------------------------------

    def _all_new(self, found: Digest) -> bool:
        """Whether nothing of a run is known or too recent, so that its digest says all that matters now."""
        gathered, known = self._gathered, self._responses
        if found.last >= min(self.ledger.exact, known.paired_from()):
            return False
        # the large one is asked for each of the few: the other way round it would be walked through
        names, calls = found.names, found.calls
        if not (
            gathered.names.keys().isdisjoint(names)
            and known.known.keys().isdisjoint(names)
            and self._names.isdisjoint(names)
            and self._held.isdisjoint(names)
        ):
            return False
        if calls and not (
            gathered.calls.keys().isdisjoint(calls)
            and self._tools.touched().isdisjoint(calls)
            and self._calls.isdisjoint(calls)
        ):
            return False
        if not self._lone.isdisjoint(found.requests):
            return False
        if known.lone_requests and self._known_lone(found.requests):
            return False
        if self._all_known:
            return True
        db = self.ledger.db
        return not load.aliases(db, found.names) and not load.known_tools(db, found.calls)

    def _take_parted(self, provider: str, found: Batch, file: File) -> list[Event]:
        """Gather what is new; the rest, as events."""
        exact = self.ledger.exact
        bound = min(exact, self._responses.paired_from())
        fresh, late = _part(found.responses, lambda plain: plain[b.AT] < bound)
        calls, later = _part(found.tools, lambda plain: plain[b.TOOL_AT] < exact)
        fresh, known = self._new_responses(fresh)
        calls, again = self._new_calls(calls)
        if fresh or calls:
            owner = self.ledger.session(provider, found.session)
            some = found._replace(responses=fresh, tools=calls)
            self._gather(some, digest.of(fresh, calls), owner, file)
        return b.in_order(found.session, late + known, later + again, found.rest)

    def _new_responses(self, found: list[Plain]) -> tuple[list[Plain], list[Plain]]:
        """Those under names that are new, and the others."""
        gathered, waiting, names = self._gathered.names, self._responses.known, self._names
        stored: set[int] = set()
        if not self._all_known and found:
            stored.update(load.aliases(self.ledger.db, [name for plain in found for name in plain[b.NAMES]]))
        requests = [plain[b.REQUEST_KEY] for plain in found if plain[b.REQUEST_KEY] is not None]
        lone = self._lone | (self._known_lone(requests) if self._responses.lone_requests else set())
        fresh: list[Plain] = []
        known: list[Plain] = []
        for plain in found:
            (name,) = plain[b.NAMES]
            if name in names or name in gathered or name in stored or name in waiting or name in self._held:
                known.append(plain)
            else:
                (known if plain[b.REQUEST_KEY] in lone else fresh).append(plain)
        return fresh, known

    def _known_lone(self, requests: list[int]) -> set[int]:
        """The request ids by which alone some response may have been told."""
        waiting = self._responses.known
        return {*load.aliases(self.ledger.db, requests), *(r for r in requests if r in waiting)}

    def _new_calls(self, found: list[Plain]) -> tuple[list[Plain], list[Plain]]:
        """Those that are new, and the others."""
        if not found:
            return found, found
        keys = [plain[b.KEY] for plain in found]
        before = self._tools.touched() if self._all_known else self._tools.among(keys)
        gathered, calls = self._gathered.calls, self._calls
        fresh: list[Plain] = []
        known: list[Plain] = []
        for plain in found:
            key = plain[b.KEY]
            (known if key in calls or key in gathered or key in before else fresh).append(plain)
        return fresh, known

    # -- counting --------------------------------------------------------------------------------------------

    def _gather(self, found: Batch, what: Digest, owner: Session, file: File) -> None:
        """Count a run of which everything is new; its rows are written later."""
        run = Run(found, owner.id, file.id, self._responses.next)
        self._responses.next += len(what.names)
        self._gathered.add(run, what.names, what.calls)
        ledger, names = self.ledger, self.ledger.names
        sums: dict[int, Sum] = {}
        for quarter, model, place, numbers in what.sums:
            value = Sum._make(numbers)
            ledger.out.add((quarter, owner.id, names.model(model), names.place(place)), value)
            sums[quarter] = plus(sums[quarter], value) if quarter in sums else value
        for quarter, name, calls, failures in what.tools:
            ledger.out.add_tool(quarter, owner.id, name, calls, failures)
            value = Sum(tool_calls=calls, tool_failures=failures)
            sums[quarter] = plus(sums[quarter], value) if quarter in sums else value
        self._tell(what, owner)
        owner.dirty = owner.totals_moved = True
        total = owner.total
        for quarter, value in sums.items():
            total = value if total is ZERO else plus(total, value)
            if quarter >= ledger.floor:
                ledger.changes.sums.append((quarter, owner.id, value))
        owner.total = total

    def _tell(self, what: Digest, owner: Session) -> None:
        """What the run says of its session besides its sums."""
        ledger, reasons = self.ledger, owner.stop_reasons
        for reason, times in what.stops:
            stop = within(reasons, intern(reason), STOPS)
            reasons[stop] = reasons.get(stop, 0) + times
        for step in what.timings:
            owner.timings.add(step, 1)
        ledger.changes.models.update(what.unlisted)
        for agent in what.agents:
            if agent not in owner.agents:
                owner.agents |= {agent}
                ledger.out.agents.append((owner.id, agent))
        if what.newest is not None:
            at, tokens, model = what.newest
            if (at, tokens) >= (owner.context_at, owner.context_tokens or 0):
                owner.context_at, owner.model, owner.context_tokens = at, intern(model), tokens
        ledger.seen(owner, what.first)
        ledger.seen(owner, what.last)


def _part(found: list[Plain], wanted: Callable[[Plain], bool]) -> tuple[list[Plain], list[Plain]]:
    """Those that are wanted, and the others."""
    others = [one for one in found if not wanted(one)]
    return ([one for one in found if wanted(one)], others) if others else (found, others)
