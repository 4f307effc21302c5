"""API responses on their way into the history: found by any of their names, decided, priced, booked.

One response may be in several lines and several files, under several names; it counts once, and a
correction moves the sums by the difference it makes, in the second of the response's own time.
"""

from collections.abc import Iterable

from aitop.history import rows
from aitop.history.rows import Contribution, CountedResponse, Evidence, Session
from aitop.history.write import commit, load
from aitop.history.write.ledger import Ledger
from aitop.history.write.naming import Names
from aitop.history.write.pairing import NEAR, Pairing, unnamed
from aitop.model.events import Response, Usage
from aitop.pricing import cost as pricing
from aitop.pricing.basis import Basis
from aitop.pricing.table import PriceTable


class Responses:
    """The responses touched since the last flush, by id and by name."""

    def __init__(self, ledger: Ledger, prices: PriceTable) -> None:
        self.ledger = ledger
        self.prices = prices
        self.next = load.next_id(ledger.db, "response")  # the number of the next new one
        self.known: dict[int, int] = {}  # names that are not in the database yet, and some that are
        self._rows: dict[int, CountedResponse] = {}
        self._pairing = Pairing(ledger.db)
        self.lone_requests = load.lone_requests(
            ledger.db
        )  # some responses have no message id, but a request's

    def preload(self, names: list[int]) -> None:
        """Fetch in a few statements every row these names lead to."""
        wanted = [name for name in names if name not in self.known]
        stored = load.aliases(self.ledger.db, wanted) if wanted else {}
        if stored:
            self.known.update(stored)
            missing = {i for i in stored.values() if i not in self._rows}
            self._rows.update(load.rows(self.ledger.db, missing, self.ledger.names))

    def adopt(self, rows_: Iterable[tuple[int, CountedResponse]]) -> None:
        """(name, row) of rows that are counted and not written yet: from now on they are written from here."""
        for name, row in rows_:
            self._rows[row.id] = self.ledger.out.rows[row.id] = row
            self.known[name] = self.ledger.out.aliases[name] = row.id

    def forget(self) -> None:
        """After a flush the database knows it all."""
        self._rows.clear()
        self.known.clear()
        self._pairing.flushed()

    def paired_from(self) -> float:
        """From which moment on a file's response may be one that a feed reported under another name."""
        return self._pairing.begins()

    def take(self, provider: str, r: Response, names: Names, file: int, now: float) -> None:
        """Count one record of a response."""
        numbers = self._named(names) or self._other_word(provider, r, file, now)
        before: Contribution | None = None
        if not numbers:
            session = self.ledger.session(provider, r.paying_session or r.session)
            row = CountedResponse(self.next, session.id, rows.first_evidence(r, file, now))
            self.next += 1
            self._rows[row.id] = row
            if not file and unnamed(r):
                self._pairing.wait(provider, r, row.evidence.at, row.id)
        else:
            row = self._row(numbers[0])
            before = row.contribution()
            for other in numbers[1:]:
                self._merge(row, self._row(other))
            self._tell(row, r, file, provider, now)
        self._call(row, names)
        self._count(row, before, now)
        if file:
            self._told_by(self.ledger.session(provider, r.session), r, row, r.agent)
        else:  # a feed may know neither the session nor the thread
            self._told_by(self.ledger.session_by_id(row.session), r, row, row.evidence.agent)

    def _named(self, names: Names) -> list[int]:
        """The rows that a record's names lead to.

        Different message ids are different responses, and so are two records of one message id with different
        request ids. A request id leads to a row that has no message id, or a record without one to the row that
        came with it; several rows may have.
        """
        led = {self.known[name] for name in names.own if name in self.known}
        numbers = {number for number in led if self._agrees(number, names)}
        if names.request is None:
            return sorted(numbers)
        if not numbers and names.texts is not None:
            numbers.update(self._by_both(names, contradicted=bool(led)))
        lone = self.known.get(names.request)
        if lone is not None and (names.message is None or self._row(lone).message_key is None):
            numbers.add(lone)
        if not numbers and names.message is None:
            return self._by_request(names.request, names.at)
        return sorted(numbers)

    def _agrees(self, number: int, names: Names) -> bool:
        """Whether a row's request id does not contradict this record's."""
        request = self._row(number).request_key
        return request is None or names.request is None or request == names.request

    def _by_both(self, names: Names, *, contradicted: bool) -> list[int]:
        """The row of a message id and a request id, by its other spelling.

        `contradicted`: the message id alone leads to a row with another request id.
        """
        other = names.joint() if contradicted else names.bare()
        number = self._number(other) if other is not None else None
        return [number] if number is not None and self._agrees(number, names) else []

    def _number(self, name: int) -> int | None:
        """The number of the row that one name leads to."""
        if name not in self.known:
            self.known.update(load.aliases(self.ledger.db, [name]))
        return self.known.get(name)

    def _call(self, row: CountedResponse, names: Names) -> None:
        """Keep the names by which this record's row is found from now on."""
        row.request_key = row.request_key or names.request
        leading = names.leading(named=names.message is not None or row.message_key is not None)
        free = [name for name in leading if self.known.get(name, row.id) == row.id]
        joint = names.joint() if len(free) < len(leading) else None
        if joint is not None:  # its message id is the name of a row with another request id
            free.append(joint)
        bare = names.bare()
        if bare is not None and self._number(bare) is None:
            free.append(bare)
        for name in free:
            if self.known.get(name) != row.id:
                self.known[name] = self.ledger.out.aliases[name] = row.id
        row.message_key = row.message_key or (names.message if joint is None else joint)
        self.lone_requests |= row.message_key is None and row.request_key is not None

    def _by_request(self, request: int, at: float) -> list[int]:
        """The row nearest in time that came with a message id and this request id."""
        fresh = [row for row in self._rows.values() if row.request_key == request]
        times = {row.id: row.evidence.at for row in fresh if abs(row.evidence.at - at) <= NEAR}
        for identity, told_at in load.of_request(self.ledger.db, request, at - NEAR, at + NEAR):
            times.setdefault(identity, told_at)
        return [min(times, key=lambda identity: (abs(times[identity] - at), identity))] if times else []

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
        loaded_rows = load.rows_after(self.ledger.db, after, most, self.ledger.names)
        for identity, loaded in loaded_rows.items():
            row = self._rows.setdefault(identity, loaded)
            self._count(row, row.contribution(), now)
            if row.copied:
                self._inherit(row, self._copies(row))
        return max(loaded_rows) if len(loaded_rows) == most else None

    def _other_word(self, provider: str, r: Response, file: int, now: float) -> list[int]:
        """The row of a response that a feed and a file name differently, once the other one has reported it."""
        at = min(r.at, now) if r.at > 0 else now
        if file:
            number = self._pairing.written(provider, r, at)
        else:
            number = self._pairing.told(provider, r, at) if unnamed(r) else None
        return [] if number is None else [number]

    # -- deciding --------------------------------------------------------------------------------------------

    def _row(self, identity: int) -> CountedResponse:
        row = self._rows.get(identity)
        if row is None:
            row = self._rows[identity] = load.rows(self.ledger.db, {identity}, self.ledger.names)[identity]
        return row

    def _tell(self, row: CountedResponse, r: Response, file: int, provider: str, now: float) -> None:
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

    def _copies(self, row: CountedResponse) -> dict[int, Evidence]:
        out = self.ledger.out.copies
        if row.id not in out:
            stored = load.copies(self.ledger.db, row.id, self.ledger.names) if row.copied else {}
            out[row.id] = stored or {row.evidence.file: row.evidence}
        return out[row.id]

    def _decide(self, row: CountedResponse, copies: dict[int, Evidence], provider: str) -> None:
        ledger = self.ledger
        row.copied = True
        row.evidence, name = rows.decide(copies.values(), ledger.file_by_id)
        before = row.session
        held = ledger.session_by_id(before)
        # Two providers may report one response: it stays with the provider of the session that holds it.
        row.session = held.id if name in (None, held.name) else ledger.session(provider, name).id
        if row.session != before:  # it inherits this one no more, and may have been its only inheritance
            payer = ledger.session_by_id(row.session)
            ledger.out.inherited.add((payer.provider, payer.name))
        self._inherit(row, copies)

    def _inherit(self, row: CountedResponse, copies: Iterable[int]) -> None:
        """Sessions that hold a copy of what another one paid: their inherited cost is summed again."""
        paid = self.ledger.session_by_id(row.session)
        for number in copies:
            holder = self.ledger.file_by_id(number).session
            if holder and holder != paid.name:
                self.ledger.out.inherited.add((paid.provider, holder))

    def _merge(self, row: CountedResponse, other: CountedResponse) -> None:
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
        row.message_key = row.message_key or other.message_key
        row.request_key = row.request_key or other.request_key
        commit.merge(ledger.db, ledger.out, row.id, other.id)
        del self._rows[other.id]
        self._decide(row, copies, ledger.session_by_id(row.session).provider)

    # -- counting --------------------------------------------------------------------------------------------

    def _count(self, row: CountedResponse, before: Contribution | None, now: float) -> None:
        """Price a response and move the sums by the difference it makes."""
        ledger, e = self.ledger, row.evidence
        row.cost, row.basis = priced(self.prices, e.model, e.usage, e.at, e.billed, e.claimed)
        row.incomplete = e.stop_reason is None and now - e.at > rows.INCOMPLETE_AFTER
        after = row.contribution()
        ledger.out.rows[row.id] = row
        if row.basis:
            ledger.changes.models.add((e.model, row.basis))
        if before != after:
            if before is not None:
                ledger.book(before, -1)
            ledger.book(after, 1)
        ledger.seen(ledger.session_by_id(row.session), e.at)

    def _told_by(self, session: Session, r: Response, row: CountedResponse, agent: str | None) -> None:
        """What a record says of the session it stands in, whichever session pays: the same in any reading order."""
        ledger, e = self.ledger, row.evidence
        if agent and agent not in session.agents:
            session.agents |= {agent}
            ledger.out.agents.append((session.id, agent))
        at = min(r.at, e.at) if r.at > 0 else e.at
        tokens = r.usage.input_tokens
        if agent is None and (at, tokens) >= (session.context_at, session.context_tokens or 0):
            session.context_at, session.context_tokens, session.model = at, tokens, r.model
            session.dirty = True
        ledger.seen(session, at)


def priced(
    prices: PriceTable, model: str, usage: Usage, at: float, billed: int | None, claimed: int | None
) -> tuple[int, Basis]:
    """Picodollars and their basis. What was billed outranks our price; the client's reckoning fills a gap in ours.

    A reckoning of 0 for a model without a price says only that the client has none either.
    """
    cost, basis = pricing.price(prices, model, usage, at)
    if billed is not None:
        return billed, Basis.LISTED if basis is Basis.LISTED or not billed else Basis.CLIENT
    if claimed and basis is not Basis.LISTED:
        return claimed, Basis.CLIENT
    return cost, basis
