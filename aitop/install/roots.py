"""Which of Claude Code's folders to serve, and telling the configuration where they are.

A service has no `CLAUDE_CONFIG_DIR` of the user's shell, so folders other than the usual ones are
recorded in the user's configuration file.
"""

import os

from aitop import config, paths
from aitop.install import configfile, files
from aitop.install.record import Configured, Installed

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
    found = named or from_environment or _configured() or tuple(default())
    return list(dict.fromkeys(os.path.abspath(os.path.expanduser(part.strip())) for part in found))


def _configured() -> tuple[str, ...]:
    try:
        return tuple(config.load()["claude.config_dirs"])
    except config.ConfigError:
        return ()


def record(served: list[str], installed: Installed) -> str | None:
    """Name the folders in the configuration where they are not the default. Says what it did."""
    path = paths.config_file()
    raw = files.read(path)
    text = files.text_of(path, raw)
    try:
        before = _dirs(text)
        known = [os.path.abspath(os.path.expanduser(part)) for part in before or []]
        wanted = list(dict.fromkeys([*known, *installed.roots, *served]))
        if wanted == known or (not known and set(wanted) <= set(default())):
            return None
        new = configfile.put(text, KEY, wanted)
    except configfile.CannotEdit as error:
        raise files.Refused(f"{path}: {error}") from error
    files.replace(path, raw, files.bytes_of(new, raw))
    first = installed.config.before if installed.config else before
    installed.config = Configured(path, wanted, first)
    return f"{path}: claude.config_dirs = {', '.join(wanted)}"


def forget(installed: Installed) -> str | None:
    """Undo `record`, unless the user has changed the key since. Says what it did."""
    ours = installed.config
    if ours is None:
        return None
    raw = files.read(ours.path)
    text = files.text_of(ours.path, raw)
    try:
        now = _dirs(text)
        if now is None:
            installed.config = None
            return None
        if now != ours.wrote:
            installed.config = None
            return f"{ours.path}: claude.config_dirs was changed since; left as it is"
        new = configfile.put(text, KEY, ours.before)
    except configfile.CannotEdit as error:
        return f"{ours.path}: {error}; left as it is"
    assert raw is not None
    if new.strip() in ("", "[claude]"):
        files.delete(ours.path, raw)
    else:
        files.replace(ours.path, raw, files.bytes_of(new, raw))
    installed.config = None
    return f"{ours.path}: claude.config_dirs is as it was before"


def _dirs(text: str) -> list[str] | None:
    found = configfile.get(text, KEY)
    return found if isinstance(found, list) else None
