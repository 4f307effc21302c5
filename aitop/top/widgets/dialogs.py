"""What opens over the screen: the help, a question before an action, one line of text to type."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from aitop.top import keys

CSS = """
ModalScreen { align: center middle; background: $background 60%; }
.dialog { width: auto; max-width: 100%; height: auto; max-height: 96%; border: round $primary; padding: 0 1;
          background: $surface; }
.dialog Static { width: auto; height: auto; }
.dialog Input { width: 60; max-width: 100%; border: none; height: 1; padding: 0; background: $surface; }
.hint { color: $foreground; text-style: dim; }
"""
FRAME = 4  # cells of a dialog that are not its text


def help_lines(width: int) -> list[str]:
    """Every key with its meaning, by groups, from the one table of keys; two columns where there is room."""
    blocks: list[list[str]] = []
    for group in keys.GROUPS:
        rows = [f"  {key.shown:<8} {key.meaning}" for key in keys.KEYS if key.group == group]
        blocks.append([group, *rows, ""])
    notes = ["The mouse works: views, heads of columns, rows (again: open), the keys below.",
             "Marks: ≥ a lower bound, ~ priced by family, ≈ a subscription at API prices."]  # fmt: skip
    one, two = (
        [line for block in blocks[:3] for line in block],
        [line for block in blocks[3:] for line in block],
    )
    side = max(len(line) for line in one) + 3
    if side + max(len(line) for line in two) > width - FRAME:
        return [*one, *two, *notes]
    height = max(len(one), len(two))
    one += [""] * (height - len(one))
    two += [""] * (height - len(two))
    return [f"{a:<{side}}{b}".rstrip() for a, b in zip(one, two, strict=True)] + notes


class Help(ModalScreen[None]):
    """Every key. Any key that leaves a thing leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,h,enter,f10,ctrl+c", "dismiss", show=False)
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as box:
            box.border_title = "aitop top: keys"
            box.border_subtitle = "Esc"
            yield Static("\n".join(help_lines(self.app.size.width)), markup=False)


class Alerts(ModalScreen[None]):
    """Every alert in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,exclamation_mark,enter,f10,ctrl+c", "dismiss", show=False)
    ]

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as box:
            box.border_title = "alerts"
            box.border_subtitle = "Esc"
            yield Static("\n".join(self.lines), markup=False)


class Confirm(ModalScreen[bool]):
    """Ask before an action that cannot be undone; only y confirms."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,Y", "answer(True)", show=False),
        Binding("n,N,escape,enter,q,ctrl+c", "answer(False)", show=False),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self.question, markup=False)
            yield Static("y does it, any of n Esc Enter does not", markup=False, classes="hint")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


class Ask(ModalScreen[str | None]):
    """One line to type."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "leave", show=False, priority=True)]

    def __init__(self, question: str, value: str) -> None:
        super().__init__()
        self.question, self.value = question, value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self.question, markup=False)
            yield Input(self.value, select_on_focus=False)
            yield Static("Enter does it, Esc does not", markup=False, classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_leave(self) -> None:
        self.dismiss(None)
