"""Register `aitop mcp` with Claude Code, and take it out again, both by the client's own command.

Claude Code keeps its servers in a file that it rewrites all the time, so a write beside it could be lost or lose
its own. `claude mcp` is the one writer. A server of that name that is not ours is never changed.
"""

import json
import os
import shutil
import subprocess

from aitop.install import files
from aitop.model.json_types import JsonObject
from aitop.system import installation

NAME = "aitop"
FILE = ".claude.json"
PROGRAM = "claude"
SECONDS = 60.0
MISSING = (
    "`claude` is not on PATH, and only it can register a server: install Claude Code, or add this by hand"
)


def server() -> JsonObject:
    """The entry: how the client starts us, with the home that this copy uses."""
    home = os.environ.get("AITOP_HOME")
    return {
        "type": "stdio",
        "command": installation.front(),
        "args": ["mcp"],
        "env": {"AITOP_HOME": home} if home else {},
    }


def registered() -> JsonObject | None:
    """The entry of that name in the client's file; None where there is none. Raises files.Refused."""
    folder = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~")
    path = os.path.join(folder, FILE)
    try:
        text = files.text_of(path, files.read(path))
        servers = json.loads(text or "{}").get("mcpServers", {})
        entry = servers.get(NAME)
    except (ValueError, AttributeError) as error:
        raise files.Refused(f"{path}: is not what Claude Code writes; repair it first") from error
    return entry if isinstance(entry, dict) else None


def is_ours(entry: JsonObject) -> bool:
    """Whether an entry starts an `aitop mcp`."""
    command, arguments = entry.get("command"), entry.get("args")
    return (
        isinstance(command, str)
        and os.path.basename(command) == "aitop"
        and isinstance(arguments, list)
        and arguments[:1] == ["mcp"]
    )


def planned() -> str:
    """What `add` would do, in a line. Raises files.Refused."""
    entry = registered()
    if entry == server():
        return f"{NAME} is registered with Claude Code already"
    _refuse_others(entry)
    words = ["claude", "mcp", "add-json", "--scope", "user", NAME, json.dumps(server())]
    return " ".join([*words[:-1], f"'{words[-1]}'"])


def add() -> str:
    """Register; says what was done. Raises files.Refused."""
    entry = registered()
    if entry == server():
        return planned()
    _refuse_others(entry)
    if entry is not None:
        _claude("remove", "--scope", "user", NAME)
    _claude("add-json", "--scope", "user", NAME, json.dumps(server()))
    return f"{NAME} is registered with Claude Code: a new session can ask it"


def remove() -> str | None:
    """Take ours out; says so, None where none is registered. Raises files.Refused."""
    entry = registered()
    if entry is None or not is_ours(entry):
        return None
    _claude("remove", "--scope", "user", NAME)
    return f"{NAME} is no longer registered with Claude Code"


def _refuse_others(entry: JsonObject | None) -> None:
    if entry is not None and not is_ours(entry):
        raise files.Refused(
            f"Claude Code has another server called {NAME}: `claude mcp remove --scope user {NAME}` takes it out"
        )


def _claude(*words: str) -> None:
    program = shutil.which(PROGRAM)
    if program is None:
        raise files.Refused(f"{MISSING}: {json.dumps({'mcpServers': {NAME: server()}})}")
    try:
        done = subprocess.run(
            [program, "mcp", *words],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise files.Refused(f"`claude mcp {words[0]}` did not end: {error}") from error
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise files.Refused(f"`claude mcp {words[0]}` failed: {reason}")
