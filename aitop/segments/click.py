"""What a click on a bar does: show the next preset, open the table in the user's terminal.

A choice is one word in a file of its own, read by `waybar --follow` of every bar. No terminal is named
by all desktops alike, so the ways are tried in the order a user would expect.
"""

from __future__ import annotations

import os
import sys

from aitop import paths
from aitop.segments import presets

OWN = ""  # after the last preset: what the configuration says
# Each takes a command after these words; $TERMINAL is expected to take it after -e, as nearly all do.
TERMINALS = {
    "xdg-terminal-exec": [],
    "x-terminal-emulator": ["-e"],
    "foot": [],
    "kitty": [],
    "ghostty": ["-e"],
    "alacritty": ["-e"],
    "wezterm": ["start", "--"],
    "gnome-terminal": ["--"],
    "ptyxis": ["--"],
    "kgx": ["--"],
    "konsole": ["-e"],
    "xfce4-terminal": ["-x"],
    "tilix": ["-e"],
    "st": ["-e"],
    "urxvt": ["-e"],
    "xterm": ["-e"],
}


def chosen() -> str | None:
    """The preset the last click chose, or None."""
    try:
        word = paths.read(paths.in_home(paths.PRESET))[:32].decode("ascii").strip()
    except (OSError, ValueError):
        return None
    return word if word in presets.NAMES else None


def cycle() -> int:
    """Choose the next preset; after the last one the configured one again."""
    order = (*presets.NAMES, OWN)
    word = order[(order.index(chosen() or OWN) + 1) % len(order)]
    path = paths.in_home(paths.PRESET)
    try:
        fresh = os.open(f"{path}.new", os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        os.write(fresh, word.encode() + b"\n")
        os.close(fresh)
        os.replace(f"{path}.new", path)
    except OSError as error:
        print(f"aitop waybar --cycle: {path}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def open_top() -> int:
    """Become the user's terminal with `aitop top` in it."""
    front = os.path.join(os.path.dirname(sys.executable), "aitop")
    for command in terminals([front, "top"]):
        try:
            os.execvp(command[0], command)  # noqa: S606
        except OSError:
            continue
    print("aitop: no terminal found; set TERMINAL to the one you use", file=sys.stderr)
    return 1


def terminals(command: list[str]) -> list[list[str]]:
    """The command lines to try, best first."""
    named = os.environ.get("TERMINAL", "")
    before = TERMINALS.get(os.path.basename(named), ["-e"])
    own = [[named, *before, *command]] if named else []
    return own + [[name, *words, *command] for name, words in TERMINALS.items()]
