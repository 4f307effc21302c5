"""Placeholders of who works where: sessions, their names, alerts, the machine."""

from __future__ import annotations

from aitop.segments import fields
from aitop.segments.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.segments.placeholders import Field, Value
    from aitop.segments.placeholders.view import View

MODEL_CELLS = 24


def text(value: object, cells: int = fields.TEXT_CELLS) -> Value:
    shown = clean(value, cells)
    return (shown, "", not shown)


def _statuses(view: View) -> list[object]:
    return [row.get("status") for row in view.rows]


def busy(view: View, status: str) -> Value:
    many = _statuses(view).count(status)
    return (str(many), "warning" if many and status == "waiting" else "", not many)


def waiting_elsewhere(view: View) -> Value:
    """Sessions that wait for the user, without the one that speaks."""
    here = view.session.get("id")
    many = sum(row.get("status") == "waiting" and row.get("id") != here for row in view.rows)
    return (str(many), "warning" if many else "", not many)


def active(view: View) -> Value:
    from aitop.segments.placeholders.activity import count

    return count(view.state.get("active_sessions"))


def model(view: View) -> Value:
    """The model's name: as its client shows it, else the id without what repeats."""
    display_name = clean(view.said("model").get("display_name"), MODEL_CELLS)
    return text(display_name or fields.short_model(view.session.get("model")), MODEL_CELLS)


def session_name(view: View) -> Value:
    """The name a user gave the session, else its tag, else its project."""
    names = (view.payload.get("session_name"), view.session.get("tag"), view.session.get("project"))
    return text(next((name for name in names if isinstance(name, str) and name), ""), fields.PROJECT_CELLS)


def branch(view: View) -> Value:
    return text(view.session.get("branch") or view.said("worktree").get("branch"))


def git_dirty(view: View) -> Value:
    """`±` while the folder has changes that are not committed, where the listener knows."""
    return ("±", "", False) if view.session.get("git_dirty") is True else ("", "", True)


def icon(view: View) -> Value:
    grave, statuses = fields.overall(view.state), _statuses(view)
    doing = next((name for name in ("waiting", "working") if name in statuses), "idle")
    return (fields.MARKS.get(grave) or fields.MARKS[doing], "" if grave == "ok" else grave, False)


def level(view: View) -> Value:
    grave = fields.overall(view.state)
    return (grave, "" if grave == "ok" else grave, grave == "ok")


def alert(view: View) -> Value:
    worst = next(iter(fields.alerts(view.state)), fields.EMPTY)
    shown, grave = clean(worst.get("text"), 60), worst.get("level")
    return (shown, str(grave) if grave in ("warning", "critical") else "", not shown)


def alerts(view: View) -> Value:
    shown = fields.alerts(view.state)
    return (str(len(shown)), alert(view)[1], not shown)


FIELDS: tuple[Field, ...] = (
    ("sessions", "count", "active sessions", active),
    ("working", "count", "sessions at work", lambda v: busy(v, "working")),
    ("waiting", "count", "sessions that wait for you; any is a warning", lambda v: busy(v, "waiting")),
    ("waiting_elsewhere", "count", "the same without the session that shows this line", waiting_elsewhere),
    ("project", "text", "project of the current session",
     lambda v: text(v.session.get("project"), fields.PROJECT_CELLS)),
    ("branch", "text", "its git branch", branch),
    ("git_dirty", "text", "± while its folder has uncommitted changes", git_dirty),
    ("tag", "text", "its tag ($AITOP_TAG)", lambda v: text(v.session.get("tag"))),
    ("title", "text", "its title", lambda v: text(v.session.get("title"))),
    ("session_name", "text", "its name: the one you gave it, else its tag, else its project", session_name),
    ("model", "text", "its model", model),
    ("effort", "text", "its effort; Claude Code's status line only", lambda v: text(v.said("effort").get("level"))),
    ("output_style", "text", "its output style; Claude Code's status line only",
     lambda v: text(v.said("output_style").get("name"))),
    ("status", "text", "its status: working, waiting, idle", lambda v: text(v.session.get("status"))),
    ("icon", "text", "○ idle, ● working, ◐ waiting for you, ▲ warning, ■ critical", icon),
    ("level", "text", "ok, warning or critical", level),
    ("alert", "text", "the gravest alert, in words", alert),
    ("alerts", "count", "how many alerts there are", alerts),
    ("alert_names", "text", "alerts that no other placeholder's colour shows: runaway, anomaly, pace, …",
     lambda v: fields.alert_names(fields.alerts(v.state))),
    ("host", "text", "this machine", lambda v: text(v.state.get("host"))),
)  # fmt: skip
