"""Writing one commit's worth of changes, inside the caller's transaction."""

import json
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from aitop.history import columns
from aitop.history.rows import CountedResponse, Evidence, File, Session, pack_modifiers
from aitop.history.write.load import EVIDENCE, FILE, RESPONSE, SESSION, TOOL, Names, Tool
from aitop.model.events import Limit
from aitop.model.sums import ZERO, Sum, plus

DAY = 86_400  # seconds of a UTC day
MAX_INTEGER = (1 << 63) - 1  # what a column holds
NO_MODEL = 0  # what tool calls belong to
QuarterKey = tuple[int, int, int, int]  # quarter hour, session, model, place


class Pending:
    """What `apply` gathered since the last commit."""

    def __init__(self) -> None:
        self.rows: dict[int, CountedResponse] = {}
        self.copies: dict[int, dict[int, Evidence]] = {}  # response → file → what it says
        self.aliases: dict[int, int] = {}
        self.tools: dict[int, Tool] = {}
        self.agents: list[tuple[int, str]] = []
        self.limits: dict[tuple[str, str, str], Limit] = {}
        self.inherited: set[tuple[str, str]] = set()  # sessions that hold copies of others' responses
        self.side_calls: dict[tuple[int, int, int], int] = {}  # (session, model, second) → picodollars
        self.quarters: dict[QuarterKey, Sum] = {}
        self.tool_quarters: dict[tuple[int, int, str], list[int]] = {}
        self.totals_written = False  # the sums of all sessions together stand in the open transaction already

    def anything(self) -> bool:
        return any(
            (self.rows, self.aliases, self.tools, self.agents, self.limits, self.quarters, self.tool_quarters)
        )

    def size(self) -> int:
        return len(self.rows) + len(self.tools)

    def add(self, key: QuarterKey, value: Sum) -> None:
        """Move one quarter hour's sum; tool counts have a table of their own."""
        so_far = self.quarters.get(key)
        self.quarters[key] = value if so_far is None else plus(so_far, value)

    def add_tool(self, quarter: int, session: int, name: str, calls: int, failures: int) -> None:
        counts = self.tool_quarters.setdefault((quarter, session, name), [0, 0])
        counts[0] += calls
        counts[1] += failures


def everything(db: sqlite3.Connection, out: Pending, files: list[File], names: Names) -> None:
    """Write all rows but the sessions; `sums` moves the sums, and `sessions` comes last."""
    _put(db, "file", FILE, (_file(file) for file in files))
    _put(db, "response", RESPONSE, (_response(row, names) for row in out.rows.values()))
    _put(db, "copy", f"response, {EVIDENCE}", _copies(out, names))
    # in the order of their keys: a large commit then walks the tree once instead of jumping about in it
    _put(db, "alias", "key, response", sorted(out.aliases.items()))
    _put(db, "tool", TOOL, ((key, *_tool(out.tools[key])) for key in sorted(out.tools)))
    _put(db, "agent", "session, agent", out.agents)
    limits(db, out.limits.values())


def new_names(db: sqlite3.Connection, names: Names) -> None:
    """Write the models and places that rows name for the first time."""
    _put(db, "model", "id, name", names.models.fresh())
    _put(db, "place", "id, cwd, branch", ((i, p.cwd, p.branch or "") for i, p in names.places.fresh()))


def sessions(db: sqlite3.Connection, changed: list[Session]) -> None:
    """Write the facts and totals of sessions."""
    _put(db, "session", SESSION, (_session(session) for session in changed))
    for session in changed:
        session.dirty = False


def merge(db: sqlite3.Connection, out: Pending, kept: int, gone: int) -> None:
    """Two responses turned out to be one. Written at once, so that no lookup finds the one that is gone."""
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
        session = sessions.get((provider, name))
        if session is None:
            continue
        session.totals_moved = True
        session.inherited = db.execute(
            "SELECT ifnull(sum(r.cost), 0) FROM file f "
            "JOIN copy c ON c.file = f.id JOIN response r ON r.id = c.response "
            "WHERE f.session = ? AND f.agent IS NULL AND r.session != ?",
            (name, session.id),
        ).fetchone()[0]
        db.execute("UPDATE session SET inherited = ? WHERE id = ?", (session.inherited, session.id))


_LIMIT = "provider, account, name, window_minutes, used_percent, resets_at, source, seen_at"


def _put(db: sqlite3.Connection, table: str, columns: str, values: Iterable[tuple[object, ...]]) -> None:
    marks = ",".join("?" * (columns.count(",") + 1))
    db.executemany(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", values)  # noqa: S608


def limits(db: sqlite3.Connection, limits: Iterable[Limit]) -> None:
    """Write limits as they count; `ledger.limit` decided which word on each that is."""
    _put(db, "usage_limit", _LIMIT, (_limit(limit) for limit in limits))


def sums(db: sqlite3.Connection, out: Pending, provider_of: Callable[[int], str]) -> None:
    """Move the sums of every grain by the same differences."""
    by_day = _folded(out.quarters, _day)
    tools_by_day = _tools_folded(out.tool_quarters, _day)
    _add(db, "quarter", "at, session, model, place", columns.BY_MODEL, out.quarters)
    _add(db, "day_sum", "at, session, model, place", columns.BY_MODEL, by_day)
    _add(db, "session_sum", "session, model, place", columns.BY_MODEL, _folded(by_day, lambda _, *rest: rest))
    if not out.totals_written:
        totals(db, out, provider_of)
    out.totals_written = False
    for table, calls_by in (("quarter_tool", out.tool_quarters), ("day_tool", tools_by_day)):
        db.executemany(
            f"INSERT INTO {table} (at, session, name, calls, failures) VALUES (?, ?, ?, ?, ?) "  # noqa: S608
            "ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, failures = failures + excluded.failures",
            sorted((*key, *value) for key, value in calls_by.items() if any(value)),
        )


def totals(db: sqlite3.Connection, out: Pending, provider_of: Callable[[int], str]) -> None:
    """Move the sums of all sessions together."""
    of_all: dict[tuple[int, str, int], Sum] = _folded(
        out.quarters, lambda at, session, model, _: (at, provider_of(session), model)
    )
    for (at, session, _), (calls, failures) in out.tool_quarters.items():
        key = (at, provider_of(session), NO_MODEL)
        of_all[key] = plus(of_all.get(key, ZERO), Sum(tool_calls=calls, tool_failures=failures))
    _add(db, "quarter_all", "at, provider, model", columns.STORED, of_all)
    _add(db, "day_all", "at, provider, model", columns.STORED, _folded(of_all, _day))
    out.totals_written = True


def _day(at: int, *rest: Any) -> tuple[Any, ...]:
    return (at // DAY * DAY, *rest)


def side_calls(db: sqlite3.Connection, moved: dict[tuple[int, int, int], int]) -> None:
    """Move what is untracked of each session, model and second."""
    db.executemany(
        "INSERT INTO side_call (session, model, at, picodollars) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET picodollars = picodollars + excluded.picodollars",
        ((*key, amount) for key, amount in moved.items() if amount),
    )
    db.executemany(
        "DELETE FROM side_call WHERE session = ? AND model = ? AND at = ? AND picodollars = 0", list(moved)
    )


def _add(
    db: sqlite3.Connection, table: str, key: str, summed: tuple[tuple[str, str], ...], rows: dict[Any, Sum]
) -> None:
    """Add to the rows of one table of sums, in the order of its key."""
    change = ", ".join(f"{name} = {name} + excluded.{name}" for name, _ in summed)
    marks = ",".join("?" * (key.count(",") + 1 + len(summed)))
    values = columns.by_model if summed is columns.BY_MODEL else columns.stored
    db.executemany(
        f"INSERT INTO {table} ({key}, {columns.names(summed)}) VALUES ({marks}) "  # noqa: S608
        f"ON CONFLICT DO UPDATE SET {change}",
        ((*at, *_held(values(rows[at]))) for at in sorted(rows) if any(rows[at])),
    )


def _folded(rows: dict[Any, Sum], key: Callable[..., Any]) -> dict[Any, Sum]:
    """The same differences by a coarser key."""
    sums: dict[Any, Sum] = {}
    for fine, value in rows.items():
        coarse = key(*fine)
        so_far = sums.get(coarse)
        sums[coarse] = value if so_far is None else plus(so_far, value)
    return sums


def _tools_folded(rows: dict[Any, list[int]], key: Callable[..., Any]) -> dict[Any, list[int]]:
    """The same for tool calls."""
    by_key: dict[Any, list[int]] = {}
    for fine, (calls, failures) in rows.items():
        counts = by_key.setdefault(key(*fine), [0, 0])
        counts[0] += calls
        counts[1] += failures
    return by_key


def _held(values: Iterable[int]) -> Iterable[int]:
    """As much of each as a column holds; only damaged files lead to more."""
    values = tuple(values)
    if min(values) >= -MAX_INTEGER and max(values) <= MAX_INTEGER:
        return values
    return [min(max(value, -MAX_INTEGER), MAX_INTEGER) for value in values]


def _copies(out: Pending, names: Names) -> Iterable[tuple[object, ...]]:
    for response, versions in out.copies.items():
        for evidence in versions.values():
            yield (response, *_evidence(evidence, names))


def _evidence(e: Evidence, names: Names) -> tuple[object, ...]:
    return (e.at, names.model(e.model), *e.usage[:7], pack_modifiers(e.usage), e.stop_reason, e.visible, e.agent,
            e.paying, e.file, e.end, e.duration_ms, e.ttft_ms, e.billed, e.claimed, names.place(e.place),
            e.credits)  # fmt: skip


def _response(row: CountedResponse, names: Names) -> tuple[object, ...]:
    return (row.id, row.session, *_evidence(row.evidence, names), row.cost, row.basis, row.incomplete, row.copied,
            row.message_key, row.request_key)  # fmt: skip


def _file(f: File) -> tuple[object, ...]:
    return (f.id, f.provider, f.path, f.session, f.agent, f.first_at, f.device, f.inode, f.size, f.mtime_ns, f.offset,
            f.tail, f.bad_lines, f.pending)  # fmt: skip


def _tool(t: Tool) -> tuple[object, ...]:
    return t.session, t.name, t.at, t.from_file, t.used, t.result_at, t.client_ms, t.failed


def _session(s: Session) -> tuple[object, ...]:
    return (s.id, s.provider, s.name, s.cwd, s.branch, s.model, s.tag, s.pid, s.pane, s.info_at, s.started_at,
            s.last_at, s.status, s.status_at, s.status_live, s.compactions,
            json.dumps(s.stop_reasons, separators=(",", ":")) if s.stop_reasons else "{}",
            s.client_cost, s.client_api_ms, s.inherited,
            s.context_tokens, s.context_at, s.window(), s.timings.packed(), s.client_at, s.client_base or None,
            s.packed_models(), s.began_by,
            *_held(columns.stored(s.total)))  # fmt: skip


def _limit(limit: Limit) -> tuple[object, ...]:
    return (limit.provider, limit.account or "", *limit[2:])
