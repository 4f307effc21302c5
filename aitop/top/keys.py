"""The one table of keys: what is bound, what the help says and what the last line shows come from it."""

from __future__ import annotations

from typing import NamedTuple

VIEWS = ("overview", "sessions", "tools", "models", "history")
TITLES = {
    "overview": "Overview",
    "sessions": "Sessions",
    "tools": "Tools",
    "models": "Models",
    "history": "History",
}


class Key(NamedTuple):
    """One action and its keys. `keys` are the names bound, `shown` is how people call them."""

    keys: str
    shown: str
    action: str
    meaning: str
    group: str
    footer: str = ""  # its word in the last line; "" keeps it to the help
    views: tuple[str, ...] = ()  # where it does something; () is everywhere
    named: tuple[str, ...] = ()  # where the last line names it, when that is not everywhere it does something


LISTS = ("overview", "sessions", "tools", "models", "compare", "history")
SESSIONS = ("overview", "sessions")
ONE = ("overview", "sessions", "detail")
KEYS = (
    Key("question_mark,f1,h", "? F1 h", "help", "this help", "Everywhere", "Help"),
    Key("q,f10,ctrl+c", "q F10 ^C", "quit", "leave", "Everywhere", "Quit"),
    Key("1", "1", "view('overview')", "overview", "Views"),
    Key("2", "2", "view('sessions')", "sessions", "Views"),
    Key("3", "3", "view('tools')", "tools", "Views"),
    Key("4", "4", "view('models')", "models, and what others would cost", "Views"),
    Key("5", "5", "view('history')", "history: by day, project, model, …", "Views"),
    Key("tab", "Tab", "turn(1)", "next view", "Views", "Next view"),
    Key("shift+tab", "S-Tab", "turn(-1)", "previous view", "Views"),
    Key("enter", "Enter", "open", "open a session, the comparison, the alerts", "Views", "Open", (*SESSIONS, "models")),
    Key("escape,backspace", "Esc", "back", "close it, or drop the filter", "Views", "Back", (), ("detail", "compare")),
    Key("down,j", "↓ j", "move(1)", "down", "Moving"),
    Key("up,k", "↑ k", "move(-1)", "up; over the first session: the alerts", "Moving"),
    Key("pagedown,ctrl+f", "PgDn", "page(1)", "a page down", "Moving"),
    Key("pageup,ctrl+b", "PgUp", "page(-1)", "a page up", "Moving"),
    Key("home,g", "Home g", "edge(-1)", "to the top", "Moving"),
    Key("end,G", "End G", "edge(1)", "to the end", "Moving"),
    Key("slash,f3,f4", "/ F3 F4", "filter", "filter as you type (Esc drops it)", "Lists", "Filter", LISTS),
    Key("less_than_sign", "<", "sort_by(-1)", "sort by the column to the left", "Lists", "", LISTS),
    Key("greater_than_sign,f6", "> F6", "sort_by(1)", "sort by the column to the right", "Lists", "Sort", LISTS),
    Key("r,I", "r I", "reverse", "the other way round", "Lists", "", LISTS),
    Key("a", "a", "more", "show more: idle, ended, every model", "Lists", "All", ("overview", "sessions", "compare")),
    Key("space,right,left,plus,minus", "Space", "fold", "a session's sub-agents", "Lists", "Agents", SESSIONS),
    Key("e,f5", "e F5", "fold_all", "every session's sub-agents", "Lists", "", SESSIONS),
    Key("t", "t", "span", "a longer or shorter time", "Lists", "Span", ("models", "compare", "history")),
    Key("b", "b", "group", "by day, week, month, project, model, client, branch", "Lists", "By", ("history",)),
    Key("m", "m", "heat", "chart or heat map", "Lists", "Map", ("history",)),
    Key("z", "z", "chart", "the chart over an hour, a day, a week, a month, a year", "Views", "Chart", ("overview",)),
    Key("exclamation_mark", "!", "alerts", "list the alerts", "Views", "", ("overview",)),
    Key("E", "E", "export", "write the list to a CSV or JSON file", "Lists", "Export", LISTS),
    Key("i", "i", "interrupt", "interrupt its process (SIGINT)", "A session", "Interrupt", ONE),
    Key("x,f9", "x F9", "end", "end its process (SIGTERM)", "A session", "End", ONE),
    Key("T", "T", "tag", "tag it", "A session", "Tag", ONE),
    Key("y", "y", "copy", "copy its id", "A session", "Copy", ONE),
    Key("o", "o", "folder", "copy the path of its transcript", "A session", "Path", ONE),
    Key("J", "J", "jump", "go to its tmux pane", "A session", "Jump", ONE),
    Key("W", "W", "jump_next", "go to the session that has waited longest", "Everywhere"),
    Key("R", "R", "resume", "copy the command that resumes it", "A session", "Resume", ONE),
    Key("p", "p", "pause", "hold the picture still, or go on", "Everywhere", "Pause"),
    Key("c", "c", "theme", "next theme", "Everywhere"),
    Key("S", "S", "start", "start the listener", "Everywhere"),
)  # fmt: skip
GROUPS = ("Everywhere", "Views", "Moving", "Lists", "A session")


def footer(view: str) -> list[Key]:
    """The keys worth a place in the last line of a view, the special ones first."""
    shown = [key for key in KEYS if key.footer and view in (key.named or key.views or (view,))]
    return sorted(shown, key=lambda key: (key.action == "quit", not (key.views or key.named)))


def allowed(action: str, view: str) -> bool:
    """Whether an action does something in this view."""
    return all(not key.views or view in key.views for key in KEYS if key.action == action)
