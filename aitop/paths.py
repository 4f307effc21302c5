"""Where everything lives, and how it is read: the one place that knows a file's name.

Hot: read by `aitop hook` and every one-shot, so it imports `os` alone and creates nothing.
All paths hang off `$AITOP_HOME` (default `~/.aitop`); readers always go through it, even where
`state.json`, `segments/` and `.now` are links into `$XDG_RUNTIME_DIR`.
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
PRESET = "waybar.preset"  # chosen by a click on the bar
NOTIFIED = "notified.json"  # what people were told of already
GATEWAY_TOKEN = "gateway.token"  # noqa: S105 - a file: what requests show where the system cannot tell whose they are
OTEL = "otel.token"  # what a program must show that sends us telemetry
CONFIG_DIRS = "config_dirs.json"  # folders where clients keep their files, as their hooks named them
ASKED = "asked"  # one empty file for each command line of a display that is rendered each second
TMUX = "tmux"  # one file for each tmux server that shows our numbers


def home() -> str:
    """`$AITOP_HOME`, absolute; `~/.aitop` when unset or empty."""
    return os.path.abspath(os.environ.get("AITOP_HOME") or os.path.expanduser("~/.aitop"))


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
    """A regular file's descriptor, to be read. Raises OSError, also for what is none.

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

    None too where `$XDG_RUNTIME_DIR` is not this user's alone: its owner could put anything in our place.

    One folder for each home, so that two homes of one user never share a state file. The name is
    a plain FNV-1a of the path: `hashlib` would cost a hot path 2 ms.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    if not base or not _is_ours(base):
        return None
    number = 0xCBF29CE484222325
    for byte in os.fsencode(home()):
        number = ((number ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return os.path.join(base, f"aitop-{number:016x}")


def _is_ours(folder: str) -> bool:
    """Whether it is this user's and nobody else may write there; `su` and `sudo` may leave another's."""
    try:
        found = os.stat(folder)
    except OSError:
        return False
    is_folder = found.st_mode & 0o170000 == 0o040000
    return is_folder and found.st_uid == os.getuid() and not found.st_mode & 0o022
