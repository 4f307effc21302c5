"""Writing one commit's worth of changes, inside the caller's transaction."""

import json
import sqlite3
from collections.abc import Iterable

from aitop.history import columns
from aitop.history.rows import Evidence, File, Row, Session, pack_modifiers
from aitop.history.write.load import EVIDENCE, FILE, SESSION, TOOL, Models, Tool
from aitop.model.events import Limit
from aitop.model.sums import ZERO, Sum, plus

DAY = 86_400  # seconds of a UTC day
MOST = (1 << 63) - 1  # what a column holds


class Pending:
    """What `apply` gathered since the last commit."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.copies: dict[int, dict[int, Evidence]] = {}  # response → file → what it says
        self.aliases: dict[int, int] = {}
        self.tools: dict[int, Tool] = {}
        self.agents: list[tuple[int, str]] = []
        self.limits: dict[tuple[str, str, str], Limit] = {}
        self.inherited: set[tuple[str, str]] = set()  # sessions that hold copies of others' responses
        self.quarters: dict[tuple[int, int, int], Sum] = {}
        self.tool_quarters: dict[tuple[int, int, str], list[int]] = {}

    def anything(self) -> bool:
        return any((self.rows, self.aliases, self.tools, self.agents, self.limits, self.quarters))

    def size(self) -> int:
        return len(self.rows) + len(self.tools)

    def add(self, quarter: int, session: int, model: int, value: Sum) -> None:
        """Move one quarter hour's sum; tool counts have a table of their own."""
        key = (quarter, session, model)
        known = self.quarters.get(key)
        self.quarters[key] = value if known is None else plus(known, value)

    def add_tool(self, quarter: int, session: int, name: str, calls: int, failures: int) -> None:
        known = self.tool_quarters.setdefault((quarter, session, name), [0, 0])
        known[0] += calls
        known[1] += failures


def everything(
    db: sqlite3.Connection, out: Pending, files: list[File], sessions: list[Session], models: Models
) -> None:
    """Write it all; the order matters to nobody but the reader of a half-written trace."""
    _put(db, "file", FILE, (_file(file) for file in files))
    _put(db, "response", _RESPONSE, (_response(row, models) for row in out.rows.values()))
    _put(db, "copy", f"response, {EVIDENCE}", _copies(out, models))
    # in the order of their keys: a large commit then walks the tree once instead of jumping about in it
    _put(db, "alias", "key, response", sorted(out.aliases.items()))
    _put(db, "tool", TOOL, ((key, *_tool(out.tools[key])) for key in sorted(out.tools)))
    _put(db, "session", SESSION, (_session(session) for session in sessions))
    _put(db, "agent", "session, agent", out.agents)
    _limits(db, out.limits.values())
    _sums(db, out)
    _put(db, "model", "id, name", models.fresh())
    for session in sessions:
        session.dirty = False


def merge(db: sqlite3.Connection, out: Pending, kept: int, gone: int) -> None:
    """Two responses turned out to be one. At once, so that nobody finds the one that is gone."""
    db.execute("UPDATE alias SET response = ? WHERE response = ?", (kept, gone))
    db.execute("DELETE FROM response WHERE id = ?", (gone,))
    db.execute("DELETE FROM copy WHERE response = ?", (gone,))
    out.rows.pop(gone, None)
    out.copies.pop(gone, None)


def inherited(
    db: sqlite3.Connection, holders: Iterable[tuple[str, str]], sessions: dict[tuple[str, str], Session]
) -> None:
    """What a forked session copied and another one paid: its client counts it again, we do not."""
    for provider, name in holders:
        known = sessions.get((provider, name))
        if known is None:
            continue
        known.inherited = db.execute(
            "SELECT ifnull(sum(r.cost), 0) FROM file f "
            "JOIN copy c ON c.file = f.id JOIN response r ON r.id = c.response "
            "WHERE f.session = ? AND f.agent IS NULL AND r.session != ?",
            (name, known.id),
        ).fetchone()[0]
        db.execute("UPDATE session SET inherited = ? WHERE id = ?", (known.inherited, known.id))


_RESPONSE = f"id, session, {EVIDENCE}, cost, basis, incomplete, copies, message_id, request_id, record_id"
_LIMIT = "provider, account, name, window_minutes, used_percent, resets_at, source, seen_at"


def _put(db: sqlite3.Connection, table: str, columns: str, values: Iterable[tuple[object, ...]]) -> None:
    marks = ",".join("?" * (columns.count(",") + 1))
    db.executemany(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", values)  # noqa: S608


def _limits(db: sqlite3.Connection, limits: Iterable[Limit]) -> None:
    """The newest word on a limit stays, in whatever order files are read."""
    names = _LIMIT.split(", ")
    change = ", ".join(f"{name} = excluded.{name}" for name in names[3:])
    db.executemany(
        f"INSERT INTO usage_limit ({_LIMIT}) VALUES ({','.join('?' * len(names))}) "  # noqa: S608
        f"ON CONFLICT DO UPDATE SET {change} WHERE excluded.seen_at >= seen_at",
        [_limit(limit) for limit in limits],
    )


def _sums(db: sqlite3.Connection, out: Pending) -> None:
    """Move the quarter hours' and the days' sums by the same differences."""
    add = ", ".join(f"{name} = {name} + excluded.{name}" for name, _ in columns.BY_MODEL)
    marks = ",".join("?" * (3 + len(columns.BY_MODEL)))
    for table, rows in (("quarter", out.quarters), ("day_sum", _days(out.quarters))):
        db.executemany(
            f"INSERT INTO {table} (at, session, model, {columns.BY_MODEL_NAMES}) VALUES ({marks}) "  # noqa: S608
            f"ON CONFLICT DO UPDATE SET {add}",
            ((*key, *_held(columns.by_model(value))) for key, value in rows.items() if any(value)),
        )
    for table, calls in (("quarter_tool", out.tool_quarters), ("day_tool", _tool_days(out.tool_quarters))):
        db.executemany(
            f"INSERT INTO {table} (at, session, name, calls, failures) VALUES (?, ?, ?, ?, ?) "  # noqa: S608
            "ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, failures = failures + excluded.failures",
            ((*key, *value) for key, value in calls.items() if any(value)),
        )


def _held(values: Iterable[int]) -> Iterable[int]:
    """As much of each as a column holds; only damaged files lead to more."""
    return [min(max(value, -MOST), MOST) for value in values]


def _days(quarters: dict[tuple[int, int, int], Sum]) -> dict[tuple[int, int, int], Sum]:
    """The same differences by whole UTC day."""
    found: dict[tuple[int, int, int], Sum] = {}
    for (at, session, model), value in quarters.items():
        key = (at // DAY * DAY, session, model)
        found[key] = plus(found.get(key, ZERO), value)
    return found


def _tool_days(quarters: dict[tuple[int, int, str], list[int]]) -> dict[tuple[int, int, str], list[int]]:
    """The same for tool calls."""
    found: dict[tuple[int, int, str], list[int]] = {}
    for (at, session, name), (calls, failures) in quarters.items():
        known = found.setdefault((at // DAY * DAY, session, name), [0, 0])
        known[0] += calls
        known[1] += failures
    return found


def _copies(out: Pending, models: Models) -> Iterable[tuple[object, ...]]:
    for response, versions in out.copies.items():
        for evidence in versions.values():
            yield (response, *_evidence(evidence, models))


def _evidence(e: Evidence, models: Models) -> tuple[object, ...]:
    return (e.at, models.id(e.model), *e.usage[:7], pack_modifiers(e.usage), e.stop_reason, e.visible, e.agent,
            e.paying, e.file, e.end, e.duration_ms, e.ttft_ms, e.billed)  # fmt: skip


def _response(row: Row, models: Models) -> tuple[object, ...]:
    return (row.id, row.session, *_evidence(row.evidence, models), row.cost, row.basis, row.incomplete, row.copied,
            row.message_id, row.request_id, row.record_id)  # fmt: skip


def _file(f: File) -> tuple[object, ...]:
    return (f.id, f.provider, f.path, f.session, f.agent, f.first_at, f.device, f.inode, f.size, f.mtime_ns, f.offset,
            f.tail, f.bad_lines, f.pending)  # fmt: skip


def _tool(t: Tool) -> tuple[object, ...]:
    return t.session, t.name, t.at, t.from_file, t.used, t.result_at, t.client_ms, t.failed


def _session(s: Session) -> tuple[object, ...]:
    return (s.id, s.provider, s.name, s.cwd, s.branch, s.model, s.tag, s.pid, s.pane, s.info_at, s.started_at,
            s.last_at, s.status, s.status_at, s.status_live, s.compactions,
            json.dumps(s.stop_reasons, separators=(",", ":")), s.client_cost, s.client_api_ms, s.inherited,
            s.context_tokens, s.context_at, s.context_limit, s.timings.packed(),
            *_held(columns.stored(s.total)))  # fmt: skip


def _limit(limit: Limit) -> tuple[object, ...]:
    return (limit.provider, limit.account or "", *limit[2:])
