"""Lines on a terminal: fixed ones, and a list or page that scrolls. Only lines that changed are drawn again."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from aitop.top import themes
from aitop.top.paint import Line

Press = Callable[[str], None]


def strip(line: Line, width: int, theme: str, *, marked: bool = False) -> Strip:
    """One line in the colours of a theme, exactly `width` cells as this terminal library counts them."""
    ground = themes.base(theme)
    segments = [Segment(piece.text, themes.style(theme, piece.style)) for piece in line if piece.text]
    drawn = Strip(segments).adjust_cell_length(width, ground)
    if marked:
        extra = themes.cursor(theme)
        drawn = Strip([Segment(text, (style or ground) + extra) for text, style, _ in drawn], width)
    return drawn


def action_at(line: Line, x: int) -> str:
    """What a click on that cell calls."""
    from rich.cells import cell_len

    for piece in line:
        x -= cell_len(piece.text)
        if x < 0:
            return piece.action
    return ""


class Lines(Widget):
    """Lines that stay where they are."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    def __init__(self, press: Press, name: str, theme: str) -> None:
        super().__init__(id=name)
        self.look = theme
        self._press = press
        self._lines: list[Line] = []
        self.styles.height = 0

    def show(self, lines: list[Line], theme: str) -> None:
        """Place these instead; what is equal stays untouched."""
        before, self._lines = self._lines, lines
        if theme != self.look or len(before) != len(lines):
            self.look = theme
            if len(before) != len(lines):
                self.styles.height = len(lines)
            self.refresh()
            return
        for row, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old != new:
                self.refresh(Region(0, row, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else ()
        return strip(line, self.size.width, self.look)

    def on_click(self, event: events.Click) -> None:
        if event.y < len(self._lines):
            action = action_at(self._lines[event.y], event.x)
            if action:
                self._press(action)


class Pane(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines that scroll; in a list one of them carries the cursor."""

    DEFAULT_CSS = """
    Pane { height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, press: Press, choose: Callable[[int], None], theme: str) -> None:
        super().__init__(id="pane")
        self.look = theme
        self._press, self._choose = press, choose
        self._lines: list[Line] = []
        self._marked = -1
        self._lit = True

    def show(self, lines: list[Line], theme: str, marked: int = -1, *, lit: bool = True) -> None:
        """Place these instead. `marked` is the line under the cursor, -1 where there is none.

        It is not `lit` while the cursor stands outside the list.
        """
        before, self._lines = self._lines, lines
        was, self._marked = self._marked, marked
        turned, self._lit = lit != self._lit, lit
        if theme != self.look or len(before) != len(lines):
            self.look = theme
            self.virtual_size = Size(self.size.width, len(lines))
            self.refresh()
        else:
            for row in self._changed(before, lines, {was, marked} if turned or was != marked else set()):
                self.refresh(Region(0, row, self.size.width, 1))
        if marked >= 0 and marked != was:
            self.reveal(marked)

    def _changed(self, before: list[Line], lines: list[Line], marks: set[int]) -> list[int]:
        """The rows of the screen that must be drawn again."""
        top = self.scroll_offset.y
        return [
            row - top
            for row in range(top, min(len(lines), top + self.size.height))
            if row in marks or before[row] != lines[row]
        ]

    def reveal(self, row: int) -> None:
        """Scroll just so far that a row is seen."""
        top, height = self.scroll_offset.y, self.size.height
        if row < top:
            self.scroll_to(y=row, animate=False, force=True)
        elif height and row >= top + height:
            self.scroll_to(y=row - height + 1, animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        line = self._lines[row] if row < len(self._lines) else ()
        return strip(line, self.size.width, self.look, marked=self._lit and row == self._marked)

    def on_click(self, event: events.Click) -> None:
        row = event.y + self.scroll_offset.y
        if row >= len(self._lines):
            return
        action = action_at(self._lines[row], event.x)
        if self._marked < 0:
            if action:
                self._press(action)
            return
        again = self._lit and row == self._marked
        self._choose(row)
        if action:
            self._press(action)
        elif again:
            self._press("open")
