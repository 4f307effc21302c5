"""Waybar: one JSON object on one line, its text and tooltip Pango markup.

`alt` is the level, `class` the level and what the sessions do (working, waiting, idle), so a theme
colours the module; a part at a level is bold besides. An empty text hides the module. The tooltip is a
small table in a fixed-width font.
The JSON is written by hand: `json` would cost a one-shot 12 ms.
"""

from __future__ import annotations

from aitop.segments import text_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.details import Blocks
    from aitop.segments.placeholders import Values
    from aitop.segments.template import Piece

OFF = (
    '{"text":"","alt":"off","class":"off","percentage":0,'
    '"tooltip":"aitop: no fresh numbers. Start the listener: aitop start"}'
)
PANGO = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
JSON = {code: f"\\u{code:04x}" for code in range(32)} | {34: '\\"', 92: "\\\\", 10: "\\n", 127: "\\u007f"}


def escape(text: str) -> str:
    return text.translate(PANGO)


def quoted(text: str) -> str:
    return f'"{text.translate(JSON)}"'


def line(pieces: list[Piece], *, colour: bool) -> str:
    shown = []
    for text, level in pieces:
        strong = colour and level in ("warning", "critical")
        shown.append(f"<b>{escape(text)}</b>" if strong else escape(text))
    return "".join(shown)


def document(pieces: list[Piece], values: Values, blocks: Blocks) -> str:
    level = values["level"][0]
    busy = "waiting" if not values["waiting"][2] else "working" if not values["working"][2] else "idle"
    gauge = values["context_percent" if values["limit_5h"][2] else "limit_5h"][0]
    percentage = gauge.strip("~%") if gauge.endswith("%") else "0"
    return (
        f'{{"text":{quoted(line(pieces, colour=True))},"alt":{quoted(level)},'
        f'"class":[{quoted(level)},{quoted(busy)}],"percentage":{min(100, int(percentage))},'
        f'"tooltip":{quoted(tooltip(blocks))}}}'
    )


def tooltip(blocks: Blocks) -> str:
    """Alerts, sums, windows, limits, sessions: each a table of its own, a line apart."""
    parts = [
        [f"<b>{escape(text)}</b>" for text, _ in blocks["alerts"]],
        _table(blocks["sums"]),
        _table(blocks["windows"]),
        [escape(text) for text in blocks["rates"]],
        _table([row for row, _ in blocks["limits"]]),
        [escape(text) for text, _ in blocks["budgets"]],
        [escape(text) for text in blocks["forecast"]],
        _table([row for row, _, _ in blocks["sessions"]]),
        [escape(text) for text in blocks["coverage"]],
    ]
    return "<tt>" + "\n\n".join("\n".join(part) for part in parts if part) + "</tt>"


def _table(rows: list[list[str]]) -> list[str]:
    return [escape(text) for text in text_table.lines(rows)]
