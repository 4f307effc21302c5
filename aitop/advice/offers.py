"""What applying a finding would change: the files, the saving that is left, and what is in the way.

`aitop advise` prints a command only where `aitop advise --apply` has a change to offer, so both ask here. Reads the
client's settings; writes and prints nothing.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from aitop.advice import all_rules, record, settings
from aitop.advice.finding import Finding
from aitop.advice.record import Record
from aitop.advice.settings import CLIENT, Setting
from aitop.install import advised, files, roots
from aitop.install.advised import Change
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.pricing.table import PriceTable


class SettingsFiles(NamedTuple):
    """The client's settings by path, and of each file that cannot be read why (with its line)."""

    data: dict[str, JsonObject]
    unreadable: list[str]


class Offer(NamedTuple):
    """The part of a finding that its setting brings, what it saves (picodollars), and what it changes."""

    part: Finding
    setting: Setting
    changes: list[Change]
    saving: int


class Answer(NamedTuple):
    """What applying one finding comes to. `notes` say why nothing is offered, `in_the_way` what must be mended."""

    offer: Offer | None
    notes: list[str]
    in_the_way: list[str]


def settings_files() -> SettingsFiles:
    """The settings in each of the client's folders."""
    data, unreadable = {}, []
    for root in roots.chosen(()):
        path = os.path.join(root, "settings.json")
        try:
            data[path] = advised.parsed(path, files.text_of(path, files.read(path)))
        except files.Refused as error:
            unreadable.append(str(error))
    return SettingsFiles(data, unreadable)


def commands(
    db: sqlite3.Connection, findings: Sequence[Finding], sessions: Callable[[], Iterable[Record]],
    table: PriceTable, least_usd: float, book: advised.Book,
) -> tuple[dict[str, str], list[str]]:  # fmt: skip
    """Rule → the command that applies its advice, where that would change something now; and the unreadable files.

    The findings and sessions may be those of all clients.
    """
    in_force = {entry.rule for entry in book.in_force()}
    followed = [one for one in findings if one.rule.id in settings.BY_RULE and one.rule.id not in in_force]
    if not followed:
        return {}, []
    data, unreadable = settings_files()
    mine, by_rule = record.names(db, CLIENT), {}
    for one in followed if data else ():
        part = all_rules.finding(one.rule, (hit for hit in one.hits if hit.session in mine), least_usd)
        setting = settings.BY_RULE[one.rule.id]
        if part and answer(part, setting, data, lambda: of_client(sessions()), table, least_usd).offer:
            by_rule[one.rule.id] = f"aitop advise --apply --rule {one.rule.id}"
    return by_rule, unreadable


def of_client(sessions: Iterable[Record]) -> Iterable[Record]:
    """The sessions of the client that these settings belong to."""
    return (one for one in sessions if one.provider == CLIENT)


def answer(
    one: Finding, setting: Setting, data: dict[str, JsonObject], sessions: Callable[[], Iterable[Record]],
    table: PriceTable, least_usd: float,
) -> Answer:  # fmt: skip
    """What applying a finding of the client's own sessions comes to. `sessions` reads those, one at a time."""
    least = max(least_usd * PICO, 1)
    if settings.net(setting, one, sessions, table) < least:
        note = f"{one.rule.id}: not offered. {setting.warning}: altogether it would save nothing."
        return Answer(None, [note], [])
    changes, notes, in_the_way = _planned(setting, one, data)
    if not changes:
        return Answer(None, notes, in_the_way)
    part = settings.brought(setting, one, [data[change.path] for change in changes])
    saving = settings.net(setting, part, sessions, table)
    if saving < least:
        notes.append(f"{one.rule.id}: not offered. The setting alone would save too little to be worth it.")
        return Answer(None, notes, in_the_way)
    return Answer(Offer(part, setting, changes, saving), notes, in_the_way)


def _planned(
    setting: Setting, one: Finding, data: dict[str, JsonObject]
) -> tuple[list[Change], list[str], list[str]]:
    """The changes in each file, what stands there already, and what is in their way."""
    changes, notes, in_the_way = [], [], []
    for path, values in data.items():
        wanted = setting.wanted(one, values)
        if wanted is None:
            continue
        try:
            change = advised.plan(setting.rule, path, wanted.keys, wanted.value, wanted.conflict)
        except files.Refused as error:
            in_the_way.append(f"{setting.rule}: {error}")
            continue
        if change.diff:
            changes.append(change)
        else:
            notes.append(f"{setting.rule}: {path} says {'.'.join(change.keys)} = {change.value} already")
    return changes, notes, in_the_way
