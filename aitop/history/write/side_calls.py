"""What a client reports beyond its records: booked as untracked money, and taken back as its calls become known.

A client's total (`ClientTotals`) holds calls that are in no record: titles, summaries, classifiers. The part of
it that is not covered by counted responses is spent all the same. It is booked per session and model, at the time
of the report in which it first appeared. Once such a call is reported singly, the newest bookings shrink by it.

A running total may begin with another session's money: a client goes on counting after `/clear`, and a fork begins
with the total of its origin. That is the session's baseline (`Session.client_base`, and `client_model_bases` of
each model) and never booked for it.

Knows no clock. It asks the database about written rows only, so it runs after they are written.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from aitop.history.rows import Session
from aitop.history.write.ledger import Ledger
from aitop.model.events import ClientTotals
from aitop.model.sums import PICO

CARRIED = 12 * 3600.0  # seconds: after a longer rest, a process with that pid is another one
# USD of one session: beyond it the record is damaged, and it would not fit the history.
MAX_TOTAL = 1_000_000.0
ROUNDING = PICO // 1_000_000  # a difference below a millionth of a USD is how the client rounds


def told(ledger: Ledger, session: Session, event: ClientTotals, at: float | None) -> None:
    """Take in a client's total of a session; a damaged one is left out."""
    if not 0 <= event.cost_usd <= MAX_TOTAL:
        return
    if session.client_cost is None:
        moment = at or session.last_at or None  # a record of the client's own totals has no time
        session.client_base, session.client_model_bases = _baseline(ledger, session, event, moment)
        session.client_cost = event.cost_usd
    elif session.restarted and event.cost_usd < session.client_cost:
        session.client_base -= session.client_cost  # it began again at zero: both runs are this session's
        bases, models = session.client_model_bases or {}, session.client_models
        session.client_model_bases = {
            model: bases.get(model, 0.0) - models.get(model, 0.0) for model in {*bases, *models}
        }
        session.client_cost, session.client_models = event.cost_usd, {}
    else:
        session.client_cost = max(session.client_cost, event.cost_usd)
    session.restarted = False
    session.client_at = max(session.client_at or 0.0, at or session.last_at)
    session.client_api_ms = max(session.client_api_ms or 0.0, event.api_ms or 0.0) or None
    for model, usd in event.by_model:
        if not 0 <= usd <= MAX_TOTAL:
            continue
        models = session.client_models
        session.client_models = {**models, model: max(models.get(model, 0.0), usd)}
    session.totals_moved = True


def _baseline(
    ledger: Ledger, session: Session, event: ClientTotals, at: float | None
) -> tuple[float, dict[str, float] | None]:
    """USD that a session's first total began with, as a whole and by model (None: not known yet)."""
    if session.began_by == "startup" or at is None:
        return 0.0, {}
    others = [
        (other.client_cost, dict(other.client_models))
        for other in sorted(ledger.sessions.values(), key=lambda other: other.client_at or 0.0, reverse=True)
        if other is not session
        and other.pid is not None
        and other.pid == session.pid
        and other.provider == session.provider
        and other.client_at is not None
        and other.client_cost is not None
        and 0 <= at - other.client_at <= CARRIED
    ]
    if others:
        usd, models = others[0]
        return (usd, models or None) if usd <= event.cost_usd else (0.0, {})
    if session.began_by == "clear":  # nothing says what it began with: at most what is counted is its own
        return max(0.0, event.cost_usd - (session.total.cost + session.inherited) / PICO), None
    return 0.0, {}


def asks_rows(session: Session, *, inherits: bool) -> bool:
    """Whether `reckon` looks at single responses of this session. `inherits`: it holds another one's, as of now."""
    if session.client_cost is None or not (session.totals_moved or inherits):
        return False
    later = session.client_at is not None and session.last_at > session.client_at
    return later or inherits or session.inherited != 0


def reckon(db: sqlite3.Connection, ledger: Ledger, sessions: Iterable[Session]) -> None:
    """Book what is untracked now of the sessions of which a total moved; their rows are written."""
    for session in sorted(sessions, key=lambda session: session.inherited > 0):
        session.totals_moved = False
        if session.client_cost is not None:
            _move(db, ledger, session, _wanted(db, ledger, session))


def _wanted(db: sqlite3.Connection, ledger: Ledger, session: Session) -> dict[int, int]:
    """Model → picodollars that should stand booked; model "" takes what the client attributes to none."""
    assert session.client_cost is not None
    reported = round((session.client_cost - session.client_base) * PICO)
    carried = session.inherited + sum(_beyond_copies(db, session).values()) + _of_origin(db, session)
    left = reported - _counted(db, session) - carried
    by_model = _by_model(db, ledger, session)
    if left < ROUNDING:
        return {}
    wanted: dict[int, int] = {}
    for model, beyond in sorted(
        by_model.items(), key=lambda item: (-item[1], ledger.names.models.value(item[0]))
    ):
        part = min(beyond, left)
        if part >= ROUNDING:
            wanted[model] = part
            left -= part
    if left >= ROUNDING:
        wanted[ledger.names.model("")] = left
    return wanted


def _by_model(db: sqlite3.Connection, ledger: Ledger, session: Session) -> dict[int, int]:
    """Model → picodollars that the client reports for it beyond its baseline and the counted responses.

    Where nothing says what a model began with, all of its first report beyond the responses is its baseline.
    """
    if not session.client_models:
        return {}
    counted: dict[int, int] = dict(
        db.execute("SELECT model, sum(cost) FROM session_sum WHERE session = ? GROUP BY model", (session.id,))
    )
    if session.inherited:
        copied = db.execute(_INHERITED_BY_MODEL, (session.name, session.id))
        for model, cost in (*copied, *_beyond_copies(db, session).items()):
            counted[model] = counted.get(model, 0) + cost
    models = {name: ledger.names.model(name) for name in session.client_models}
    bases = session.client_model_bases
    if bases is None:
        bases = session.client_model_bases = {
            name: max(0.0, usd - counted.get(models[name], 0) / PICO)
            for name, usd in session.client_models.items()
        }
        session.dirty = True
    return {
        models[name]: round((usd - bases.get(name, 0.0)) * PICO) - counted.get(models[name], 0)
        for name, usd in session.client_models.items()
    }


_INHERITED_BY_MODEL = (
    "SELECT r.model, sum(r.cost) FROM file f JOIN copy c ON c.file = f.id JOIN response r ON r.id = c.response "
    "WHERE f.session = ? AND f.agent IS NULL AND r.session != ? GROUP BY r.model"
)


def _counted(db: sqlite3.Connection, session: Session) -> int:
    """Picodollars of the session's responses that the client's total can hold: those before it was reported."""
    later = 0
    if session.client_at is not None and session.last_at > session.client_at:
        later = db.execute(
            "SELECT ifnull(sum(cost), 0) FROM response WHERE at > ? AND at <= ? AND session = ?",
            (session.client_at, session.last_at, session.id),
        ).fetchone()[0]
    return session.total.cost - later


def _beyond_copies(db: sqlite3.Connection, session: Session) -> dict[int, int]:
    """Model → picodollars of its origins' responses that a fork does not copy; its total began with their money.

    They are those of sub-agents, which have files of their own, and of branches that were left.
    """
    if not session.inherited:
        return {}
    copied = db.execute(
        "SELECT min(r.at), max(r.at) FROM file f JOIN copy c ON c.file = f.id JOIN response r ON r.id = c.response "
        "WHERE f.session = ? AND f.agent IS NULL AND r.session != ?",
        (session.name, session.id),
    ).fetchone()
    return dict(
        db.execute(
            f"SELECT model, sum(cost) FROM response WHERE at >= ? AND at <= ? AND session IN ({_ORIGINS}) "  # noqa: S608
            "AND id NOT IN (SELECT c.response FROM file f JOIN copy c ON c.file = f.id "
            "WHERE f.session = ? AND f.agent IS NULL) GROUP BY model",
            (*copied, session.name, session.id, session.name),
        ).fetchall()
    )


_ORIGINS = (
    "SELECT r.session FROM file f JOIN copy c ON c.file = f.id JOIN response r ON r.id = c.response "
    "WHERE f.session = ? AND f.agent IS NULL AND r.session != ?"
)


def _of_origin(db: sqlite3.Connection, session: Session) -> int:
    """Untracked picodollars of the sessions that a fork copies, from before it went its own way."""
    if not session.inherited:
        return 0
    own = db.execute(
        "SELECT min(at) FROM response WHERE at BETWEEN ? AND ? AND session = ?",
        (session.started_at or 0.0, session.last_at, session.id),
    ).fetchone()[0]
    picodollars: int = db.execute(
        f"SELECT ifnull(sum(picodollars), 0) FROM side_call WHERE at <= ? AND session IN ({_ORIGINS})",  # noqa: S608
        (own if own is not None else session.client_at, session.name, session.id),
    ).fetchone()[0]
    return picodollars


def _move(db: sqlite3.Connection, ledger: Ledger, session: Session, wanted: dict[int, int]) -> None:
    """Change the bookings to what is wanted: the newest shrink first, and money keeps its time between models."""
    booked: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for model, at, amount in db.execute(
        "SELECT model, at, picodollars FROM side_call WHERE session = ? ORDER BY at", (session.id,)
    ):
        booked[model].append((at, amount))
    standing = {model: sum(amount for _, amount in rows) for model, rows in booked.items()}
    freed: list[tuple[int, int]] = []
    for model, rows in booked.items():
        excess = standing[model] - wanted.get(model, 0)
        while excess > 0:
            at, amount = rows.pop()
            part = min(amount, excess)
            ledger.book_untracked(at, session.id, model, -part)
            freed.append((at, part))
            excess -= part
    now = int(session.client_at or session.last_at)
    for model, amount in wanted.items():
        missing = max(0, amount - standing.get(model, 0))
        while missing > 0:
            at, part = freed.pop(0) if freed else (now, missing)
            if part > missing:
                freed.insert(0, (at, part - missing))
                part = missing
            ledger.book_untracked(at, session.id, model, part)
            missing -= part
