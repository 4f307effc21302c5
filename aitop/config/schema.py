"""The configuration's JSON Schema, made from the tables that the reader checks with, for editors to complete.

`aitop config --schema` prints it. Pure: it reads `keys` and the field tables, nothing else.
"""

from aitop.config.budgets_and_tags import BUDGET_FIELDS, PERIODS, TAG_FIELDS
from aitop.config.keys import KEYS, PRICE_FIELDS, PROVIDER_FIELDS, SEGMENT_FIELDS
from aitop.config.tables import HIGHEST_PRICE, NAME
from aitop.model.json_types import JsonObject

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN_KINDS: dict[str, JsonObject] = {
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "number": {"type": "number", "minimum": 0},
    "number or auto": {"anyOf": [{"type": "number", "minimum": 0}, {"const": "auto"}]},
    "positive": {"type": "number", "exclusiveMinimum": 0},
    "port": {"type": "integer", "minimum": 1, "maximum": 65_535},
    "strings": {"type": "array", "items": {"type": "string"}},
}


def schema() -> JsonObject:
    """A JSON Schema (draft 2020-12) of the whole file."""
    properties: JsonObject = {}
    for key in KEYS:
        *tables, name = key.path.split(".")
        fields = properties
        for table in tables:
            fields = fields.setdefault(table, _closed({}))["properties"]
        fields[name] = of_kind(key.kind) | {"description": key.help, "default": key.default}
    upstream = {"type": "string", "pattern": "^https?://"}
    properties["gateway"]["properties"]["upstreams"] = {
        "type": "object",
        "patternProperties": {f"^{NAME.pattern}$": upstream},
        "additionalProperties": False,
    }
    properties["prices"]["properties"]["models"] = _named(_price())
    properties["segments"] = _named(_fields(SEGMENT_FIELDS), NAME.pattern)
    properties["providers"] = _named(_fields(PROVIDER_FIELDS))
    properties["budgets"] = _named(_budget())
    properties["tags"] = _named(_tag())
    return {"$schema": DIALECT, "title": "aitop's configuration", **_closed(properties)}


def of_kind(kind: str) -> JsonObject:
    """The schema of one value: a kind of `keys.Key`."""
    return {"enum": kind.split("|")} if "|" in kind else dict(_PLAIN_KINDS[kind])


def _closed(properties: JsonObject, required: tuple[str, ...] = ()) -> JsonObject:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **needed}


def _named(body: JsonObject, pattern: str | None = None) -> JsonObject:
    """Tables with names that the user chooses."""
    if pattern is None:
        return {"type": "object", "additionalProperties": body}
    return {"type": "object", "patternProperties": {f"^{pattern}$": body}, "additionalProperties": False}


def _fields(kinds: dict[str, str]) -> JsonObject:
    return _closed({name: of_kind(kind) for name, kind in kinds.items()})


def _price() -> JsonObject:
    usd = {"type": "number", "minimum": 0, "maximum": HIGHEST_PRICE, "description": "USD per million tokens"}
    day = {"type": "string", "format": "date", "description": "valid from this day on"}
    return _closed({**dict.fromkeys(PRICE_FIELDS, usd), "from": day}, ("input", "output"))


def _budget() -> JsonObject:
    kinds = {
        "project": "str",
        "tag": "str",
        "limit_usd": "positive",
        "warning": "positive",
        "critical": "positive",
    }
    fields = {name: of_kind(kinds.get(name, "|".join(PERIODS))) for name in BUDGET_FIELDS}
    return _closed(fields, ("period", "limit_usd"))


def _tag() -> JsonObject:
    patterns = {"type": "array", "items": {"type": "string", "minLength": 1}}
    return _closed(dict.fromkeys(TAG_FIELDS, patterns))
