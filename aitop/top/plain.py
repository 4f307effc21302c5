"""The whole screen as plain text: what is spent, in three windows, and everything about it.

Pure: published state in, rows and lines out. `rows` is what `top --once --json` prints, so a number
is a number there and an unknown is null; `lines` is the same for eyes, an unknown is `-`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aitop.segments import details, fields, humanize, money
from aitop.segments.text import cells, clean, cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.model.json_types import JsonObject

WINDOWS = ("1m", "5m", "15m")
PERIODS = (("today", "today"), ("week", "week"), ("month", "month"), ("since_start", "since start"))
# key in W, label, how it is shown
METRICS = (
    ("requests", "requests", "count"),
    ("requests_per_minute", "requests/min", "rate"),
    ("errors", "errors", "count"),
    ("error_rate", "error rate", "share"),
    ("input_tokens", "input", "count"),
    ("output_tokens", "output", "count"),
    ("tokens_per_minute", "tokens/min", "count"),
    ("cache_read_tokens", "cache read", "count"),
    ("cache_write_tokens", "cache write", "count"),
    ("cache_hit_rate", "cache hits", "share"),
    ("cost_usd", "spent", "exact"),
    ("cost_usd_per_hour", "spent/hour", "money"),
    ("tool_calls", "tool calls", "count"),
    ("tool_failures", "failed tools", "count"),
)
# shown where anything was timed
TIMINGS = (
    ("duration_p50_ms", "latency p50", "took"),
    ("duration_p95_ms", "latency p95", "took"),
    ("ttft_p50_ms", "ttft p50", "took"),
    ("ttft_p95_ms", "ttft p95", "took"),
    ("output_tokens_per_second_p50", "tok/s p50", "rate"),
    ("output_tokens_per_second_p95", "tok/s p95", "rate"),
)
TOTALS = frozenset(
    {"requests", "errors", "input_tokens", "output_tokens", "cache_read_tokens", "cost_usd", "tool_calls"}
)
LABEL_WIDTH, COLUMN_WIDTH = 15, 14
SESSIONS_SHOWN = 20
# head, width in cells; negative: set to the right
SESSION_COLUMNS = (
    ("status", 8), ("session", 34), ("spent", -13), ("req", -6), ("input", -7), ("output", -7), ("ctx", -5),
    ("last", -5), ("model", 24),
)  # fmt: skip
TOOL_COLUMNS = (("tool", 28), ("calls", -9), ("failed", -9), ("p50 ms", -9), ("p95 ms", -9))


def rows(state: JsonObject) -> list[JsonObject]:
    """One row a metric: its name, label and value in each window."""
    windows = fields.table(state.get("windows"))
    shown = []
    for key, label, _ in METRICS + TIMINGS:
        row: JsonObject = {"metric": key, "label": label}
        row |= {name: humanize.number(fields.table(windows.get(name)).get(key)) for name in WINDOWS}
        shown.append(row)
    return shown


def lines(state: JsonObject, width: int) -> list[str]:
    """The screen, each line at most `width` cells."""
    blocks = [
        [_title(state)],
        _windows(state),
        _periods(state),
        _context(state),
        _limits(state),
        _sessions(state),
        _tools(state),
        [f"! {clean(row.get('text'), 120)}" for row in fields.rows(state.get("alerts"))],
        notes(state),
    ]
    texts: list[str] = []
    for block in blocks:
        if block:
            texts += ([""] if texts else []) + block
    return [cut(line.rstrip(), width) for line in texts]


def shown(state: JsonObject, sums: JsonObject, key: str, kind: str) -> str:
    """One number of a sum as the table shows it."""
    value = _spent(sums, key)
    if kind == "exact":
        return money.of(state, value, sums, exact=True)
    if kind == "money":
        return money.of(state, value, sums)
    return {"count": humanize.count, "rate": humanize.rate, "share": humanize.share, "took": humanize.took}[
        kind
    ](value)


def _spent(sums: JsonObject, key: str) -> object:
    """A sum's number; money is what was spent, side calls of the client included."""
    if key == "cost_usd":
        return money.spent(sums)
    counted, whole, hourly = (
        humanize.number(value) for value in (sums.get("cost_usd"), sums.get("spent_usd"), sums.get(key))
    )
    if key == "cost_usd_per_hour" and hourly and counted and whole is not None:
        return hourly * whole / counted
    return sums.get(key)


def timed(windows: Iterable[JsonObject]) -> list[tuple[str, str, str]]:
    """The latencies that any of these windows knows."""
    published = list(windows)
    return [row for row in TIMINGS if any(humanize.number(w.get(row[0])) is not None for w in published)]


def _columns(label: str, values: list[str]) -> str:
    return pad(label, LABEL_WIDTH) + "".join(pad(value, COLUMN_WIDTH, right=True) for value in values)


def pad(text: str, width: int, *, right: bool = False) -> str:
    room = " " * max(0, width - cells(text))
    return room + text if right else text + room


def _title(state: JsonObject) -> str:
    active = humanize.number(state.get("active_sessions")) or 0
    level = fields.overall(state)
    noun = "session" if active == 1 else "sessions"
    return f"aitop  {int(active)} active {noun}" + ("" if level == "ok" else f"  {level}")


def _windows(state: JsonObject) -> list[str]:
    windows = fields.table(state.get("windows"))
    sums = [fields.table(windows.get(name)) for name in WINDOWS]
    texts = [_columns("", list(WINDOWS))]
    for key, label, kind in (*METRICS, *timed(sums)):
        texts.append(_columns(label, [shown(state, window, key, kind) for window in sums]))
    return texts


def _periods(state: JsonObject) -> list[str]:
    sums = [fields.table(state.get(name)) for name, _ in PERIODS]
    texts = [_columns("", [label for _, label in PERIODS])]
    for key, label, kind in METRICS:
        if key in TOTALS:
            texts.append(_columns(label, [shown(state, period, key, kind) for period in sums]))
    return texts


def _context(state: JsonObject) -> list[str]:
    context = fields.table(state.get("context"))
    used = humanize.size(context.get("tokens"))
    if used == humanize.UNKNOWN:
        gauge = used
    else:
        gauge = f"{used} / {humanize.size(context.get('limit'))} ({humanize.percent(context.get('percent'))})"
    texts = [f"context: {gauge}", f"compactions: {humanize.count(state.get('compactions'))}"]
    reasons = fields.table(state.get("stop_reasons"))
    for reason, many in sorted(reasons.items(), key=lambda item: (-(humanize.number(item[1]) or 0), item[0])):
        warning = "  !" if reason == "max_tokens" else ""
        texts.append(f"stop: {clean(reason, 30)} {humanize.count(many)}{warning}")
    return texts


def _limits(state: JsonObject) -> list[str]:
    written = humanize.number(state.get("written_at")) or 0.0
    texts = [*details.limits(state, written), *details.budgets(state, written)]
    return [*texts, *details.forecast(state), *details.plan(state)]


def _sessions(state: JsonObject) -> list[str]:
    written = humanize.number(state.get("written_at")) or 0.0
    texts = []
    for row in fields.rows(state.get("sessions"))[:SESSIONS_SHOWN]:
        name, branch = clean(row.get("project"), 24) or clean(row.get("id"), 8), clean(row.get("branch"), 16)
        last = humanize.number(row.get("last_activity_at"))
        texts.append(
            _row(
                SESSION_COLUMNS,
                clean(row.get("status"), 8),
                f"{name} ({branch})" if branch else name,
                money.of(state, money.spent(row), fields.session_sums(state, row), exact=True),
                humanize.count(row.get("requests")),
                humanize.count(row.get("input_tokens")),
                humanize.count(row.get("output_tokens")),
                humanize.percent(row.get("context_percent")),
                humanize.age(None if last is None else written - last),
                fields.short_model(row.get("model")),
            )
        )
    return [_row(SESSION_COLUMNS, *(head for head, _ in SESSION_COLUMNS)), *texts] if texts else []


def _row(columns: tuple[tuple[str, int], ...], *texts: str) -> str:
    """Cells side by side; a negative width sets its column to the right."""
    return " ".join(
        pad(cut(text, abs(width)), abs(width), right=width < 0)
        for text, (_, width) in zip(texts, columns, strict=True)
    )


def _tools(state: JsonObject) -> list[str]:
    tools = {name: fields.table(row) for name, row in fields.table(state.get("tools")).items()}
    order = sorted(tools.items(), key=lambda item: (-(humanize.number(item[1].get("calls")) or 0), item[0]))
    texts = []
    for name, row in order[:10]:
        values = (humanize.count(row.get(key)) for key in ("calls", "failures", "p50_ms", "p95_ms"))
        texts.append(_row(TOOL_COLUMNS, clean(name, 28), *values))
    return [_row(TOOL_COLUMNS, *(head for head, _ in TOOL_COLUMNS)), *texts] if texts else []


def notes(state: JsonObject) -> list[str]:
    """What the numbers do not include: history not read yet, prices that are missing or old."""
    prices, scan = fields.table(state.get("prices")), fields.table(state.get("scan"))
    texts = []
    if scan.get("complete") is False:
        done, total = (humanize.number(scan.get(f"{name}_bytes")) or 0 for name in ("done", "total"))
        share = humanize.share(done / total if total else 0)
        texts.append(f"reading history: {share}; older sums still grow")
    for key, text in (("unpriced_models", "no price for"), ("estimated_models", "priced by family (~)")):
        models = prices.get(key)
        if isinstance(models, list) and models:
            texts.append(f"{text}: {', '.join(clean(model, 40) for model in models)}")
    if prices.get("stale") is True:
        texts.append(
            f"prices are of {clean(prices.get('as_of'), 10)}: refresh them with `aitop prices update`"
        )
    return texts + details.coverage(state)
