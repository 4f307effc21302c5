"""What was applied, and what it saved since: the record of `install.advised` beside the history. Prints nothing."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from aitop.advice import measured, record
from aitop.advice.measured import Measured, Verdict
from aitop.advice.settings import CLIENT
from aitop.install import advised
from aitop.install.advised import Applied
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.segments import money
from aitop.segments.money import Currency

MEANING: dict[Verdict, str] = {
    "waiting": "It is measured after a week",
    "too few days": f"Too few days to say: it takes {measured.LEAST_DAYS} with such work before and since",
    "unclear": "Not certain yet: the interval holds zero",
    "nothing": "It saved nothing and is withdrawn",
}


class Result(NamedTuple):
    """One rule that was applied: its settings, one for each folder, and what it saved so far."""

    rule: str
    at: float
    settings: tuple[Applied, ...]
    measured: Measured | None
    verdict: Verdict


def results(db: sqlite3.Connection, book: advised.Book, now: float) -> list[Result]:
    """Every rule that is in force, the oldest first."""
    groups: dict[tuple[float, str], list[Applied]] = {}
    for entry in book.in_force():
        groups.setdefault((entry.at, entry.rule), []).append(entry)
    return [
        _result(db, rule, at, entries, _start(book, rule, at), now)
        for (at, rule), entries in sorted(groups.items())
    ]


def can_be_measured(at: float, now: float) -> bool:
    """Whether what was applied at that moment is in force for long enough."""
    return now - at >= measured.WEEK * measured.DAY


def not_offered(book: advised.Book) -> set[str]:
    """Rules that are in force, or that were taken out because they saved nothing."""
    return {entry.rule for entry in book.applied if entry.undone_at is None or entry.withdrawn}


def _start(book: advised.Book, rule: str, at: float) -> float:
    """The first moment of the days before: without the days of an earlier try of the same rule."""
    undone = [entry.undone_at for entry in book.applied if entry.rule == rule and entry.undone_at is not None]
    return max([at - measured.BEFORE_DAYS * measured.DAY, *(end for end in undone if end <= at)])


def _result(
    db: sqlite3.Connection, rule: str, at: float, entries: Iterable[Applied], start: float, now: float
) -> Result:
    unit = measured.UNITS.get(rule)
    saved = None
    if unit is not None and can_be_measured(at, now):
        until = min(now, at + measured.AFTER_DAYS * measured.DAY)
        sessions = (one for one in record.sessions(db, start, until) if one.provider == CLIENT)
        saved = measured.measure(*measured.days(unit, sessions, start, at, until))
    return Result(rule, at, tuple(entries), saved, measured.verdict(saved, at, now))


def published(one: Result) -> JsonObject:
    """A result as JSON: money in USD, times in epoch seconds."""
    saved = one.measured
    return {
        "rule": one.rule,
        "applied_at": one.at,
        "settings": [
            {"path": entry.path, "setting": entry.name, "value": entry.value} for entry in one.settings
        ],
        "verdict": one.verdict,
        "unit": measured.UNITS[one.rule].what if one.rule in measured.UNITS else None,
        "measured": saved
        and {
            "days_before": saved.days_before,
            "days_since": saved.days_after,
            "cost_usd": _usd(saved.cost),
            "expected_usd": _usd(saved.expected),
            "saving_usd": _usd(saved.saving),
            "saving_low_usd": _usd(saved.low),
            "saving_high_usd": _usd(saved.high),
            "not_compared_usd": _usd(saved.left_out),
        },
        "undo": undo_command(one.rule),
    }


def shown(one: Result, currency: Currency) -> str:
    """A result for a person."""
    lines = [
        f"{one.rule}: applied {day(one.at)}",
        *(f"  {e.name} = {e.value} in {e.path}" for e in one.settings),
    ]
    if one.measured is not None:
        lines.append(f"  {_sentence(one, one.measured, currency)}.")
    if one.verdict in MEANING:
        lines.append(f"  {MEANING[one.verdict]}.")
    lines.append(f"  Undo:  {undo_command(one.rule)}")
    return "\n".join(lines)


def _sentence(one: Result, saved: Measured, currency: Currency) -> str:
    def usd(picodollars: float) -> str:
        sign = "-" if picodollars < 0 else ""
        return sign + money.text(abs(picodollars) / PICO, currency)

    share = abs(saved.saving) / saved.expected * 100
    first = "Saved" if saved.saving >= 0 else "Cost more by"
    low, high = (saved.low, saved.high) if saved.saving >= 0 else (-saved.high, -saved.low)
    left = f"; {usd(saved.left_out)} went to models that were not used before" if saved.left_out else ""
    return (
        f"{first} {usd(abs(saved.saving))} in {saved.days_after} days ({share:.0f} %; 95 % interval: {usd(low)} to "
        f"{usd(high)}), by the cost of {measured.UNITS[one.rule].what} in {saved.days_before} days before{left}"
    )


def day(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d")  # noqa: DTZ006 - the reader's own time


def undo_command(rule: str) -> str:
    return f"aitop advise --undo {rule}"


def _usd(picodollars: float) -> float:
    return round(picodollars / PICO, 6)
