"""The tmux server that runs: show our lines in it without loading its whole configuration again, and take them out.

Loading the user's file a second time would add what it appends (`set -a`) twice. Only global options
that hold our placeholder are changed. Talks to the server of $TMUX, else to the default one.
"""

import os
import re
import shutil
import subprocess
import tempfile

from aitop import paths
from aitop.install import blocks, files, places
from aitop.install.blocks import HASH, Unclear

_USERS = ("AITOP_HOME", "AITOP_CONFIG", "AITOP_TAG", "AITOP_LOG_LEVEL", "AITOP_PROVIDERS")
_OURS = re.compile(r" ?(#\{E:@aitop_out_\w+\}|#\(exec '[^']*/segment\.sh' \w+\))")


def runs() -> bool:
    """Whether a server answers."""
    return shutil.which("tmux") is not None and _tmux("list-sessions") is not None


def shows() -> bool:
    """Whether that server shows our numbers already."""
    return _OURS.search(_tmux("show-options", "-g") or "") is not None


def is_fresh(now: float) -> bool:
    """Whether the text that the listener sent to the server may still be shown."""
    name, _, until = (_tmux("show-environment", "-g", "AITOP_UNTIL") or "").strip().partition("=")
    return name == "AITOP_UNTIL" and until.isdecimal() and int(until) >= now


def show() -> str | None:
    """Load our lines, as they stand in the user's file, into the server; what went wrong, or None."""
    path = places.tmux_conf()
    try:
        text = files.text_of(path, files.read(path))
        place = blocks.find(text, "tmux", HASH)
    except (files.Refused, Unclear) as error:
        return str(error)
    if place is None:
        return f"{path} has no lines of ours"
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".conf") as file:
        file.write(text[place[0] : place[1]])
        file.flush()
        if _tmux("source-file", file.name) is None:
            return f"tmux could not load it; run: tmux source-file {path}"
    return None


def hide() -> None:
    """Take our placeholder and options out of the server."""
    for line in (_tmux("show-options", "-g") or "").splitlines():
        name = line.partition(" ")[0]
        if name.startswith("@aitop"):
            _tmux("set-option", "-gqu", name)
        elif _OURS.search(line):
            value = (_tmux("show-options", "-gv", name) or "").removesuffix("\n")
            _tmux("set-option", "-gq", name, _OURS.sub("", value))
    for line in (_tmux("show-environment", "-g") or "").splitlines():
        name = line.partition("=")[0]
        if name == "AITOP" or (name.startswith("AITOP_") and name not in _USERS):
            _tmux("set-environment", "-gu", name)
    _back_to_the_users("status-right-length", "status-interval")
    shutil.rmtree(paths.in_home(paths.TMUX), ignore_errors=True)  # what tells the listener to send texts


def _back_to_the_users(*names: str) -> None:
    """Options that our lines set go back to tmux's own value, where the user's file does not set them."""
    try:
        with open(places.tmux_conf(), encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        text = ""
    for name in names:
        if name not in text:
            _tmux("set-option", "-gqu", name)


def _tmux(*words: str) -> str | None:
    """What tmux prints; None where it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "TMUX_PANE"}
    try:
        ended = subprocess.run(
            ["tmux", *words], capture_output=True, text=True, errors="replace", timeout=10, check=False,
            stdin=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout if ended.returncode == 0 else None
