"""What a placeholder's function may look at: the state, the moment, one session, and its client's words."""

from __future__ import annotations

from aitop.segments import fields, money
from aitop.segments.humanize import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.model.json_types import JsonObject

MINUTES = {"1m": 1, "5m": 5, "15m": 15}


class View:
    """One moment, seen from one session. Never raises for a state that lacks keys."""

    __slots__ = ("in_folder", "now", "payload", "rows", "session", "state")

    state: JsonObject
    session: JsonObject
    payload: JsonObject
    rows: list[JsonObject]

    def __init__(
        self,
        state: JsonObject,
        now: float,
        *,
        session: JsonObject | None = None,
        payload: JsonObject | None = None,
    ) -> None:
        self.state = state
        self.now = now
        self.payload = payload or fields.EMPTY  # the client's status-line JSON, empty elsewhere
        self.session = fields.current_session(state) if session is None else session
        self.in_folder = True  # whether the session's project is that of the place where the text is shown
        self.rows = fields.rows(state.get("sessions"))

    def window(self, name: str) -> JsonObject:
        return fields.table(fields.table(self.state.get("windows")).get(name))

    def period(self, name: str) -> JsonObject:
        return fields.table(self.state.get(name))

    def said(self, name: str) -> JsonObject:
        """One object of the client's status-line JSON."""
        return fields.table(self.payload.get(name))

    def money(self, usd: object, counts: JsonObject | None = None) -> str:
        return money.of(self.state, usd, counts)

    def spent(self, usd: object, counts: JsonObject) -> str:
        """A sum of what was spent: a lower bound while the clients' files are not all read."""
        if fields.table(self.state.get("scan")).get("complete") is False:
            counts = counts | {"uncounted_sessions": 1}
        return self.money(usd, counts)

    def session_spent(self) -> int | float | None:
        """What the session spent in USD, its client's newest total included.

        A client's total may hold what an earlier session spent (a resume); that part is what the total
        known to the listener exceeds the session's own spending by.
        """
        published, total = money.spent(self.session), number(self.said("cost").get("total_cost_usd"))
        if total is None:
            return published
        if published is None:
            return total
        before = number(self.session.get("client_cost_usd"))
        return max(published, total - max(0.0, before - published if before is not None else 0.0))

    def ahead(self) -> float:
        """USD that the client reported just now and that no sum of the state holds yet."""
        whole, published = self.session_spent(), money.spent(self.session)
        if published is None or whole is None:
            return 0.0  # without a row nothing says how much of the client's total is of today
        return max(0.0, whole - published)
