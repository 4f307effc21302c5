"""The tmux server that runs: show our lines in it without loading its whole configuration again, and take them out.

Loading the user's file a second time would add what it appends (`set -a`) twice. Only global options
that hold our placeholder are changed. Talks to the server of $TMUX, else to the default one.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile

from aitop import paths
from aitop.install import blocks, files, places
from aitop.install.blocks import HASH, Unclear
from aitop.system import atomic_file

_USERS = ("AITOP_HOME", "AITOP_CONFIG", "AITOP_TAG", "AITOP_LOG_LEVEL", "AITOP_PROVIDERS")
_RECORD = "tmux-server.json"
_PRINTED = {"options": ("show-options", "-g"), "windows": ("show-options", "-gw"), "keys": ("list-keys",)}
# kind → the command before a printed line that sets it again, and the one before a name that takes it out
_UNDO = {
    "options": ("set-option -g", "set-option -gu"),
    "windows": ("set-option -gw", "set-option -gwu"),
    "keys": ("", "unbind-key"),
}
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
    before = _settings()
    if not _load(text[place[0] : place[1]]):
        return f"tmux could not load it; run: tmux source-file {path}"
    _remember(before, _settings())
    return None


def hide() -> None:
    """Undo what `show` did to the server; without a record of that, take our placeholder and options out."""
    _restore()
    for scope in ("-g", "-gw"):
        for line in (_tmux("show-options", scope) or "").splitlines():
            name = line.partition(" ")[0]
            if name.startswith("@aitop"):
                _tmux("set-option", f"{scope}qu", name)
            elif _OURS.search(line):
                value = (_tmux("show-options", f"{scope}v", name) or "").removesuffix("\n")
                _tmux("set-option", f"{scope}q", name, _OURS.sub("", value))
    for line in (_tmux("show-environment", "-g") or "").splitlines():
        name = line.partition("=")[0]
        if name == "AITOP" or (name.startswith("AITOP_") and name not in _USERS):
            _tmux("set-environment", "-gu", name)
    shutil.rmtree(paths.in_home(paths.TMUX), ignore_errors=True)  # these files make the listener send texts


def _settings() -> dict[str, dict[str, str]]:
    """The server's global options, those of windows, and key bindings: kind → name → the line tmux prints."""
    kinds = {}
    for kind, command in _PRINTED.items():
        lines = (_tmux(*command) or "").splitlines()
        kinds[kind] = {_name_of(kind, line): line for line in lines}
    return kinds


def _name_of(kind: str, line: str) -> str:
    """An option's name; a key's table and name."""
    if kind != "keys":
        return line.partition(" ")[0]
    match = re.match(r"bind-key\s+(?:-r\s+)?(-T\s+\S+\s+\S+)", line)
    return match.group(1) if match else line


def _remember(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> None:
    """Keep what our lines changed in this server: kind → name → [line before or None, line after]."""
    changes = {
        kind: {
            name: [before[kind].get(name), line]
            for name, line in after[kind].items()
            if before[kind].get(name) != line
        }
        for kind in after
    }
    record = {"server": _server(), "changes": changes}
    atomic_file.replace(paths.in_home(_RECORD), json.dumps(record, indent=1).encode() + b"\n")


def _restore() -> None:
    """Put back what `show` changed in this server, except what was changed since."""
    path = paths.in_home(_RECORD)
    try:
        record = json.loads(paths.read(path))
        os.unlink(path)
        changes = record["changes"] if record["server"] == _server() else {}
    except (OSError, ValueError, KeyError, TypeError):
        return
    now = _settings()
    lines = []
    for kind, undo in _UNDO.items():
        for name, (before, after) in changes.get(kind, {}).items():
            if now[kind].get(name) == after:
                lines.append(f"{undo[0]} {before}" if before is not None else f"{undo[1]} {name}")
    _load("\n".join(line.strip() for line in lines) + "\n")


def _server() -> str | None:
    return _tmux("display-message", "-p", "#{socket_path},#{pid}")


def _load(text: str) -> bool:
    """Have the server read these lines of configuration."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".conf") as file:
        file.write(text)
        file.flush()
        return _tmux("source-file", file.name) is not None


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
