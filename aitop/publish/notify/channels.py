"""How each program is called: its arguments and what it reads. Pure; a text never becomes a program's code.

Alert texts hold names of folders, which anybody can choose: a shell never sees them, a tmux format and
a notification's markup get them escaped.
"""

import os
import sys
from typing import NamedTuple

import orjson

from aitop.live.alerts import Alert
from aitop.model.json_types import JsonObject
from aitop.segments.text import clean

TITLE = "aitop"
MAX_CHARS = 300
SHOWN_MS = 8000  # how long tmux shows a message
# Every client of a server: without a client's name tmux shows a message to one of them only.
_TMUX = (
    '"$1" -S "$2" list-clients -F "#{client_name}" | while IFS= read -r client; do '
    '"$1" -S "$2" display-message -c "$client" -d "$3" "$4"; done'
)
_SCRIPT = ("on run argv", "display notification (item 1 of argv) with title (item 2 of argv)", "end run")


class Message(NamedTuple):
    """One process to start: its name in the log, its arguments, its standard input."""

    channel: str
    arguments: list[str]
    stdin: bytes = b""


# A click goes to the session's pane; where notify-send knows no actions, it is shown without.
_CLICK = (
    'front=$1 session=$2; shift 2; answer=$(notify-send --action=default=Show --expire-time=9000 "$@" 2>/dev/null) || '
    'exec notify-send "$@"; [ "$answer" != default ] || exec "$front" jump "$session"'
)


def desktop(alert: Alert, system: str) -> Message:
    """`system` as in sys.platform."""
    text = clean(alert.text, MAX_CHARS)
    if system == "darwin":
        lines = [word for line in _SCRIPT for word in ("-e", line)]
        return Message("desktop", ["osascript", *lines, text, f"{TITLE}: {alert.level}"])
    urgency = "critical" if alert.level == "critical" else "normal"
    body = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    words = [f"--app-name={TITLE}", f"--urgency={urgency}", "--", f"{TITLE}: {alert.level}", body]
    session = alert.id.partition(":")[2]
    if session and session.replace("-", "").isalnum():
        front = os.path.join(os.path.dirname(sys.executable), "aitop")
        return Message("desktop", ["/bin/sh", "-c", _CLICK, "sh", front, session, *words])
    return Message("desktop", ["notify-send", *words])


def tmux(alert: Alert, program: str, socket: str) -> Message:
    """Every client of one server."""
    text = clean(f"{TITLE}: {alert.text}", MAX_CHARS).replace("#", "##").replace("%", "%%")
    return Message("tmux", ["/bin/sh", "-c", _TMUX, "sh", program, socket, str(SHOWN_MS), text])


def command(alert: Alert, line: str, host: str, now: float) -> Message:
    """The user's own shell command, as they wrote it; the alert comes on its standard input."""
    return Message("command", ["/bin/sh", "-c", line], orjson.dumps(payload(alert, host, now)) + b"\n")


def payload(alert: Alert, host: str, now: float) -> JsonObject:
    """What a user's command reads: keys may be added, never changed in meaning."""
    rule, _, about = alert.id.partition(":")
    return {
        "version": 1,
        "id": alert.id,
        "rule": rule,
        "about": about or None,
        "level": alert.level,
        "text": clean(alert.text, MAX_CHARS),
        "since": alert.since,
        "at": now,
        "host": host,
    }
