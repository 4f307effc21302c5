"""Failed API requests and compactions: each once, though a hook and a transcript may both report it.

The two name it differently, so they are paired by kind, session and nearness in time. What the file says counts.
"""

from aitop.history import keys
from aitop.history.rows import Contribution
from aitop.history.write import load
from aitop.history.write.ledger import Ledger
from aitop.model.events import ApiError, Compaction
from aitop.model.sums import Sum

TWINS = {"error": 10.0, "compaction": 120.0}  # seconds within which both reports are of one incident


class Incidents:
    """Writes straight into the open transaction: they are few."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def take(self, provider: str, event: ApiError | Compaction, file: int, now: float) -> None:
        """Count one record of an incident."""
        if isinstance(event, ApiError):
            kind, what = ("error" if event.final else "retry"), event.kind
        else:
            kind, what = "compaction", event.trigger
        ledger, db = self.ledger, self.ledger.db
        at = min(event.at, now) if event.at > 0 else now
        session = ledger.session(provider, event.session)
        key = keys.key(kind, event.key)
        if isinstance(event, Compaction) and event.agent is None and at >= session.context_at:
            session.context_at, session.context_tokens = at, None
        ledger.seen(session, at)
        earlier = load.incident(db, key)
        if earlier is not None:
            self._again(kind, key, earlier, session.id, file)
            return
        twin = load.twin(db, kind, session.id, at, TWINS.get(kind, 0.0), from_file=not file)
        row = (key, kind, session.id, at, what, file, twin and twin[0])
        db.execute("INSERT INTO incident VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        if twin:
            db.execute("UPDATE incident SET twin = ? WHERE key = ?", (key, twin[0]))
            if not file:
                return  # the file's record counts already
            self._book(kind, session.id, twin[1], -1)
        self._book(kind, session.id, at, 1)

    def _again(self, kind: str, key: int, earlier: tuple[int, int, float], session: int, file: int) -> None:
        """A fork repeats it: it belongs to the first file in order."""
        owner, from_file, at = earlier
        order = self.ledger.file_by_id
        if file and from_file and order(file).order() < order(from_file).order():
            self._book(kind, owner, at, -1)
            self._book(kind, session, at, 1)
            self.ledger.db.execute(
                "UPDATE incident SET session = ?, from_file = ? WHERE key = ?", (session, file, key)
            )

    def _book(self, kind: str, session: int, at: float, sign: int) -> None:
        if kind == "compaction":
            self.ledger.book_compaction(at, session, sign)
        else:
            self.ledger.book(Contribution(at, session, "", Sum(errors=1)), sign)
