"""Where everything lives, and how it is read: the one place that knows a file's name.

Hot: read by `aitop hook` and every one-shot, so it imports `os` alone and creates nothing.
All paths hang off `$AITOP_HOME` (default `~/.aitop`); readers always go through it, even where
`state.json`, `segments/` and `.now` are links into a folder in memory.
"""

import os

SOCKET = "claudecode.sock"
STATE = "state.json"
SEGMENTS = "segments"
NOW = ".now"
HISTORY = "history.db"
LOCK = "listener.lock"
LOG = "aitop.log"
STOPPED = "stopped"
PRICES = "prices.json"
HOOK = "hook"
STATUSLINE = "statusline"
INSTALLED = "installed.json"
BACKUPS = "backups"
ENERGY = "energy.json"  # factors of the models, where the extra `energy` is installed
PRESET = "waybar.preset"  # chosen by a click on the bar
NOTIFIED = "notified.json"  # alerts that were sent already
ALERTS = "alerts.jsonl"  # when which alert was raised and ended
GATEWAY_TOKEN = "gateway.token"  # noqa: S105 - a file: requests show it where the system cannot name their user
WEB_TOKEN = "web.token"  # noqa: S105 - a file: what a browser shows that is let in to `aitop web`
OTEL = "otel.token"  # what a program must show that sends us telemetry
CONFIG_DIRS = "config_dirs.json"  # folders where clients keep their files, as their hooks named them
ASKED = "asked"  # one empty file for each command line of a display that is rendered each second
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a folder of our own in it, checked before use
ANSWERS = "answers"  # of reports for programs: one file for each question asked lately
TMUX = "tmux"  # one file for each tmux server that shows our numbers


def home() -> str:
    """`$AITOP_HOME`, absolute; `~/.aitop` when unset or empty. A leading `~` counts also where no shell saw it."""
    return os.path.abspath(_expanded(os.environ.get("AITOP_HOME") or "~/.aitop"))


def _expanded(path: str) -> str:
    """`~` filled in; the user's own home where HOME is set to nothing."""
    if path.startswith("~") and not os.environ.get("HOME", "x"):
        import pwd

        return pwd.getpwuid(os.getuid()).pw_dir + path[1:]
    return os.path.expanduser(path)


def config_file() -> str:
    """`$AITOP_CONFIG`, else `$XDG_CONFIG_HOME/aitop/config.toml`, else `~/.config/aitop/config.toml`."""
    named = os.environ.get("AITOP_CONFIG")
    if named:
        return os.path.abspath(named)
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.path.join(base, "aitop", "config.toml")


def in_home(name: str) -> str:
    """The path of one of the names above under `home()`."""
    return os.path.join(home(), name)


def opened(path: str) -> int:
    """A regular file's descriptor, to be read. Raises OSError, also for a FIFO, a device or a folder.

    Opening a FIFO would wait for its writer, a device never ends.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if os.fstat(fd).st_mode & 0o170000 == 0o100000:
        return fd
    os.close(fd)
    raise OSError(22, "is no regular file", path)


def read(path: str) -> bytes:
    """All of a regular file. Raises OSError as above."""
    fd = opened(path)
    try:
        parts = []
        while part := os.read(fd, 1 << 20):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def runtime_folder() -> str | None:
    """The memory-backed folder that holds state, segments and `.now` of this home, or None.

    Below `$XDG_RUNTIME_DIR`; where that is not set, below `/run/user/UID` or in `/dev/shm`, so that a container
    or cron spares the disk too. None where the folder is not this user's alone: its owner could put anything in
    our place.

    One folder for each home, so that two homes of one user never share a state file. The name is
    a plain FNV-1a of the path: `hashlib` would cost a hot path 2 ms.
    """
    number = 0xCBF29CE484222325
    for byte in os.fsencode(home()):
        number = ((number ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    named = os.environ.get("XDG_RUNTIME_DIR")
    for base in (named,) if named else (f"/run/user/{os.getuid()}",):
        if _is_ours(base):
            return os.path.join(base, f"aitop-{number:016x}")
    return None if named else _in_shared_memory(f"{number:016x}")


def _in_shared_memory(name: str) -> str | None:
    """A folder of this user's own among everybody's, where it is free or ours already."""
    folder = os.path.join(SHARED_MEMORY, f"aitop-{os.getuid()}-{name}")
    if not os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
        return None
    return (
        folder if not os.path.lexists(folder) or (not os.path.islink(folder) and _is_ours(folder)) else None
    )


def _is_ours(folder: str) -> bool:
    """Whether it is this user's and no other user may write there; `su` and `sudo` may leave another's."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    is_folder = status.st_mode & 0o170000 == 0o040000
    return is_folder and status.st_uid == os.getuid() and not status.st_mode & 0o022
