"""The fleet's totals as lines of text. Pure. Old numbers say how old they are; unknown ones are `-`."""

from collections.abc import Callable, Mapping

from aitop.model.json_types import JsonObject

HEADS = ("today", "month", "all", "requests")
OLD_SECONDS = 300.0
SHOWN = 15
Money = Callable[[float | None], str]
Table = Callable[[list[tuple[str, ...]], str, tuple[str, ...]], list[str]]


def lines(totals: JsonObject, now: float, groups: tuple[str, ...], money: Money, table: Table) -> list[str]:
    """`groups`: what to break down by, each of `queries.GROUPS`; with `host` the stale machines are marked."""
    out = [title(totals, money), *trouble(totals, now)]
    for group in groups:
        rows = [_row(row, _mark(totals, group, row, now), money) for row in totals.get(group) or ()]
        if not rows:
            continue
        more = [f"  and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
        out += ["", *table(rows[:SHOWN], "lrrrr", (group, *HEADS)), *more]
    limits = totals.get("limits") or []
    if limits and "host" in groups:
        rows = [
            (name(" ".join(str(one.get(key) or "") for key in ("user", "provider", "account", "limit"))),
             f"{one['used_percent']:.0f} %", _left(one.get("resets_at"), now))
            for one in limits
        ]  # fmt: skip
        out += ["", *table(rows, "lrr", ("limit", "used", "resets in"))]
    return out


def credits_text(of: Mapping[str, float | None]) -> str:
    """Each client's credits by themselves; `-` where they are unknown."""
    return ", ".join(
        f"{name(client)} {'-' if credits_ is None else f'{credits_:,.1f}'}"
        for client, credits_ in sorted(of.items())
    )


def title(totals: JsonObject, money: Money) -> str:
    machines = totals.get("machines") or []
    away = sum(1 for one in machines if one.get("stale"))
    return (
        f"fleet: {money(totals.get('today_usd'))} today, {money(totals.get('month_usd'))} this month, "
        f"{money(totals.get('total_usd'))} in all; {len(machines)} machines"
        + (f", {away} away" if away else "")
    )


def trouble(totals: JsonObject, now: float) -> list[str]:
    at = totals.get("at")
    out = [f"! {totals['problem']}"] if totals.get("problem") else []
    if at is None:
        return [*out, "! nothing is known of the fleet yet"]
    if now - at > OLD_SECONDS:
        out.append(f"! these numbers are {span(now - at)} old")
    if not totals.get("recorded"):
        out.append(
            "! the recording rules are not loaded (`aitop export rules`): machines that are away are left out"
        )
    return out


def _row(row: JsonObject, mark: str, money: Money) -> tuple[str, ...]:
    requests = row.get("requests")
    return (
        name(str(row.get("name") or "-")) + mark,
        *(money(row.get(f"{key}_usd")) for key in ("today", "month", "total")),
        "-" if requests is None else f"{requests:,}",
    )


def _mark(totals: JsonObject, group: str, row: JsonObject, now: float) -> str:
    """How long a machine has been away, where all of this name are."""
    if group != "host":
        return ""
    mine = [one for one in totals.get("machines") or () if one.get("host") == row.get("name")]
    if not mine or not all(one.get("stale") for one in mine):
        return ""
    seen = max((one["seen_at"] for one in mine if one.get("seen_at")), default=None)
    return f" (away {span(now - seen)})" if seen else " (away for more than a day)"


def name(text: str) -> str:
    clean = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return clean if len(clean) <= 40 else clean[:39] + "…"


def _left(resets_at: object, now: float) -> str:
    return span(resets_at - now) if isinstance(resets_at, int | float) else "-"


def span(seconds: float) -> str:
    """A time in words: 5 min, 3 h, 2 d."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
