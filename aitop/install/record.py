"""What aitop installed on this machine: `$AITOP_HOME/installed.json`, so that all of it can be undone.

Kept beside the backups it names. A record that cannot be read is treated as none: then our entries
are still found by their script's path.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from aitop import paths
from aitop.install import files
from aitop.model.json_types import JsonObject

RESTORED = "restored byte for byte"
REMOVED = "removed; aitop had created it"


@dataclass(slots=True)
class Settings:
    """One settings file: how it was before us and as we left it."""

    root: str
    created: bool  # there was no such file
    created_root: bool  # nor its folder
    written: str  # digest of the file as we wrote it last
    backup: str | None = None  # name under backups/
    diverged: bool = False  # others changed it between two of our writes: the backup is too old to restore
    env: dict[str, list[str | None]] = field(default_factory=dict)  # variable → [ours, the one before]


@dataclass(slots=True)
class UserConfig:
    """The user's configuration file as it was before us, and the keys that we set in it."""

    path: str
    original: str | None  # the whole text before us; None: there was no such file
    written: str = ""  # digest of the file as we wrote it last; "": others changed it between our writes
    wrote: JsonObject = field(default_factory=dict)  # dotted key → our value
    before: JsonObject = field(default_factory=dict)  # dotted key → the value before us, None: none
    folders: list[str] = field(default_factory=list)  # folders made for it, the outermost first


@dataclass(slots=True)
class Installed:
    """Everything that `install`, `setup` and `service install` wrote, but for the lines of `init`."""

    settings: dict[str, Settings] = field(default_factory=dict)
    scripts: list[str] = field(default_factory=list)
    user_config: UserConfig | None = None
    service: str | None = None  # the unit or plist
    forwarder: str | None = None

    @property
    def roots(self) -> list[str]:
        return [entry.root for entry in self.settings.values()]


def load() -> Installed:
    try:
        data = json.loads(paths.read(paths.in_home(paths.INSTALLED)))
        return Installed(
            settings={path: Settings(**entry) for path, entry in data["settings"].items()},
            scripts=[str(path) for path in data["scripts"]],
            user_config=_user_config(data),
            service=data.get("service"),
            forwarder=data.get("forwarder"),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Installed()


def _user_config(data: JsonObject) -> UserConfig | None:
    """Also from records of versions that kept folders (`config`) and telemetry apart."""
    if data.get("user_config"):
        return UserConfig(**data["user_config"])
    folders, telemetry = data.get("config"), data.get("telemetry")
    if not folders and not telemetry:
        return None
    kept = UserConfig(**telemetry) if telemetry else UserConfig((folders or {}).get("path", ""), None)
    if isinstance(folders, dict):
        kept.wrote["claude.config_dirs"], kept.before["claude.config_dirs"] = (
            folders["wrote"],
            folders["before"],
        )
        kept.written = ""
    return kept


def save(installed: Installed) -> None:
    path = paths.in_home(paths.INSTALLED)
    if installed == Installed():
        if os.path.exists(path):
            os.unlink(path)
        return
    data: JsonObject = {"version": 2, **asdict(installed)}
    files.replace(path, files.read(path), json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n")


def hook_scripts(installed: Installed) -> list[str]:
    """Every path under which a settings file may call us."""
    home = paths.home()
    own = [os.path.join(home, paths.HOOK), os.path.join(home, paths.STATUSLINE)]
    return list(dict.fromkeys([*own, *installed.scripts]))


def backup(path: str, raw: bytes, kind: str = "settings") -> str:
    """Keep the bytes under backups/; returns the name there. Each kind keeps its own original of a file."""
    folder = paths.in_home(paths.BACKUPS)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    name = f"{kind}-{files.digest(path.encode())[:12]}.json"
    target = os.path.join(folder, name)
    files.replace(target, files.read(target), raw)
    return name


def backup_path(name: str) -> str:
    return os.path.join(paths.in_home(paths.BACKUPS), name)


def end_states(lines: Sequence[tuple[str, str]]) -> list[str]:
    """The lines of several undos, each with its file. A file that is whole again has that line alone."""
    whole = {path: line for path, line in lines if line.endswith((RESTORED, REMOVED))}
    return [line for path, line in lines if line == whole.get(path, line)]
