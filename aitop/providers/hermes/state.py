"""Hermes Agent's `state.db` → events: what each session's running sums grew by.

Newer versions keep a row for each session, model and task (`session_model_usage`), older ones only the session's own
sums. Their input excludes the cache; the output includes reasoning. A cost is taken where its source is named: 0 with
the source `none` is unknown. A child session (a sub-agent) counts to its parent; a session that continues another one
after a compaction stands for itself. Must not keep any text. Fields as written by 0.19.0.
"""

from collections.abc import Iterator, Mapping
from operator import add

from aitop.model.events import Event, Place, SessionInfo, Status
from aitop.providers import Parsed, Source, sqlite_store
from aitop.providers.lenient import epoch, text
from aitop.providers.running_sums import (
    NOTHING,
    UNKNOWN,
    Bearer,
    Sums,
    grown,
    known,
    nano,
    packed,
    responses,
    running,
    unpacked,
)
from aitop.providers.sqlite_store import Store

SUMS = (
    "api_call_count",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
NEEDED = {"id", "model", "input_tokens", "output_tokens", "started_at"}
SESSION = (
    "id", "model", "parent_session_id", "started_at", "ended_at", "end_reason", "cwd", "git_branch", "source",
    "actual_cost_usd", "estimated_cost_usd", "cost_source", "cost_status",
)  # fmt: skip
USED = ("session_id", "model", "task", "billing_provider", "billing_base_url", "billing_mode", "last_seen",
        "actual_cost_usd", "estimated_cost_usd", "cost_source", "cost_status")  # fmt: skip
CHILD = "subagent"
LATELY = 3600.0  # seconds
Row = Mapping[str, object]


def read(path: str, source: Source) -> Iterator[Parsed]:
    """What came since the sums of the note. Raises OSError."""
    with sqlite_store.opened(path) as store:
        columns = store.columns("sessions")
        missing = sorted(NEEDED - columns)
        if missing:
            problem = f"unknown format: its sessions lack {', '.join(missing[:3])}" if columns else None
            yield Parsed([], 0, None, None, source.pending, problem)
            return
        sessions = {str(row["id"]): row for row in _rows(store, "sessions", SESSION)}
        used = list(_rows(store, "session_model_usage", USED))
        last = _last_messages(store)
    look = _Look(sessions, last, unpacked(source.pending))
    by_session: dict[str, list[Row]] = {}
    for row in used:
        by_session.setdefault(str(row["session_id"]), []).append(row)
    for name in dict.fromkeys((*sessions, *by_session)):
        look.session(name, by_session.get(name, []))
    yield Parsed(look.events + look.statuses(), 0, None, None, packed(look.seen))


class _Look:
    """One look at all sessions. `seen` are the sums for the next note."""

    def __init__(
        self, sessions: Mapping[str, Row], last: Mapping[str, float], before: dict[str, Sums]
    ) -> None:
        self.events: list[Event] = []
        self.seen: dict[str, Sums] = {}
        self._sessions, self._last, self._before = sessions, last, before

    def session(self, name: str, used: list[Row]) -> None:
        """A session's sums by model, and what its own sums hold beyond them.

        A gateway sets only the session's own sums. A newer version moves old ones into rows by model: what left the
        rest and came to a row is no growth.
        """
        own = self._sessions.get(name, {})
        by_key = {_key(row): _settled(self._before.get(_key(row), NOTHING), _sums(row)) for row in used}
        main = [by_key[_key(row)] for row in used if not text(row.get("task"), 64)]
        rest_before, all_own = self._before.get(name, NOTHING), _sums(own)
        if main:
            rest = known(rest_before, _beyond(all_own, Sums(*map(sum, zip(*main, strict=True)))))
        else:
            rest = _settled(rest_before, all_own)
        moved = _less(rest_before, rest)
        for row in used:
            key = _key(row)
            now = by_key[key]
            before = self._before.get(key, NOTHING)
            if not text(row.get("task"), 64):
                taken = Sums(*map(min, grown(before, now), moved))
                moved = _less(moved, taken)
                before = Sums(*map(add, before, taken))
            self._grew(name, own, row, before, now)
            self.seen[key] = now
        self._grew(name, own, own, rest_before, rest if not any(_less(rest_before, rest)) else rest_before)
        self.seen[name] = Sums(*map(add, rest, moved))

    def _grew(self, name: str, own: Row, row: Row, before: Sums, now: Sums) -> None:
        if before == now:
            return
        at = epoch(row.get("last_seen")) or self._last.get(name) or epoch(own.get("started_at")) or 0.0
        parent = text(own.get("parent_session_id"), 128)
        child = parent in self._sessions and own.get("source") == CHILD
        main, agent = (str(parent), name) if child else (name, None)
        if text(row.get("task"), 64):
            agent = agent or ""  # a side call of the client's own: a title, a summary
        cwd, branch = text(own.get("cwd"), 4096), text(own.get("git_branch"))
        model = text(row.get("model")) or text(own.get("model")) or "unknown"
        billed = nano(row.get("actual_cost_usd")) > 0
        bearer = Bearer(main, model, at, agent, Place(cwd, branch) if cwd else None, billed)
        self.events += responses(bearer, before, now)
        if agent is None:
            self.events.append(SessionInfo(main, at, cwd=cwd, branch=branch, model=model))

    def statuses(self) -> list[Event]:
        """Those of the sessions that moved lately."""
        newest = max(self._last.values(), default=0.0)
        changes: list[Event] = []
        for name, row in self._sessions.items():
            ended, at = epoch(row.get("ended_at")), self._last.get(name, 0.0)
            if row.get("source") == CHILD or max(ended or 0.0, at) < newest - LATELY:
                continue
            status, why = ("ended", "ended") if ended else ("idle", "messages")
            changes.append(Status(name, ended or at, status, why, live=False))
        return changes


def _less(one: Sums, other: Sums) -> Sums:
    """What one sum has beyond another."""
    return Sums(*(max(0, a - b) for a, b in zip(one, other, strict=True)))


def _rows(store: Store, table: str, wanted: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a table, None for columns that this version does not have."""
    there = store.columns(table)
    names = [name for name in (*wanted, *SUMS) if name in there]
    if not names:
        return
    for row in store.db.execute(f"SELECT {', '.join(names)} FROM {table}"):  # noqa: S608
        yield dict(zip(names, row, strict=True))


def _last_messages(store: Store) -> dict[str, float]:
    """Session → the time of its newest message."""
    if not {"session_id", "timestamp"} <= store.columns("messages"):
        return {}
    rows = store.db.execute("SELECT session_id, max(timestamp) FROM messages GROUP BY session_id")
    return {str(session): at for session, moment in rows if (at := epoch(moment))}


def _key(row: Row) -> str:
    parts = ("session_id", "model", "task", "billing_provider", "billing_base_url", "billing_mode")
    return "|".join(str(row.get(part) or "") for part in parts)


def _beyond(own: Sums, main: Sums) -> Sums:
    """What a session's own sums have beyond its rows; UNKNOWN where it does not say its own."""
    return Sums(*(UNKNOWN if a == UNKNOWN else max(0, a - b) for a, b in zip(own, main, strict=True)))


def _settled(before: Sums, now: Sums) -> Sums:
    """The sums with what is unknown as it was before. An estimate below the real cost of before is no new session."""
    now = known(before, now)
    if now.nano_usd < before.nano_usd and now.tokens >= before.tokens:
        return now._replace(nano_usd=before.nano_usd)
    return now


def _sums(row: Row) -> Sums:
    usd = UNKNOWN if row.get("cost_source") in (None, "none") else nano(row.get("estimated_cost_usd"))
    calls, fresh, output, read, written, reasoning = (running(row.get(name)) for name in SUMS)
    actual = nano(row.get("actual_cost_usd"))
    return Sums(calls, fresh, output, read, written, reasoning, actual if actual > 0 else usd)
