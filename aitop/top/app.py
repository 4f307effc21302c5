"""The full-screen table: asks once a second what is new, makes the picture, lets widgets place it.

It decides only when something happens. `picture` says what a screen shows, `navigation` what a key changes on
it, `actions` what a key does outside it. Questions to the history run in a thread of their own, never here.
"""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Input

from aitop.system.local_zone import ZoneWatch
from aitop.top import actions, keys, navigation, overview, picture, processes, questions, themes, view_model
from aitop.top.choices import THEMES, Choices, after
from aitop.top.paint import RICH, SIMPLE, UNCOLOURED
from aitop.top.view_model import World
from aitop.top.widgets import dialogs
from aitop.top.widgets.lines import Lines, Pane

LOOK_SECONDS = 0.25  # between two looks at the state's stamp
LEAVE_SECONDS = 10  # that leaving may take
REST_SECONDS = 5.0  # between two pictures while only time passes


def parsed(action: str) -> tuple[str, tuple[Any, ...]]:
    """`sort('cost')` → ("sort", ("cost",))."""
    name, _, rest = action.partition("(")
    return name, ast.literal_eval(f"({rest[:-1]},)") if rest else ()


class Top(App[int]):
    """One terminal's table."""

    CSS = (
        dialogs.CSS
        + """
    Screen { layers: base; overflow: hidden; }
    #filter { height: 1; border: none; padding: 0 1; display: none; background: $surface; }
    #filter.open { display: block; }
    """
    )
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "aitop top"
    BINDINGS: ClassVar[list[Any]] = [Binding("ctrl+c,f10", "press('quit')", show=False, priority=True)]

    def __init__(self, choices: Choices | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__(ansi_color=True)
        self.clock = clock
        self.choices = choices or Choices()
        self.feed = view_model.StateReader()
        self.zone = ZoneWatch()
        self.world = World()
        self.picture: picture.Picture | None = None
        self.seen: dict[
            tuple[str, str], processes.Process
        ] = {}  # each session's process, as it was first seen
        self.asked = questions.Asked()
        self.asking = False
        self.glyphs = SIMPLE if os.environ.get("TERM") == "linux" else RICH
        self.index: dict[str, int] = {}  # where each list's cursor stood
        self.placed = False
        self.shown_at, self.shown_number = 0.0, -1
        self.ends_after: float | None = None  # seconds
        self.narrowed = False  # whether the scroll bar takes a column
        self.threads = ThreadPoolExecutor(1, "history")
        for theme in themes.textual_themes():
            self.register_theme(theme)
        if self.no_color:
            self.choices = replace(self.choices, theme="mono")
            self.glyphs = self.glyphs._replace(mix=UNCOLOURED)
        self.theme = f"aitop-{self.choices.theme}"

    def show_only(self, provider: str | None) -> None:
        """Show one client alone, or all for None."""
        self.feed.provider = provider
        self.world = replace(self.world, answers=replace(self.world.answers, provider=provider))

    def show_badge(self, text: str) -> None:
        """Say in the first line what the numbers are."""
        self.world = replace(self.world, badge=text)

    def leave_after(self, seconds: float) -> None:
        """End by itself after a while."""
        self.ends_after = seconds

    def compose(self) -> ComposeResult:
        look = self.choices.theme
        self.top_line, self.banner = Lines(self.press, "top", look), Lines(self.press, "banner", look)
        self.head, self.tail = Lines(self.press, "head", look), Lines(self.press, "tail", look)
        self.pane = Pane(self.press, self.put_cursor, look)
        for binding in keys.KEYS:
            self.pane._bindings.bind(binding.keys, f"app.press({binding.action!r})", show=False)  # noqa: SLF001
        self.filter = Input(placeholder="filter", id="filter", compact=True)
        self.bottom = Lines(self.press, "bottom", look)
        yield from (self.top_line, self.banner, self.head, self.pane, self.tail, self.filter, self.bottom)

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            code = 0 if number == signal.SIGINT else 128 + number
            loop.add_signal_handler(number, self.leave, code)
        self.placed = True
        self.pane.focus()
        self.look(first=True)
        self.set_interval(LOOK_SECONDS, self.look)
        if self.ends_after is not None:
            self.set_timer(self.ends_after, lambda: self.exit(0))
        if not self.world.state or self.world.trouble:
            self.run_worker(actions.start(self, unless_stopped=True))

    def leave(self, code: int) -> None:
        """End with this code; within LEAVE_SECONDS, even where drawing to a terminal that has gone never ends."""
        signal.alarm(LEAVE_SECONDS)
        self.exit(code)

    def on_unmount(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)

    # -- the present -----------------------------------------------------------------------------------------

    def look(self, *, first: bool = False) -> None:
        """See whether there is something new; show it; ask what else this view needs."""
        changed = self.feed.look()
        first |= self.zone.changed()  # the clock and every date on the screen are local
        if self.world.paused:
            return
        trouble = view_model.trouble(self.feed.state, self.clock())
        if changed or first or trouble != self.world.trouble:
            state, number = self.feed.state, self.feed.number
            self.world = replace(
                self.world, state=state, trouble=trouble, note=view_model.note(state), number=number
            )
            if first or trouble or number != self.shown_number or not view_model.at_rest(state):
                actions.remember(self)
                self.show()
            elif time.monotonic() - self.shown_at >= REST_SECONDS:
                self.show()
            else:
                self.tick()
        self.ask()

    def show(self) -> None:
        """Make the picture and place it."""
        self.shown_at, self.shown_number = time.monotonic(), self.world.number
        size = self.size
        if not size.width or not size.height or not self.placed:
            return
        height = size.height - self.filter.has_class("open")
        width = size.width - self.narrowed
        painted = picture.paint(self.world, self.choices, width, height, self.glyphs)
        room = height - 2 - len(painted.banner) - len(painted.head) - len(painted.tail)
        if (len(painted.body) > room) != self.narrowed:
            self.narrowed = not self.narrowed
            painted = picture.paint(self.world, self.choices, size.width - self.narrowed, height, self.glyphs)
        view, marked = self.choices.view, -1
        on_alerts = picture.on_alerts(self.world, self.choices)
        if any(painted.keys) and on_alerts:
            marked = self.index["overview"] = 0
        elif any(painted.keys):
            marked, key = navigation.cursor(
                painted.keys, self.choices.cursor.get(view, ""), self.index.get(view, 0)
            )
            self.index[view] = marked
            if key != self.choices.cursor.get(view):
                self.choices = self.choices.at(key)
        elif "" in painted.keys and view == "models":
            marked = 0
        self.picture, theme = painted, self.choices.theme
        self.top_line.show([painted.top], theme)
        self.banner.show(painted.banner, theme)
        self.head.show(painted.head, theme)
        self.pane.show(painted.body, theme, marked, lit=not on_alerts)
        self.tail.show(painted.tail, theme)
        self.bottom.show([painted.bottom], theme)

    def tick(self) -> None:
        """Only the clock goes on."""
        if self.placed and self.size.width:
            top = picture.bar(self.world, self.choices, self.size.width, self.glyphs)
            self.top_line.show([top], self.choices.theme)

    def ask(self) -> None:
        """Send the next due question to the thread; one at a time, so nothing piles up."""
        if self.asking or self.world.state is None:
            return
        now = time.monotonic()
        for question in questions.wanted(self.world, self.choices):
            if self.asked.due(question, self.world.number, now):
                self.asking = True
                self.run_worker(self._answer(question, self.world.number))
                return

    async def _answer(self, question: questions.Question, number: int) -> None:
        loop = asyncio.get_running_loop()
        at = self.clock()
        try:
            answers = await loop.run_in_executor(
                self.threads, questions.answer, question, self.world.answers, at
            )
        finally:
            self.asking = False
        self.asked.at[question] = (number, time.monotonic())
        if answers != self.world.answers:
            self.world = replace(self.world, answers=answers)
            self.show()
        self.ask()

    def on_resize(self, _event: events.Resize) -> None:
        self.call_after_refresh(self.show)

    # -- keys, clicks ----------------------------------------------------------------------------------------

    def action_press(self, action: str) -> None:
        self.press(action)

    def press(self, action: str) -> None:
        """Do what a key or a click names."""
        name, arguments = parsed(action)
        if name == "open" and picture.on_alerts(self.world, self.choices):
            name = "alerts"
        if self.screen.is_modal and name != "quit":
            return
        if not keys.allowed(name, self.choices.view):
            return
        if name in navigation.STEPS:
            self.choose(navigation.step(self.choices, self.world, name, arguments))
        elif name in ("move", "page", "edge"):
            self.go(name, arguments[0])
        elif name == "quit":
            self.exit(0)
        elif name == "theme":
            self.set_theme(after(THEMES, self.choices.theme))
        elif name == "pause":
            self.world = replace(self.world, paused=not self.world.paused)
            self.look(first=True)
            self.show()
        elif name == "filter":
            self.open_filter()
        elif name == "alerts":
            if picture.on_alerts(self.world, self.choices):  # leaving the list leads to the sessions
                self.choose(self.choices.at(""))
            self.push_screen(dialogs.Alerts(overview.alert_lines(self.world.state or {})))
        elif name == "help":
            self.push_screen(dialogs.Help())
        else:
            self.run_worker(actions.do(self, name))

    def choose(self, choices: Choices) -> None:
        """Show what other choices show."""
        other = choices.view != self.choices.view
        self.choices = choices
        if other:
            self.close_filter()
            self.pane.scroll_to(y=0, animate=False, force=True)
        self.show()
        self.ask()

    def go(self, name: str, by: int) -> None:
        """Move the cursor of a list, or scroll a page."""
        shown, height = self.picture, max(1, self.pane.size.height)
        if shown is None:
            return
        steps = {
            "move": by,
            "page": by * max(1, height - 1),
            "edge": by * max(len(shown.body), len(shown.keys)),
        }[name]
        view = self.choices.view
        if name == "move" and view == "overview" and self.to_or_from_alerts(by):
            return
        if shown.keys:
            here = (self.choices.cursor.get(view, ""), self.index.get(view, 0))
            self.put_cursor(navigation.cursor(shown.keys, *here, steps)[0])
        else:
            self.pane.scroll_to(y=self.pane.scroll_offset.y + steps, animate=False, force=True)

    def to_or_from_alerts(self, by: int) -> bool:
        """A step up from the first session to the alerts, or down from them; False where it is neither."""
        there = picture.on_alerts(self.world, self.choices)
        if by > 0 and there:
            self.put_cursor(0)
        elif by < 0 and self.index.get("overview", 0) == 0 and overview.alerts(self.world.state or {}):
            self.choices = self.choices.at(overview.ALERTS)
            self.show()
        else:
            return False
        return True

    def put_cursor(self, row: int) -> None:
        """The cursor on one row of the list."""
        if self.picture and row < len(self.picture.keys):
            self.index[self.choices.view] = row
            self.choices = self.choices.at(self.picture.keys[row])
            self.show()

    def set_theme(self, name: str) -> None:
        if not self.no_color:
            self.choices = replace(self.choices, theme=name)
            self.theme = f"aitop-{name}"
            self.show()

    # -- the filter ------------------------------------------------------------------------------------------

    def open_filter(self) -> None:
        self.filter.value = self.choices.filters.get(self.choices.view, "")
        self.filter.add_class("open")
        self.filter.focus()
        self.show()

    def close_filter(self) -> None:
        self.filter.remove_class("open")
        self.pane.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input is self.filter and self.filter.has_class("open"):
            self.choices = self.choices.filtered(event.value)
            self.show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input is self.filter:
            self.close_filter()
            self.show()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.filter.has_class("open") and self.focused is self.filter:
            event.stop()
            self.choices = self.choices.filtered("")
            self.close_filter()
            self.show()
