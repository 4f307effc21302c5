"""Where Claude Code's transcripts are: its configuration folders, and those that a host program gives it.

Claude's desktop program and Xcode run Claude Code with a configuration folder of their own. The desktop program keeps
one for each of its sessions, beside files of the user's, which are not searched. May look at the disk.
"""

import os
import sys

DESKTOP = "local-agent-mode-sessions"
NOT_TRANSCRIPTS = ("journal.jsonl", "audit.jsonl")
TO_PROJECTS = (None, None, None, ".claude", "projects")  # below DESKTOP; None: a folder of any name


def roots(configured: list[str], environ: dict[str, str]) -> list[str]:
    """The folders that hold transcripts: of the configured folders, else of those that the client would use."""
    home = environ.get("HOME") or os.path.expanduser("~")
    if configured:
        return of_configured(configured)
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    named = [part for part in environ.get("CLAUDE_CONFIG_DIR", "").split(",") if part.strip()]
    own = named or [os.path.join(home, ".claude"), os.path.join(base, "claude")]
    folders = [os.path.join(_absolute(part), "projects") for part in own]
    return list(dict.fromkeys([*folders, *_of_hosts(home, base)]))


def of_configured(parts: list[str]) -> list[str]:
    """The roots of folders that a user names."""
    return list(dict.fromkeys(root for part in parts for root in _of(_absolute(part))))


def _absolute(part: str) -> str:
    return os.path.abspath(os.path.expanduser(part.strip()))


def _of(folder: str) -> list[str]:
    """The transcripts of a configured folder: below its `projects`, or in itself where it holds some."""
    return [os.path.join(folder, "projects"), *([folder] if _holds_transcripts(folder) else [])]


def _holds_transcripts(folder: str) -> bool:
    """Whether a folder is one of a project, which has a name such as `-home-me-app`, or holds such folders."""
    if os.path.basename(folder).startswith("-"):
        return True
    try:
        return any(name.startswith("-") for name in os.listdir(folder))
    except OSError:
        return False


def _of_hosts(home: str, base: str) -> list[str]:
    if sys.platform != "darwin":
        return [os.path.join(base, "Claude", DESKTOP)]
    library = os.path.join(home, "Library")
    return [
        os.path.join(library, "Application Support", "Claude", DESKTOP),
        os.path.join(library, "Developer", "Xcode", "CodingAssistant", "ClaudeAgentConfig", "projects"),
    ]


def wants(path: str) -> bool:
    """Whether a file in one of the folders is a transcript."""
    if not path.endswith(".jsonl") or os.path.basename(path) in NOT_TRANSCRIPTS:
        return False
    below = _below_desktop(path)
    return below is None or (len(below) > len(TO_PROJECTS) and _leads_to_projects(below))


def enters(folder: str) -> bool:
    """Whether a folder may hold transcripts: of the desktop program's only those on the way to `projects`."""
    below = _below_desktop(folder)
    return below is None or _leads_to_projects(below)


def _below_desktop(path: str) -> list[str] | None:
    """The parts of a path below the desktop program's sessions."""
    _, mark, below = path.partition(f"{os.sep}{DESKTOP}{os.sep}")
    return below.split(os.sep) if mark else None


def _leads_to_projects(below: list[str]) -> bool:
    return all(name in (None, part) for name, part in zip(TO_PROJECTS, below, strict=False))
