"""From events to what is published, as the listener does it, with every promise about it checked.

A history in a scratch folder, the sums, the state, every display. Events of the providers at hand are
held to what those of a stranger are held to, so an odd one is found where it was made.
"""

import contextlib
import os
import tempfile
from typing import Any

import orjson
from support import published

from aitop import segments
from aitop.config import Config
from aitop.history import schema
from aitop.history.store import History
from aitop.live.aggregator import Aggregator, Day
from aitop.live.money.tracker import MoneyTracker
from aitop.live.snapshot import Lookups, ProjectToday, take
from aitop.model import periods
from aitop.pricing import table
from aitop.providers import Feed, Parsed
from aitop.providers.conformance import checked_feed, checked_parsed
from aitop.publish.notify import channels
from aitop.top import plain

from . import judge

PRICES = table.load()
MOST_STATE = 4 << 20  # bytes of a published state, whatever was read


class Book:
    """One history and the sums on top of it."""

    def __init__(self, now: float, config: Config | None = None) -> None:
        self.now, self.config = now, config or Config()
        self._folder = tempfile.TemporaryDirectory(prefix="aitop-fuzz-", dir=_memory())
        self.path = os.path.join(self._folder.name, "history.db")
        self.db = schema.connect(self.path)
        self.db.execute("PRAGMA synchronous = OFF")
        self.history = History(self.db, PRICES)
        self.aggregator, self.money = Aggregator(now), MoneyTracker()
        self.aggregator.begin_day(Day(periods.starts(now)))
        self.money.begin(self.db, now)
        self.alerts: tuple[Any, ...] = ()
        self._seen: set[Any] = set()

    def close(self) -> None:
        self.db.close()
        self._folder.cleanup()

    # -- taking in -------------------------------------------------------------------------------------------

    def parsed(self, provider: str, path: str, parsed: Parsed, data: bytes) -> None:
        """What a run of a file's lines told."""
        checked_parsed(parsed._replace(events=self._unseen(parsed.events)), provider)
        if len(parsed.events) > 1000 + 30 * len(data):
            raise judge.Broken(f"{len(parsed.events)} events from {len(data)} bytes")
        if parsed.pending is not None and len(parsed.pending) > 65_536 + len(data):
            raise judge.Broken(f"{len(parsed.pending)} characters to be remembered of one file")
        if not 0 <= parsed.bad_lines <= data.count(b"\n") + 1:
            raise judge.Broken(f"{parsed.bad_lines} bad lines")
        file = self.history.file(provider, path)
        file.first_at = parsed.first_at if file.first_at is None else file.first_at
        file.session, file.pending = parsed.session, parsed.pending
        self.history.touch(file)
        self.history.apply(provider, parsed.events, self.now, file)

    def fed(self, provider: str, feed: Feed) -> None:
        """What a payload of the socket told."""
        checked_feed(feed._replace(events=self._unseen(feed.events)), provider)
        self.history.apply(provider, feed.events, self.now)

    def _unseen(self, events: list[Any]) -> list[Any]:
        """Those that were not looked at before: most of a mutated record is as it was."""
        found = [event for event in events if event not in self._seen]
        self._seen.update(found)
        return found

    # -- what comes of it ------------------------------------------------------------------------------------

    def publish(self) -> dict[str, Any]:
        """Commit, sum, publish, render; every promise about the outcome is checked."""
        self.history.settle(self.now)
        changes = self.history.commit()
        self.aggregator.fold(changes, self.history.provider_of, self.now)
        self.money.fold(changes, self.history.sessions.values())
        state = self.state()
        data = orjson.dumps(state)
        if len(data) > MOST_STATE:
            raise judge.Broken(f"a state of {len(data)} bytes")
        judge.numbers(state)
        shown(state, self.now)
        return state

    def state(self) -> dict[str, Any]:
        sessions = self.history.sessions.values()
        lookups = Lookups(lambda pid: bool(pid % 2), lambda provider, model: PRICES.context_window(model))
        snap = take(
            self.aggregator, self.money, sessions, before=self.alerts,
            projects=[ProjectToday(s.provider, s.cwd or "", s.total) for s in sessions],
            config=self.config, lookups=lookups, now=self.now,
        )  # fmt: skip
        self.alerts = snap.alerts
        state = published.encoded(snap, self.config, started_at=self.now)
        for alert in snap.alerts:
            told(alert)
        return state


def shown(state: dict[str, Any], now: float) -> None:
    """Every display of a state, and the plain table."""
    own = [("names", display, None, NAMES) for display in segments.TEXT_DISPLAYS]
    for name, text in segments.render_all(state, [], now).items():
        if text:
            judge.line(name, text)
    for _, display, _, template in own:
        text = segments.render(state, display, template=template, now=now)
        judge.line(display, text)
    for line in plain.lines(state, 160):
        judge.printable(line, "top --once")


NAMES = "{project}|{branch}|{tag}|{title}|{model}|{status}|{alert}|{host}|{budget}|{limit_worst}|{level}"


def told(alert: Any) -> None:
    """What people are told of an alert is inert in each program that tells them."""
    *_, body = channels.desktop(alert, "linux").arguments
    judge.printable(body, "notify-send")
    if "<" in body or ">" in body:
        raise judge.Broken(f"notify-send gets markup: {body!r}")
    *_, text = channels.tmux(alert, "tmux", "/tmp/x").arguments
    judge.printable(text, "display-message")
    if "#" in text.replace("##", "") or "%" in text.replace("%%", ""):
        raise judge.Broken(f"tmux would expand {text!r}")


def _memory() -> str | None:
    """A folder in memory where there is one: a run commits thousands of times."""
    with contextlib.suppress(OSError):
        if os.access("/dev/shm", os.W_OK):
            return "/dev/shm"
    return None
