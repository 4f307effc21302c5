"""Newer prices from LiteLLM's published file, or from a URL or file of the user's.

The refreshed file holds only rows in which the source differs from what was known, each from the day it
was seen: the past is never priced again, no row is removed, announced prices stay. A file that cannot be
right is refused whole. This is the only module of the room that reaches the network or writes, and it
imports what that needs when it is called.
"""

import datetime as dt
import os
import tempfile
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import orjson

from aitop.pricing import litellm_prices, normalise, rows, table
from aitop.pricing.litellm_prices import Offer
from aitop.pricing.rows import Model, PriceRow, Step

DAY = 86_400.0
SIZE_LIMIT = 32 * 1024 * 1024  # LiteLLM's file has 3 MB
TIMEOUT = 20.0  # seconds for a connection and for each read
LOCK_WAIT = 30.0
CHUNK = 1 << 16
NEEDED = ("opus", "sonnet", "haiku")  # a file without one of them has lost its Claude models
KNOWN_SHARE = 3  # and so has one with less than a third of the Claude models known
LARGEST_CHANGE = 10  # a known Claude price that moved further than this is a slip of the unit


class RefreshError(Exception):
    """Why prices were not refreshed, and what to do; the prices in force stay as they are."""


class Result(NamedTuple):
    """What a refresh did: "updated" or "fresh" (read less than a day ago, nothing done)."""

    outcome: str
    as_of: str
    source: str
    checked_at: float
    models: int = 0  # priced models in the source
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def update(source: str, target: str, *, now: float, force: bool = False, timeout: float = TIMEOUT) -> Result:
    """Read `source` ("litellm", a URL or a file) and write what differs to `target`. Raises RefreshError."""
    import filelock

    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    lock = filelock.FileLock(f"{target}.lock", timeout=LOCK_WAIT, mode=0o600)
    try:
        with lock:
            return _update(source, target, now, force, timeout)
    except filelock.Timeout as error:
        raise RefreshError(f"another update holds {target}.lock; try again when it is done") from error


def is_due(target: str, now: float) -> bool:
    """Whether a daily refresh should look again: the last look is a day old, or there was none."""
    try:
        earlier = table.read_refreshed(target)
    except rows.PriceDataError:
        return True
    return earlier is None or not 0 <= now - earlier.checked_at < DAY


def _update(source: str, target: str, now: float, force: bool, timeout: float) -> Result:
    place = litellm_prices.URL if source == "litellm" else source
    try:
        earlier = table.read_refreshed(target)
    except rows.PriceDataError:
        earlier = None  # a broken file is what this is about to replace
    recent = earlier is not None and 0 <= now - earlier.checked_at < DAY and earlier.source == source
    if earlier is not None and recent and not force:
        return Result("fresh", earlier.as_of, source, earlier.checked_at)
    today = dt.datetime.fromtimestamp(now, dt.UTC).date().isoformat()
    offered, as_of = _parse(_fetch(place, timeout), place, today)
    in_force = table.load({}, target if earlier is not None else None)
    _check(offered, in_force, today, place)
    news = dict(earlier.models) if earlier else {}
    changed, added = _compare(offered, in_force, today, news)
    head = {"as_of": as_of, "source": source, "checked_at": now, "unit": "USD per million tokens"}
    _write(target, rows.encode(head, news.values()))
    return Result("updated", as_of, source, now, len(offered), tuple(changed), tuple(added))


# --- reading ------------------------------------------------------------------------------------


def _fetch(place: str, timeout: float) -> bytes:
    """The bytes at a URL or in a file, at most SIZE_LIMIT."""
    scheme = place.partition("://")[0].lower() if "://" in place else ""
    try:
        if scheme in ("http", "https"):
            raw = _download(place, timeout)
        elif scheme in ("", "file"):
            with open(_path(place), "rb") as file:
                raw = file.read(SIZE_LIMIT + 1)
        else:
            raise RefreshError(f"{place}: only https, http and file addresses can be read")
    except OSError as error:  # URLError and timeouts are OSErrors
        reason = getattr(error, "reason", None) or error.strerror or error
        raise RefreshError(
            f"{place}: cannot be read: {reason}; check the connection or name another --source"
        ) from error
    if len(raw) > SIZE_LIMIT:
        raise RefreshError(f"{place}: larger than {SIZE_LIMIT >> 20} MB, which no price file is")
    return raw


def _path(place: str) -> str:
    if "://" not in place:
        return os.path.expanduser(place)
    import urllib.parse

    return urllib.parse.unquote(place[len("file://") :])


def _download(url: str, timeout: float) -> bytes:
    import http.client
    import time
    import urllib.error
    import urllib.request

    from aitop import __version__

    deadline = time.monotonic() + 6 * timeout  # a server that drips bytes must end too
    request = urllib.request.Request(url, headers={"User-Agent": f"aitop/{__version__}"})  # noqa: S310
    raw = bytearray()
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            while len(raw) <= SIZE_LIMIT:
                chunk = answer.read(CHUNK)
                if not chunk:
                    return bytes(raw)
                raw += chunk
                if time.monotonic() > deadline:
                    raise RefreshError(f"{url}: too slow; try again later or name another --source")
    except urllib.error.HTTPError as error:
        with error:  # it holds the connection
            raise RefreshError(f"{url}: the server says {error.code} {error.reason}") from None
    except (http.client.HTTPException, ValueError) as error:
        raise RefreshError(f"{url}: the answer broke off or is not HTTP ({error})") from error
    return bytes(raw)


def _parse(raw: bytes, place: str, today: str) -> tuple[dict[str, Offer], str]:
    """The models in either format, and the day they speak of."""
    try:
        data: Any = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise RefreshError(f"{place}: is not JSON ({error}); is it the address of the raw file?") from error
    try:
        if litellm_prices.looks_like(data):
            return litellm_prices.read(data), today
        models = rows.parse_models(data, "")
        as_of = str(data.get("as_of") or today)
        rows.epoch(as_of)
    except ValueError as error:  # PriceDataError, or an as_of that is no date
        raise RefreshError(f"{place}: {error}") from error
    return {name: Offer(model) for name, model in models.items()}, min(as_of, today)


# --- judging ------------------------------------------------------------------------------------


def _check(offered: Mapping[str, Offer], in_force: table.PriceTable, today: str, place: str) -> None:
    """Refuse a file that lost its Claude models or has prices out of all proportion."""
    refused = f"{place}: refused, nothing was changed:"
    families = {normalise.family(name) for name in offered}
    missing = [word for word in NEEDED if word not in families]
    if missing:
        raise RefreshError(f"{refused} it has no Claude {' and no '.join(missing)} model")
    ours = {model.name: model for model in in_force.models.values() if model.provider == "anthropic"}
    theirs = {model.name: offer for name, offer in offered.items() if (model := in_force.find(name))}
    shared = sorted(ours.keys() & theirs.keys())
    if len(shared) * KNOWN_SHARE < len(ours):
        raise RefreshError(f"{refused} it has only {len(shared)} of the {len(ours)} known Claude models")
    for name in shared:
        old = rows.row_at(ours[name], today).standard[0].rates
        new = rows.row_at(theirs[name].model, today).standard[0].rates
        for rate, before, after in zip(old._fields, old, new, strict=True):
            if rate in theirs[name].silent:
                continue
            if not before <= after * LARGEST_CHANGE or not after <= before * LARGEST_CHANGE:
                raise RefreshError(
                    f"{refused} {name} {rate} would go from ${rows.to_usd(before)} to "
                    f"${rows.to_usd(after)} per million tokens"
                )


def _compare(
    offered: Mapping[str, Offer], in_force: table.PriceTable, today: str, news: dict[str, Model]
) -> tuple[list[str], list[str]]:
    """Put into `news` what the offer has and we do not; returns the ids changed and added."""
    changed, added = [], []
    for name, offer in sorted(offered.items()):
        ours = in_force.find(name)
        if ours is None:
            fresh = _new_model(offer.model, today)
            news.setdefault(fresh.name, fresh)
            added.append(fresh.name)
            continue
        plain = normalise.normalise(ours.name)
        speaks_for_it = name == ours.name or (name == plain and ours.name not in offered)
        if not speaks_for_it or offer.model.provider not in ("", ours.provider):
            continue
        fresh_rows = _new_rows(ours, offer, today)
        if fresh_rows:
            have = {row.start: row for row in news[ours.name].rows} if ours.name in news else {}
            have |= {row.start: row for row in fresh_rows}
            news[ours.name] = ours._replace(rows=tuple(have[day] for day in sorted(have)), also=())
            changed.append(ours.name)
    return changed, added


def _new_model(model: Model, today: str) -> Model:
    """A model that was unknown: its rows as offered, the first from today. A Claude id loses its date."""
    first, *later = model.rows
    start = first.start or (today if not later or today < later[0].start else "")
    dated = (first._replace(start=start), *later)
    marked = tuple(row._replace(source=row.source or f"refreshed {today}") for row in dated)
    name = normalise.normalise(model.name) if normalise.is_claude(model.name) else model.name
    return model._replace(name=name, rows=marked, released=model.released or dated[0].start)


def _new_rows(ours: Model, offer: Offer, today: str) -> list[PriceRow]:
    """A row from today on where the offer differs now, and announced rows that we lack."""
    old, new = rows.row_at(ours, today), rows.row_at(offer.model, today)
    if offer.partial:
        new = _completed(old, new, offer.silent)
    new_rows = []
    if new._replace(start="", source="") != old._replace(start="", source=""):
        new_rows.append(new._replace(start=today, source=new.source or f"refreshed {today}"))
    days = {row.start for row in ours.rows}
    announced = [row for row in offer.model.rows if row.start > today and row.start not in days]
    return new_rows + [row._replace(source=row.source or f"refreshed {today}") for row in announced]


def _completed(old: PriceRow, new: PriceRow, silent: tuple[str, ...]) -> PriceRow:
    """What a partial source leaves out keeps its proportion to the price it states."""
    before, after = old.standard[0].rates, new.standard[0].rates
    kept = {
        rate: round(Fraction(getattr(before, rate) * after.input, before.input))
        for rate in silent
        if before.input
    }
    after = after._replace(**kept)
    scaled = rows.rescale(old.standard, before, after)
    steps = new.standard[1:] or scaled[1:]
    if len(steps) == len(scaled) - 1:  # one says "over 199,999" where the other says "above 200k"
        steps = tuple(
            Step(mine.over if abs(mine.over - step.over) <= 1 else step.over, step.rates)
            for step, mine in zip(steps, scaled[1:], strict=True)
        )
        if silent:
            steps = tuple(
                step._replace(
                    rates=step.rates._replace(**{rate: getattr(mine.rates, rate) for rate in silent})
                )
                for step, mine in zip(steps, scaled[1:], strict=True)
            )
    fast, priority = rows.rescale(old.fast, before, after), rows.rescale(old.priority, before, after)
    off_peak = old.off_peak and old.off_peak._replace(
        schedule=rows.rescale(old.off_peak.schedule, before, after)
    )
    return PriceRow(new.start, (Step(0, after), *steps), fast, priority, off_peak=new.off_peak or off_peak)


def _write(target: str, text: bytes) -> None:
    """Whole or not at all: a temporary file in the same folder, then a rename."""
    folder = os.path.dirname(target)
    handle, path = tempfile.mkstemp(prefix=".prices-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, target)
    except BaseException:
        if os.path.exists(path):
            os.unlink(path)
        raise
