"""Which of Claude Code's folders to serve, and which of them the configuration has to name.

A service has no `CLAUDE_CONFIG_DIR` of the user's shell, so folders other than the usual ones are
recorded in the user's configuration file. Reads; writes nothing.
"""

import os

from aitop import config
from aitop.install import user_config
from aitop.install.record import Installed

KEY = "claude.config_dirs"


def default() -> list[str]:
    """What Claude Code itself uses when nothing is set; the second only where it exists."""
    home = os.path.expanduser("~")
    other = os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "claude")
    return [os.path.join(home, ".claude"), *([other] if os.path.isdir(other) else [])]


def chosen(named: tuple[str, ...]) -> list[str]:
    """--config-dir, else CLAUDE_CONFIG_DIR (commas), else the configuration's, else the default."""
    from_environment = tuple(
        part for part in os.environ.get("CLAUDE_CONFIG_DIR", "").split(",") if part.strip()
    )
    folders = named or from_environment or _configured() or tuple(default())
    return _absolute(folders)


def to_record(served: list[str], installed: Installed) -> list[str] | None:
    """What `claude.config_dirs` has to say so that these folders are read; None: nothing new. Raises Refused."""
    value = user_config.get(KEY)
    configured = _absolute(tuple(value)) if isinstance(value, list) else []
    wanted = list(dict.fromkeys([*configured, *installed.roots, *served]))
    if wanted == configured or (not configured and set(wanted) <= set(default())):
        return None
    return wanted


def _absolute(folders: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(os.path.abspath(os.path.expanduser(part.strip())) for part in folders))


def _configured() -> tuple[str, ...]:
    try:
        return tuple(config.load()[KEY])
    except config.ConfigError:
        return ()
