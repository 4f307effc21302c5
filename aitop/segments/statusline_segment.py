"""Claude Code's status line: what the client says now and the published state, as lines of text.

Pure and hot: the listener answers with it on the socket, and `aitop statusline` prints it where no listener
answers. It takes a template like every other display. Between two ` · ` stands a part; a part with
placeholders vanishes while none of them has something to say.
"""

from __future__ import annotations

from aitop.segments import fields, presets
from aitop.segments.placeholders import Values
from aitop.segments.template import parts
from aitop.segments.text import cells, cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.model.json_types import JsonObject
    from aitop.segments.template import Part, Piece

STYLES = ("plain", "powerline", "nerd")
MAX_LINES = 4
UNLIMITED = 10_000
BETWEEN_CELLS = 3  # ` · `, or powerline's arrow and the blanks around a part
COLOURS = {"warning": "\x1b[33m", "critical": "\x1b[1;31m"}
DIM, RESET = "\x1b[2m", "\x1b[0m"
# Foreground and background of powerline's parts, in turn; a level has its own.
SHADES = (("255", "24"), ("252", "238"), ("252", "236"))
LEVEL_SHADES = {"warning": ("16", "178"), "critical": ("231", "160")}
ARROW, THIN_ARROW = "\ue0b0", "\ue0b1"
# The icon a part begins with, by its first placeholder that has one.
ICONS = {
    "model": "\uf2db", "branch": "\ue0a0", "project": "\uf07b", "session_name": "\uf02b", "cost_session": "\uf155",
    "cost_today": "\uf073", "cost_project": "\uf07b", "burn": "\uf06d", "burn_5m": "\uf06d",
    "context_percent": "\uf1c0", "context_bar": "\uf1c0", "context": "\uf1c0",
    "limit_5h": "\uf252", "limit_7d": "\uf252", "limits": "\uf252",
    "limit_worst": "\uf252", "budget": "\uf09d", "waiting": "\uf0f3", "waiting_elsewhere": "\uf0f3",
    "cache_left": "\uf017", "lines": "\uf121", "effort": "\uf0e4", "alert_names": "\uf071",
}  # fmt: skip


def render(
    payload: JsonObject,
    state: JsonObject | None,
    session: JsonObject | None,
    now: float,
    config: JsonObject,
) -> list[str]:
    """The lines for one session, [] when there is nothing to say.

    payload: the client's status-line JSON; state: the published state, None unless fresh; session: its row,
    None to look it up by the payload's `session_id`. config: `preset`, `format` (one text, or a list of
    lines), `style`, `columns` (0 or missing: no limit), `colour` (missing: yes); what is missing is taken
    from the state's `display.statusline`.
    """
    view = state if state is not None else _without_listener(payload)
    row = found(view, payload) if session is None else session
    values = Values(view, now, session=row, payload=payload)
    chosen = fields.table(fields.table(view.get("display")).get("statusline")) | {
        key: value for key, value in config.items() if value is not None
    }
    style = chosen.get("style")
    columns = chosen.get("columns")
    room = columns if isinstance(columns, int) and columns > 0 else UNLIMITED
    colour = chosen.get("colour") is not False
    shown = []
    for line in _templates(chosen, view)[:MAX_LINES]:
        fitting = within(parts(line, values), room)
        if fitting:
            shown.append(drawn(fitting, style if isinstance(style, str) else "plain", colour=colour))
    return shown


def found(state: JsonObject, payload: JsonObject) -> JsonObject:
    """The row of the session that a client's JSON is about; {} where the state has none."""
    name = payload.get("session_id")
    rows = fields.rows(state.get("sessions"))
    return next((row for row in rows if name and row.get("id") == name), fields.EMPTY)


def _without_listener(payload: JsonObject) -> JsonObject:
    """An empty state: a client with limits is one on a subscription."""
    return {"display": {"billing": "subscription" if payload.get("rate_limits") else "api"}}


def _templates(chosen: JsonObject, state: JsonObject) -> list[str]:
    look = chosen.get("format")
    if isinstance(look, list):
        return [line for line in look if isinstance(line, str)]
    if isinstance(look, str) and look:
        return look.split("\n")
    subscription = fields.is_subscription(state)
    return presets.statusline(chosen.get("preset"), subscription=subscription).split("\n")


def within(shown: list[Part], room: int) -> list[Part]:
    """Whole parts from the left as far as there is room; the first one is cut with `…`."""
    kept: list[Part] = []
    for names, pieces in shown:
        needed = sum(cells(text) for text, _ in pieces) + (BETWEEN_CELLS if kept else 0)
        if needed > room:
            return kept or [(names, _cut(pieces, room))]
        room -= needed
        kept.append((names, pieces))
    return kept


def _cut(pieces: list[Piece], room: int) -> list[Piece]:
    text = "".join(text for text, _ in pieces)
    return [(cut(text, room), pieces[0][1])]


def drawn(shown: list[Part], style: str, *, colour: bool) -> str:
    """One line in a style."""
    if style == "nerd":
        shown = [(names, _with_icon(names, pieces)) for names, pieces in shown]
    if style == "powerline":
        return _powerline(shown) if colour else f" {THIN_ARROW} ".join(_text(pieces) for _, pieces in shown)
    if not colour:
        return " · ".join(_text(pieces) for _, pieces in shown)
    return f"{DIM} · {RESET}".join("".join(_painted(piece) for piece in pieces) for _, pieces in shown)


def _with_icon(names: list[str], pieces: list[Piece]) -> list[Piece]:
    icon = next((ICONS[name] for name in names if name in ICONS), "")
    return [(f"{icon} {pieces[0][0]}", pieces[0][1]), *pieces[1:]] if icon else pieces


def _text(pieces: list[Piece]) -> str:
    return "".join(text for text, _ in pieces)


def _painted(piece: Piece) -> str:
    text, level = piece
    paint = COLOURS.get(level, "")
    return f"{paint}{text}{RESET}" if paint else text


def _powerline(shown: list[Part]) -> str:
    line, before = "", ""
    for number, (_, pieces) in enumerate(shown):
        levels = [level for _, level in pieces]
        grave = next((name for name in ("critical", "warning") if name in levels), "")
        text, ground = LEVEL_SHADES.get(grave) or SHADES[number % len(SHADES)]
        if before:
            alike = before == ground
            line += f"\x1b[38;5;{text if alike else before};48;5;{ground}m{THIN_ARROW if alike else ARROW}"
        line += f"\x1b[38;5;{text};48;5;{ground}m {_text(pieces)} "
        before = ground
    return f"{line}{RESET}\x1b[38;5;{before}m{ARROW}{RESET}"
