"""Which advice a setting of Claude Code follows, and what it would really save.

A rule is here when the client documents a setting that does what the rule advises, and when the setting can be seen to
take effect in the client's requests. Pure: findings and settings in, the wanted setting out.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from aitop.advice import what_if
from aitop.advice.finding import Finding, Hit
from aitop.advice.record import Record
from aitop.model.json_types import JsonObject
from aitop.pricing.table import PriceTable

CLIENT = "claude-code"  # these are the settings of this provider
LONG_CONTEXT = "[1m]"  # how a setting asks for the long context of a model
# The id of a snapshot. Clouds spell theirs otherwise.
_DATE = re.compile(r"^(claude-[a-z0-9-]+?)-20\d{6}$")


class Wanted(NamedTuple):
    """A value at a place of settings.json. `conflict`: a sibling that contradicts it."""

    keys: tuple[str, ...]
    value: str
    conflict: str | None = None


class Setting(NamedTuple):
    """What follows one rule's advice. `wanted` gives None where the file has nothing that it could change.

    `warning`: what else the setting does, in a sentence. `net`: picodollars that it saves in one session, where that
    is not what the rule finds. `moved`: the hits that it brings in one file, where those are not all. `difference`: why
    its saving is another than the rule's.
    """

    rule: str
    wanted: Callable[[Finding, JsonObject], Wanted | None]
    warning: str
    net: Callable[[Record, PriceTable], int] | None = None
    moved: Callable[[Finding, JsonObject], list[Hit]] = lambda finding, _: list(finding.hits)
    difference: str = ""


def _all_agents(record: Record, table: PriceTable) -> int:
    """The setting moves every sub-agent, also those that cost less already."""
    saved = 0
    for call in record.agents():
        name = what_if.newest(table, what_if.SMALLER, call.at) if call.priced else None
        if name is not None:
            saved += call.cost - what_if.priced(table, call, call.usage._replace(speed=""), name)
    return saved


def _successor(finding: Finding, settings: JsonObject) -> Wanted | None:
    """The newer model in the place of the older one that the file pins."""
    hits = _pinned(finding, settings)
    if not hits:
        return None
    pinned = settings["model"]
    return Wanted(("model",), _newer(hits[0]) + pinned[len(pinned.removesuffix(LONG_CONTEXT)) :])


def _pinned(finding: Finding, settings: JsonObject) -> list[Hit]:
    """The hits of the one move, from the model that the file pins, that saves most; none where it pins no older one."""
    pinned = settings.get("model")
    if not isinstance(pinned, str):
        return []
    model, moves = _undated(pinned.removesuffix(LONG_CONTEXT)), dict[str, list[Hit]]()
    for hit in finding.hits:
        if _undated(hit.about.partition(" to ")[0]) == model:
            moves.setdefault(_newer(hit), []).append(hit)
    return max((moves[name] for name in sorted(moves)), key=_total, default=[])


def _undated(model: str) -> str:
    """An id without its date: a response names the snapshot, a setting may name either."""
    return _DATE.sub(r"\1", model)


def _newer(hit: Hit) -> str:
    return hit.about.partition(" to ")[2]


def _total(hits: Iterable[Hit]) -> int:
    return sum(hit.saving for hit in hits)


def _variable(name: str, value: str, conflict: str | None = None) -> Callable[[Finding, JsonObject], Wanted]:
    return lambda *_: Wanted(("env", name), value, conflict)


SETTINGS = (
    Setting(
        "subagent-model",
        _variable("CLAUDE_CODE_SUBAGENT_MODEL", what_if.SMALLER),
        "It holds for every sub-agent, also for one that names a model of its own",
        _all_agents,
        difference="the setting also moves the sub-agents that cost less already",
    ),
    Setting(
        "older-model",
        _successor,
        "A session that is started with --model or $ANTHROPIC_MODEL keeps its own",
        moved=_pinned,
        difference="the setting moves only the model that it pins",
    ),
    Setting(
        "short-cache",
        _variable("ENABLE_PROMPT_CACHING_1H", "1", "FORCE_PROMPT_CACHING_5M"),
        "It holds for sub-agents too, and their writes become dearer",
    ),
    Setting(
        "hour-cache",
        _variable("FORCE_PROMPT_CACHING_5M", "1", "ENABLE_PROMPT_CACHING_1H"),
        "It holds for every session",
    ),
)
BY_RULE = {setting.rule: setting for setting in SETTINGS}


def brought(setting: Setting, finding: Finding, files: Sequence[JsonObject]) -> Finding:
    """The finding with the hits alone that the setting brings in these files. Its words tell of no other."""
    moved = {hit for data in files for hit in setting.moved(finding, data)}
    if len(moved) == len(set(finding.hits)):
        return finding
    hits = tuple(hit for hit in finding.hits if hit in moved)
    return finding._replace(hits=hits, saving=_total(hits), words=finding.rule.say(hits))


def net(
    setting: Setting, finding: Finding, sessions: Callable[[], Iterable[Record]], table: PriceTable
) -> int:
    """Picodollars that the setting would have saved in these sessions; below the finding where it moves more."""
    if setting.net is None:
        return finding.saving
    return sum(setting.net(record, table) for record in sessions())
