"""The price table: package snapshot, refreshed file and the user's own prices, merged once.

Immutable: a new price means a new table, with a new `fingerprint` by which the history knows to price
again. Reads the two files it is handed and nothing else. A broken refreshed file never stops anyone:
the snapshot holds, and `problem` says what to do.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from aitop import paths
from aitop.pricing import normalise, rows
from aitop.pricing.rows import Model, PriceRow, Rates, Step
from aitop.system.digest import blake2b

SNAPSHOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prices.json")
STALE_AFTER = 90 * 86_400.0
RULES = "2"  # part of the fingerprint: raise it when cost.py counts differently
LARGE_CONTEXT = 1_000_000
USUAL_CACHE = {"cache_read": (1, 10), "cache_write_5m": (5, 4), "cache_write_1h": (2, 1)}  # Claude's, × input


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All rows that apply, found by id; `compiled` is cost.py's own memory of rows already looked up."""

    models: Mapping[str, Model]
    as_of: str
    source: str
    fingerprint: str
    problem: str | None = None
    compiled: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def find(self, model: str) -> Model | None:
        """The model of an id, exactly (after normalising); None when the table does not have it."""
        for name in (*normalise.spellings(model), *normalise.looser_spellings(model)):
            exact = self.models.get(name)
            if exact is not None:
                return exact
        return None

    def family(self, word: str) -> tuple[Model, ...]:
        """All models of a Claude family, oldest first; one without a release day is the oldest."""
        names = {model.name: model for model in self.models.values() if normalise.family(model.name) == word}
        return tuple(sorted(names.values(), key=lambda model: (model.released, model.name)))

    def versions(self, wanted: normalise.Family) -> tuple[Model, ...]:
        """The models of another vendor's family, by their versions."""
        by_name: dict[str, tuple[tuple[int, ...], Model]] = {}
        for model in self.models.values():
            own = normalise.versioned_family(model.name)
            if own is not None and own.name == wanted.name:
                by_name[model.name] = (own.version, model)
        return tuple(model for _, model in sorted(by_name.values(), key=lambda one: (one[0], one[1].name)))

    def nearest_version(self, wanted: normalise.Family) -> Model | None:
        """The newest model of a family that is not newer than the wanted one, else the oldest."""
        members = self.versions(wanted)
        not_newer = [
            model
            for model in members
            if (own := normalise.versioned_family(model.name)) and own.version <= wanted.version
        ]
        return not_newer[-1] if not_newer else next(iter(members), None)

    def context_window(self, model: str) -> int | None:
        """Tokens a model can hold, None where that is unknown; an unknown id has its family's newest."""
        if model.rstrip().lower().endswith("[1m]"):
            return LARGE_CONTEXT
        listed = self.find(model)
        if listed is None:
            word = normalise.family(model)
            members = self.family(word) if word else ()
            wanted = normalise.versioned_family(model)
            listed = members[-1] if members else self.nearest_version(wanted) if wanted else None
        return listed.context if listed else None

    def stale(self, now: float) -> bool:
        """Whether these prices were last checked over 90 days ago."""
        return now - rows.epoch(self.as_of) > STALE_AFTER


def load(
    overrides: Mapping[str, Mapping[str, Any]] | None = None, refreshed_file: str | None = None
) -> PriceTable:
    """The table that applies: the user's own price > the refreshed file > the package's snapshot."""
    with open(SNAPSHOT, "rb") as file:
        data = orjson.loads(file.read())
    models = rows.parse_models(data, data["source"])
    as_of, source = data["as_of"], data["source"]
    problem = None
    if refreshed_file:
        try:
            newer = read_refreshed(refreshed_file)
        except rows.PriceDataError as error:
            newer, problem = None, f"{refreshed_file}: {error}; run `aitop prices update --force`"
        if newer is not None:
            _merge(models, newer.models)
            if newer.as_of >= as_of:
                as_of, source = newer.as_of, newer.source
    by_id = _by_id(models)
    for name, body in (overrides or {}).items():
        _override(by_id, name, body)
    return PriceTable(by_id, as_of, source, _fingerprint(by_id), problem)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What an earlier refresh left: only the rows in which it differs from the package's."""

    models: Mapping[str, Model]
    as_of: str
    source: str
    checked_at: float


def read_refreshed(path: str) -> Refreshed | None:
    """The refreshed file, None when there is none. Raises PriceDataError."""
    try:
        data = orjson.loads(paths.read(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise rows.PriceDataError(f"cannot be read ({error.strerror})") from error
    except orjson.JSONDecodeError as error:
        raise rows.PriceDataError("is not JSON") from error
    models = rows.parse_models(data, "refreshed")
    as_of, source, checked = data.get("as_of"), data.get("source"), data.get("checked_at")
    try:
        rows.epoch(as_of)
    except (TypeError, ValueError):
        raise rows.PriceDataError("has no as_of date") from None
    checked_at = float(checked) if isinstance(checked, int | float) else 0.0
    return Refreshed(models, as_of, str(source), checked_at)


def _merge(models: dict[str, Model], newer: Mapping[str, Model]) -> None:
    """Add the newer rows; on the same day the newer one stands. No row is ever removed."""
    for name, model in newer.items():
        earlier = models.get(name)
        if earlier is None:
            models[name] = model
            continue
        by_day = {row.start: row for row in earlier.rows} | {row.start: row for row in model.rows}
        merged = tuple(by_day[day] for day in sorted(by_day))
        models[name] = earlier._replace(rows=merged, context=earlier.context or model.context)


def _by_id(models: Mapping[str, Model]) -> dict[str, Model]:
    """Every id → its model; a model's own id wins over another's alias."""
    aliases = {alias: model for model in models.values() for alias in model.also}
    return aliases | dict(models)


def _override(by_id: dict[str, Model], name: str, body: Mapping[str, Any]) -> None:
    """The user's own row: from its day on (or always) the only one, without tiers or fast mode."""
    key = normalise.normalise(name)
    listed = next((by_id[spelling] for spelling in normalise.spellings(name) if spelling in by_id), None)
    start = str(body["from"]) if body.get("from") else ""
    row = PriceRow(start, (Step(0, _own_rates(name, body, listed, start)),), source="your configuration")
    earlier = tuple(old for old in listed.rows if start and old.start < start) if listed else ()
    own = Model(key, listed.provider if listed else "", (*earlier, row), listed.context if listed else None)
    for spelling in {key, normalise.spellings(name)[0]}:
        by_id[spelling] = own._replace(released=listed.released if listed else "")


def _own_rates(name: str, body: Mapping[str, Any], listed_model: Model | None, start: str) -> Rates:
    """Cache rates the user left out keep their listed ratio to the input price."""
    fresh = rows.to_pico(f"prices.models.{name}.input", body["input"])
    listed = rows.row_at(listed_model, start or "9999").standard[0].rates if listed_model else None
    filled = {}
    for field_name, (times, by) in USUAL_CACHE.items():
        if field_name in body:
            filled[field_name] = rows.to_pico(f"prices.models.{name}.{field_name}", body[field_name])
            continue
        if listed and listed.input:
            times, by = getattr(listed, field_name), listed.input  # noqa: PLW2901
        elif not normalise.is_claude(name):
            times, by = 1, 1  # noqa: PLW2901
        filled[field_name] = (2 * fresh * times + by) // (2 * by)
    return Rates(fresh, rows.to_pico(f"prices.models.{name}.output", body["output"]), **filled)


def _fingerprint(by_id: Mapping[str, Model]) -> str:
    """Of everything that can change a cost, and of nothing else (not of sources or days of checking)."""
    rows_text: dict[int, str] = {}  # a model stands under each of its names: its rows are written out once
    priced = []
    for name, model in sorted(by_id.items()):
        text = rows_text.get(id(model))
        if text is None:
            text = rows_text[id(model)] = repr(
                [(row.start, row.standard, row.fast, row.priority, row.off_peak) for row in model.rows]
            )
        priced.append(f"({name!r}, {model.released!r}, {text})")
    return blake2b(f"{RULES}[{', '.join(priced)}]".encode(), digest_size=8).hexdigest()
