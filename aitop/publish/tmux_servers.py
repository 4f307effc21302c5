"""What the tmux plugin leaves for each server in `$AITOP_HOME/tmux/`, and which of its panes hold which sessions.

Reads files and processes; sends nothing.
"""

import os
from typing import NamedTuple

from aitop import paths
from aitop.model.json_types import JsonObject
from aitop.system.ancestors import descends

MAX_TEXTS = 16  # of one server
STATUSES = ("working", "waiting", "idle")


class Server(NamedTuple):
    """What one tmux server asked for."""

    program: str
    socket: str
    pid: int
    push: bool
    panes: bool
    every: float
    looks: dict[str, tuple[str | None, str | None]]  # name → preset, template
    colours: dict[str, str]
    levels: dict[str, list[float]]


def read(path: str) -> Server | None:
    """A server's file, as the plugin wrote it; None for any other file."""
    try:
        text = paths.read(path)[:65536].decode("utf-8", "replace")
        rows = [line.rstrip("\n").split("\t") for line in text.splitlines()]
    except OSError:
        return None
    words = {row[0]: row[1] for row in rows if len(row) == 2}
    looks: dict[str, tuple[str | None, str | None]] = {}
    for row in rows:
        if row[0] == "show" and len(row) == 4 and len(looks) < MAX_TEXTS:
            looks[row[1]] = (row[3] if row[2] == "preset" else None, row[3] if row[2] == "format" else None)
    try:
        return Server(
            words["tmux"], words["socket"], int(words["pid"]), words["how"] == "push", words.get("panes") == "on",
            min(60.0, max(1.0, float(words.get("every", "2")))), looks,
            {row[1]: row[2] for row in rows if row[0] == "colour" and len(row) == 3},
            {row[1]: [float(row[2]), float(row[3])] for row in rows if row[0] == "level" and len(row) == 4},
        )  # fmt: skip
    except (KeyError, ValueError):
        return None


def lives(server: Server) -> bool:
    try:
        os.kill(server.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def by_status(state: JsonObject, server: int | None) -> dict[str, list[str]]:
    """Status → panes, a pane by its newest living session. `server`: only panes of this tmux server.

    Two servers both have a pane %0: the ancestors of a session's process show in which one it runs.
    """
    panes: dict[str, list[str]] = {status: [] for status in STATUSES}
    for pane, session in in_panes(state, server).items():
        panes[session["status"]].append(pane)
    return panes


def in_panes(state: JsonObject, server: int | None) -> dict[str, JsonObject]:
    """Pane → its newest living session."""
    by_pane: dict[str, JsonObject] = {}
    for session in state["sessions"]:
        pane = session.get("pane")
        if not pane or session.get("status") not in STATUSES or pane in by_pane:
            continue
        if not (pane[0] == "%" and pane[1:].isascii() and pane[1:].isdigit()):
            continue
        if server is not None and session.get("pid") and not descends(session["pid"], server):
            continue
        by_pane[pane] = session
    return by_pane
