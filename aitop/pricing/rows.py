"""Prices as data: rates, rows with a first day, models; and their JSON form.

The JSON form (prices.json in the package, the refreshed file, a file of the user's) holds USD per
million tokens, as price pages do. In memory a rate is a whole number of picodollars per token, so
that sums are exact: 1 USD per million tokens is 1,000,000. No file is opened here.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import orjson

from aitop.model.json_types import JsonObject

PICO_PER_MTOK = 1_000_000  # picodollars per token in one USD per million tokens
_HOURS = re.compile(r"^([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)$")
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
DAY = 86_400
_NUMBERS = (int, float)
HIGHEST = 10_000  # USD per million tokens; anything above is a slip of the unit
FORMAT = 1


class PriceDataError(ValueError):
    """A price file that cannot be right, said so that its author can mend it."""


class Rates(NamedTuple):
    """Picodollars per token."""

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int


class Step(NamedTuple):
    """The rates of all tokens of a request with a whole prompt longer than `over` tokens."""

    over: int
    rates: Rates


Schedule = tuple[Step, ...]  # ascending; the first step is `over` 0


class Hours(NamedTuple):
    """A part of some days of the week, UTC; `ends` before `begins` is on the day after."""

    begins: int  # second of the day
    ends: int
    weekdays: tuple[int, ...] = EVERY_DAY  # ISO: 1 is Monday

    def hold(self, at: float) -> bool:
        """Whether they hold at an epoch second."""
        day, second = divmod(at, DAY)
        today = (int(day) + 3) % 7 + 1  # 1970-01-01 was a Thursday
        if self.begins < self.ends:
            return today in self.weekdays and self.begins <= second < self.ends
        yesterday = (today + 5) % 7 + 1
        return (today in self.weekdays and second >= self.begins) or (
            yesterday in self.weekdays and second < self.ends
        )


class OffPeak(NamedTuple):
    """Other rates at certain hours."""

    hours: tuple[Hours, ...]
    schedule: Schedule

    def holds(self, at: float) -> bool:
        """Whether they hold at an epoch second."""
        return any(hours.hold(at) for hours in self.hours)


class PriceRow(NamedTuple):
    """The prices of one model from one day (UTC) on, until its next row."""

    start: str  # ISO date, "" for the beginning
    standard: Schedule
    fast: Schedule = ()
    priority: Schedule = ()
    source: str = ""
    off_peak: OffPeak | None = None


class Model(NamedTuple):
    """One model: its rows, oldest first."""

    name: str
    provider: str
    rows: tuple[PriceRow, ...]
    context: int | None = None
    released: str = ""
    also: tuple[str, ...] = ()  # other ids of the same model


SHORT = ("in", "out", "cr", "w5", "w1")


def row_at(model: Model, day: str) -> PriceRow:
    """The row valid on an ISO day; before the first row, the first."""
    in_force = model.rows[0]
    for row in model.rows:
        if row.start <= day:
            in_force = row
    return in_force


def epoch(day: str) -> float:
    """The first second of an ISO day, UTC."""
    return (dt.date.fromisoformat(day).toordinal() - 719_163) * 86_400.0


def rescale(schedule: Schedule, old: Rates, new: Rates) -> Schedule:
    """A schedule that stood to `old` as the result stands to `new`, rate by rate."""
    return tuple(
        Step(
            step.over,
            Rates(
                *(
                    round(Fraction(rate * after, before)) if before else after
                    for rate, before, after in zip(step.rates, old, new, strict=True)
                )
            ),
        )
        for step in schedule
    )


# --- JSON form → data ---------------------------------------------------------------------------


def parse_models(data: object, source: str) -> dict[str, Model]:
    """The models of a file in our format. Raises PriceDataError naming the place."""
    if not isinstance(data, dict) or not isinstance(data.get("models"), dict):
        raise PriceDataError('not a price file: no "models" in it')
    if data.get("format") != FORMAT:
        raise PriceDataError(
            f"price format {data.get('format')!r} is not known here (this version reads {FORMAT})"
        )
    return {name: parse_model(name, body, source) for name, body in data["models"].items()}


def parse_model(name: str, body: object, source: str) -> Model:
    if not isinstance(body, dict) or not isinstance(body.get("rows"), list) or not body["rows"]:
        raise PriceDataError(f"{name}: needs rows")
    rows = [_row(f"{name}.rows[{number}]", row, source) for number, row in enumerate(body["rows"])]
    starts = [row.start for row in rows]
    if starts != sorted(set(starts)):
        raise PriceDataError(f"{name}: rows must have different days, oldest first")
    context, also, released = body.get("context"), body.get("also", []), body.get("released", "")
    if context is not None and (not isinstance(context, int) or isinstance(context, bool) or context <= 0):
        raise PriceDataError(f"{name}.context: must be a number of tokens")
    if not isinstance(also, list) or not all(isinstance(item, str) for item in also):
        raise PriceDataError(f"{name}.also: must be a list of ids")
    provider = body.get("provider", "")
    return Model(name, str(provider), tuple(rows), context, _day(f"{name}.released", released), tuple(also))


def _row(place: str, row: object, source: str) -> PriceRow:
    if not isinstance(row, dict):
        raise PriceDataError(f"{place}: must be an object")
    return PriceRow(
        _day(f"{place}.from", row.get("from", "")),
        parse_schedule(place, row),
        parse_schedule(f"{place}.fast", row["fast"]) if "fast" in row else (),
        parse_schedule(f"{place}.priority", row["priority"]) if "priority" in row else (),
        str(row.get("source", source)),
        _off_peak(f"{place}.off_peak", row["off_peak"]) if "off_peak" in row else None,
    )


def _off_peak(place: str, body: object) -> OffPeak:
    if not isinstance(body, dict) or not isinstance(body.get("hours"), list) or not body["hours"]:
        raise PriceDataError(f"{place}: needs hours, a list")
    return OffPeak(tuple(_hours(f"{place}.hours", one) for one in body["hours"]), parse_schedule(place, body))


def _hours(place: str, body: object) -> Hours:
    if not isinstance(body, dict):
        raise PriceDataError(f"{place}: each needs utc, and may have weekdays")
    return hours(place, body.get("utc"), body.get("weekdays"))


def hours(place: str, span: object, weekdays: object = None) -> Hours:
    """Hours such as "16:30-00:30" (UTC) of ISO weekdays (None: every day). Raises PriceDataError."""
    match = _HOURS.match(span) if isinstance(span, str) else None
    if match is None:
        raise PriceDataError(f'{place}: {span!r} is not a span such as "16:30-00:30" (UTC)')
    if weekdays is not None and (not isinstance(weekdays, list) or not {*weekdays} <= {*EVERY_DAY}):
        raise PriceDataError(f"{place}: {weekdays!r} are not weekdays (1 is Monday)")
    begins, ends = (60 * (60 * int(match[n]) + int(match[n + 1])) for n in (1, 3))
    return Hours(begins, ends or DAY, tuple(weekdays) if weekdays is not None else EVERY_DAY)


def parse_schedule(place: str, body: object) -> Schedule:
    if not isinstance(body, dict):
        raise PriceDataError(f"{place}: must be an object")
    steps = [Step(0, _rates(place, body))]
    tiers = body.get("over", [])
    if not isinstance(tiers, list):
        raise PriceDataError(f"{place}.over: must be a list")
    for tier in tiers:
        tokens = tier.get("tokens") if isinstance(tier, dict) else None
        if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens <= steps[-1].over:
            raise PriceDataError(f"{place}.over: needs tokens, rising")
        steps.append(Step(tokens, _rates(f"{place}.over", tier)))
    return tuple(steps)


def _rates(place: str, body: Mapping[str, Any]) -> Rates:
    """Missing cache rates: a cached token costs what a fresh one does, a long write what a short one does."""
    if "in" not in body or "out" not in body:
        raise PriceDataError(f"{place}: needs in and out (USD per million tokens)")
    fresh = to_pico(place, body["in"], ".in")
    write = to_pico(place, body["w5"], ".w5") if "w5" in body else fresh
    return Rates(
        fresh,
        to_pico(place, body["out"], ".out"),
        to_pico(place, body["cr"], ".cr") if "cr" in body else fresh,
        write,
        to_pico(place, body["w1"], ".w1") if "w1" in body else write,
    )


def to_pico(place: str, usd_per_mtok: Any, part: str = "") -> int:
    """USD per million tokens → picodollars per token. `place` and `part` name it in an error, and only there."""
    right = isinstance(usd_per_mtok, _NUMBERS) and not isinstance(usd_per_mtok, bool)
    if not right or not 0 <= usd_per_mtok <= HIGHEST:
        raise PriceDataError(
            f"{place}{part}: {usd_per_mtok!r} is not a price (USD per million tokens, 0 to {HIGHEST})"
        )
    pico: int = round(usd_per_mtok * PICO_PER_MTOK)
    return pico


def _day(place: str, value: Any) -> str:
    if value in ("", None):
        return ""
    try:
        return dt.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise PriceDataError(f'{place}: {value!r} is not a date such as "2026-01-31"') from None


# --- data → JSON form ---------------------------------------------------------------------------


def to_usd(pico: int) -> int | float:
    """Picodollars per token → USD per million tokens, a whole number where it is one."""
    return pico // PICO_PER_MTOK if pico % PICO_PER_MTOK == 0 else pico / PICO_PER_MTOK


def encode(head: Mapping[str, Any], models: Iterable[Model]) -> bytes:
    """A price file: the head, then one model a line in the order of their ids, so that a diff reads well."""
    lines = [
        orjson.dumps(model.name) + b":" + orjson.dumps(_dump_model(model))
        for model in sorted(models, key=lambda model: model.name)
    ]
    opening = orjson.dumps({"format": FORMAT, **head})[:-1]
    return opening + b',"models":{\n' + b",\n".join(lines) + b"\n}}\n"


def _dump_model(model: Model) -> JsonObject:
    body: JsonObject = {"provider": model.provider}
    if model.context:
        body["context"] = model.context
    if model.released:
        body["released"] = model.released
    if model.also:
        body["also"] = sorted(model.also)
    body["rows"] = [_dump_row(row) for row in model.rows]
    return body


def _dump_row(row: PriceRow) -> JsonObject:
    body: JsonObject = {"from": row.start} if row.start else {}
    body |= _dump_schedule(row.standard)
    if row.fast:
        body["fast"] = _dump_schedule(row.fast)
    if row.priority:
        body["priority"] = _dump_schedule(row.priority)
    if row.off_peak:
        body["off_peak"] = {"hours": [_dump_hours(one) for one in row.off_peak.hours],
                            **_dump_schedule(row.off_peak.schedule)}  # fmt: skip
    if row.source:
        body["source"] = row.source
    return body


def _dump_hours(off_peak: Hours) -> JsonObject:
    span = "-".join(
        f"{second // 3600 % 24:02}:{second % 3600 // 60:02}" for second in (off_peak.begins, off_peak.ends)
    )
    return {"utc": span} | ({} if off_peak.weekdays == EVERY_DAY else {"weekdays": list(off_peak.weekdays)})


def _dump_schedule(schedule: Schedule) -> JsonObject:
    body: JsonObject = _dump_rates(schedule[0].rates)
    tiers = [{"tokens": step.over, **_dump_rates(step.rates)} for step in schedule[1:]]
    return body | ({"over": tiers} if tiers else {})


def _dump_rates(rates: Rates) -> dict[str, int | float]:
    """Without the cache rates that reading it back would fill in."""
    body = {short: to_usd(rate) for short, rate in zip(SHORT, rates, strict=True)}
    if rates.cache_write_1h == rates.cache_write_5m:
        del body["w1"]
    if rates.cache_write_5m == rates.input:
        del body["w5"]
    if rates.cache_read == rates.input:
        del body["cr"]
    return body
