"""API responses on their way into the history: found by any of their names, decided, priced, booked.

One response may be told by several lines and several files, under two names; it counts once, and a
correction moves the sums by the difference it makes, in the second of the response's own time.
"""

from collections.abc import Iterable

from aitop.history import rows
from aitop.history.rows import Contribution, Evidence, Row
from aitop.history.write import commit, load
from aitop.history.write.ledger import Ledger
from aitop.history.write.pairing import Pairing, unnamed
from aitop.model.events import Response
from aitop.pricing import cost
from aitop.pricing.basis import Basis
from aitop.pricing.table import PriceTable


class Responses:
    """The responses touched since the last flush, by id and by name."""

    def __init__(self, ledger: Ledger, prices: PriceTable) -> None:
        self.ledger = ledger
        self.prices = prices
        self.next = load.next_id(ledger.db, "response")  # the number of the next new one
        self.known: dict[int, int] = {}  # names that are not in the database yet, and some that are
        self._rows: dict[int, Row] = {}
        self._pairing = Pairing(ledger.db)

    def preload(self, names: list[int]) -> None:
        """Fetch in a few statements every row these names lead to."""
        wanted = [name for name in names if name not in self.known]
        found = load.aliases(self.ledger.db, wanted) if wanted else {}
        if found:
            self.known.update(found)
            missing = {i for i in found.values() if i not in self._rows}
            self._rows.update(load.rows(self.ledger.db, missing, self.ledger.models))

    def forget(self) -> None:
        """After a flush the database knows it all."""
        self._rows.clear()
        self.known.clear()
        self._pairing.flushed()

    def paired_from(self) -> float:
        """From which moment on a file's response may be one that a feed told of by another name."""
        return self._pairing.begins()

    def take(self, provider: str, r: Response, names: list[int], file: int, now: float) -> None:
        """Count one record of a response."""
        known = sorted({self.known[name] for name in names if name in self.known})
        known = known or self._other_word(provider, r, file, now)
        before: Contribution | None = None
        if not known:
            session = self.ledger.session(provider, r.paying_session or r.session)
            row = Row(self.next, session.id, rows.first_evidence(r, file, now))
            self.next += 1
            self._rows[row.id] = row
            if not file and unnamed(r):
                self._pairing.wait(provider, r, row.evidence.at, row.id)
        else:
            row = self._row(known[0])
            before = row.contribution()
            for other in known[1:]:
                self._merge(row, self._row(other))
            self._tell(row, r, file, provider, now)
        row.message_id = row.message_id or r.message_id
        row.request_id = row.request_id or r.request_id
        row.record_id = row.record_id or (None if r.message_id or r.request_id else r.record_id)
        for name in names:
            if self.known.get(name) != row.id:
                self.known[name] = self.ledger.out.aliases[name] = row.id
        self._count(row, before, now)

    def settle(self, now: float) -> None:
        """Count as incomplete what has waited a minute for its stop reason."""
        late = load.open_responses(self.ledger.db, now - rows.INCOMPLETE_AFTER)
        waiting = [
            i for i, row in self.ledger.out.rows.items()
            if row.evidence.stop_reason is None and not row.incomplete
        ]  # fmt: skip
        for identity in {*late, *waiting}:
            row = self._row(identity)
            if not row.incomplete and now - row.evidence.at > rows.INCOMPLETE_AFTER:
                self._count(row, row.contribution(), now)

    def reprice(self, after: int, most: int, now: float) -> int | None:
        """Price up to `most` responses after id `after` again; where to go on, None when done."""
        found = load.rows_after(self.ledger.db, after, most, self.ledger.models)
        for identity, loaded in found.items():
            row = self._rows.setdefault(identity, loaded)
            self._count(row, row.contribution(), now)
            if row.copied:
                self._inherit(row, self._copies(row))
        return max(found) if len(found) == most else None

    def _other_word(self, provider: str, r: Response, file: int, now: float) -> list[int]:
        """The row of a response that a feed and a file name differently, once the other has told of it."""
        at = min(r.at, now) if r.at > 0 else now
        if file:
            found = self._pairing.written(provider, r, at)
        else:
            found = self._pairing.told(provider, r, at) if unnamed(r) else None
        return [] if found is None else [found]

    # -- deciding --------------------------------------------------------------------------------------------

    def _row(self, identity: int) -> Row:
        row = self._rows.get(identity)
        if row is None:
            row = self._rows[identity] = load.rows(self.ledger.db, {identity}, self.ledger.models)[identity]
        return row

    def _tell(self, row: Row, r: Response, file: int, provider: str, now: float) -> None:
        """Another record of a response that is known: by the same file, or by one more."""
        old = row.evidence
        if not row.copied and old.file == file:
            row.evidence = rows.more_evidence(old, r, now)
            if row.evidence.paying:
                row.session = self.ledger.session(provider, row.evidence.paying).id
            return
        copies = self._copies(row)
        mine = copies.get(file)
        copies[file] = rows.more_evidence(mine, r, now) if mine else rows.first_evidence(r, file, now)
        self._decide(row, copies, provider)

    def _copies(self, row: Row) -> dict[int, Evidence]:
        out = self.ledger.out.copies
        if row.id not in out:
            stored = load.copies(self.ledger.db, row.id, self.ledger.models) if row.copied else {}
            out[row.id] = stored or {row.evidence.file: row.evidence}
        return out[row.id]

    def _decide(self, row: Row, copies: dict[int, Evidence], provider: str) -> None:
        ledger = self.ledger
        row.copied = True
        row.evidence, name = rows.decide(copies.values(), ledger.file_by_id)
        held = ledger.session_by_id(row.session)
        # Two providers may tell of one response: what is decided for its holder stays with the holder's.
        row.session = held.id if name in (None, held.name) else ledger.session(provider, name).id
        self._inherit(row, copies)

    def _inherit(self, row: Row, copies: Iterable[int]) -> None:
        """Sessions that hold a copy of what another one paid: their inherited cost is summed again."""
        paid = self.ledger.session_by_id(row.session)
        for number in copies:
            holder = self.ledger.file_by_id(number).session
            if holder and holder != paid.name:
                self.ledger.out.inherited.add((paid.provider, holder))

    def _merge(self, row: Row, other: Row) -> None:
        """One record showed that two known responses are the same one."""
        ledger = self.ledger
        copies = self._copies(row)
        for number, evidence in self._copies(other).items():
            mine = copies.get(number)
            copies[number] = evidence if mine is None else rows.joined(mine, evidence)
        ledger.book(other.contribution(), -1)
        for name, identity in list(self.known.items()):
            if identity == other.id:
                self.known[name] = ledger.out.aliases[name] = row.id
        commit.merge(ledger.db, ledger.out, row.id, other.id)
        del self._rows[other.id]
        self._decide(row, copies, ledger.session_by_id(row.session).provider)

    # -- counting --------------------------------------------------------------------------------------------

    def _count(self, row: Row, before: Contribution | None, now: float) -> None:
        """Price a response and move the sums by the difference it makes."""
        ledger, e = self.ledger, row.evidence
        if e.billed is not None:
            row.cost, row.basis = e.billed, Basis.LISTED
        else:
            row.cost, row.basis = cost.price(self.prices, e.model, e.usage, e.at)
        row.incomplete = e.stop_reason is None and now - e.at > rows.INCOMPLETE_AFTER
        after = row.contribution()
        ledger.out.rows[row.id] = row
        if row.basis:
            ledger.changes.models.add((e.model, row.basis))
        if before != after:
            if before is not None:
                ledger.book(before, -1)
            ledger.book(after, 1)
        session = ledger.session_by_id(row.session)
        if e.agent and e.agent not in session.agents:
            session.agents.add(e.agent)
            ledger.out.agents.append((session.id, e.agent))
        if e.agent is None and e.at >= session.context_at:
            session.context_at, session.context_tokens = e.at, e.usage.input_tokens
            session.model = e.model
        ledger.seen(session, e.at)
