"""What aitop installed on this machine: `$AITOP_HOME/installed.json`, so that all of it can be undone.

Kept beside the backups it names. A record that cannot be read is treated as none: then our entries
are still found by their script's path.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

from aitop import paths
from aitop.install import files


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
class Configured:
    """The user's configuration: `claude.config_dirs` as we wrote it, and before."""

    path: str
    wrote: list[str]
    before: list[str] | None


@dataclass(slots=True)
class Telemetry:
    """Keys of the user's configuration, by dotted path, as we wrote them and before."""

    path: str
    wrote: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    written: str = ""  # digest of the file as we wrote it last
    original: str | None = None  # the whole file before us


@dataclass(slots=True)
class Installed:
    """Everything that `install` and `service install` wrote."""

    settings: dict[str, Settings] = field(default_factory=dict)
    scripts: list[str] = field(default_factory=list)
    config: Configured | None = None
    service: str | None = None  # the unit or plist
    forwarder: str | None = None
    telemetry: Telemetry | None = None

    @property
    def roots(self) -> list[str]:
        return [entry.root for entry in self.settings.values()]


def load() -> Installed:
    try:
        data = json.loads(paths.read(paths.in_home(paths.INSTALLED)))
        config, telemetry = data.get("config"), data.get("telemetry")
        return Installed(
            settings={path: Settings(**entry) for path, entry in data["settings"].items()},
            scripts=[str(path) for path in data["scripts"]],
            config=Configured(**config) if config else None,
            service=data.get("service"),
            forwarder=data.get("forwarder"),
            telemetry=Telemetry(**telemetry) if telemetry else None,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Installed()


def save(installed: Installed) -> None:
    path = paths.in_home(paths.INSTALLED)
    if installed == Installed():
        if os.path.exists(path):
            os.unlink(path)
        return
    data: dict[str, Any] = {"version": 1, **asdict(installed)}
    files.replace(path, files.read(path), json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n")


def hook_scripts(installed: Installed) -> list[str]:
    """Every path under which a settings file may call us."""
    home = paths.home()
    own = [os.path.join(home, paths.HOOK), os.path.join(home, paths.STATUSLINE)]
    return list(dict.fromkeys([*own, *installed.scripts]))


def backup(path: str, raw: bytes) -> str:
    """Keep the bytes under backups/; returns the name there."""
    folder = paths.in_home(paths.BACKUPS)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    name = f"settings-{files.digest(path.encode())[:12]}.json"
    target = os.path.join(folder, name)
    files.replace(target, files.read(target), raw)
    return name


def backup_path(name: str) -> str:
    return os.path.join(paths.in_home(paths.BACKUPS), name)
