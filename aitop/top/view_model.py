"""What is known: the published numbers, how far they may be believed, what the history answered.

`StateReader` is the one reader of `state.json` here. It looks at the file's stamp first, so a second in which
nothing was published costs one `stat`; the rest is pure.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from aitop import paths
from aitop import state as published
from aitop.history.query.session_detail import Agent, Detail, Mix
from aitop.model.json_types import JsonObject
from aitop.pricing.table import PriceTable
from aitop.segments import fields, humanize
from aitop.segments.text import clean
from aitop.top.past import Past

VERSION = 1  # of the state, as far as this table knows it
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the history and the price table said, as far as they were asked."""

    hourly: Mapping[Key, float] = field(default_factory=dict)
    agents: Mapping[Key, list[Agent]] = field(default_factory=dict)
    details: Mapping[Key, Detail | None] = field(default_factory=dict)
    mixes: Mapping[str, list[Mix]] = field(default_factory=dict)  # by span
    past: Mapping[str, Past] = field(default_factory=dict)  # by reach
    costs: Mapping[str, list[float]] = field(default_factory=dict)  # USD a bar, by chart
    prices: PriceTable | None = None
    day: str = ""  # ISO, of the prices
    provider: str | None = None  # the one client that is shown
    problem: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """One moment."""

    state: JsonObject | None = None  # the last whole one, however old
    trouble: str = ""  # why it must not be taken for the present; "" when it may
    note: str = ""  # something else worth a line
    paused: bool = False
    badge: str = ""  # what the numbers are, where they are not the user's own
    number: int = 0  # counts the different states: what depends on the numbers alone need not be redone
    answers: Answers = field(default_factory=Answers)


class StateReader:
    """Reads the state when it changed."""

    def __init__(self) -> None:
        self.state: JsonObject | None = None
        self.provider: str | None = None  # the one that is shown, None for all together
        self.number = 0
        self._stamp: tuple[int, ...] | None = None

    def look(self) -> bool:
        """Read the file if it is another one than last time; whether there is something new to show."""
        try:
            status = os.stat(paths.in_home(paths.STATE))
        except OSError:
            self._stamp = None
            return False
        stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp == self._stamp:
            return False
        state = published.read(self.provider)
        if state is None:
            return False  # no state of ours; the last one goes on ageing until it is too old to believe
        self._stamp = stamp
        before, self.state = self.state, state
        if before is None or _content(before) != _content(state):
            self.number += 1
        return True


def _content(state: JsonObject) -> JsonObject:
    return {name: value for name, value in state.items() if name != "written_at"}


def trouble(state: JsonObject | None, now: float) -> str:
    """Why a state is not the present, "" when it is."""
    if state is None:
        return "no numbers published yet"
    version = humanize.number(state.get("version"))
    if version is None or not 1 <= version < VERSION + 1:
        shown = clean(str(state.get("version")), 12)
        return (
            f"the listener publishes version {shown} of the numbers, this table reads {VERSION}: "
            "update and restart aitop top"
        )
    seconds = published.age(state, now)
    if seconds is None:
        return "the published numbers have no date"
    if seconds < -published.FRESH_SECONDS:
        return "the published numbers are from the future; was the clock set back?"
    if seconds > published.FRESH_SECONDS:
        return f"these numbers are {humanize.age(seconds)} old; the listener has stopped"
    return ""


def at_rest(state: JsonObject | None) -> bool:
    """Whether no session works, so that only the time changes."""
    return all(session.get("status") != "working" for session in fields.rows((state or {}).get("sessions")))


def readable(state: JsonObject | None) -> bool:
    """Whether this version of the state may be shown at all."""
    version = humanize.number((state or {}).get("version"))
    return version is not None and 1 <= version < VERSION + 1


def note(state: JsonObject | None) -> str:
    """A word about a state that is a little newer than this table."""
    version = humanize.number((state or {}).get("version"))
    if version is not None and VERSION < version < VERSION + 1:
        return (
            "the listener is newer than this table: what it added is not shown until you restart `aitop top`"
        )
    return ""
