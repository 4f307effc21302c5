"""The environment of a listener: which variables it may have, and those remembered from a start by hand.

A hook's environment holds its client's secrets, and a service has none of the user's shell. So a listener
gets the variables on one list, made of what this program, the network and each client need, and those of
the last `aitop start`, `install` or `setup` typed by hand lie in `$AITOP_HOME/environment.json` for a start
that lacks them. Looks at no variable that is not on the list.
"""

import json
import os
from collections.abc import Mapping

from aitop import paths
from aitop.hook import KEPT, KEPT_PREFIXES
from aitop.system import atomic_file

FILE = "environment.json"
# Not remembered: each start or login has its own, or they say where the home itself is.
_OF_EACH_START = frozenset(("HOME", "PATH", "LANG", "TZ", "DBUS_SESSION_BUS_ADDRESS"))


def names() -> frozenset[str]:
    """Variables that a listener may have by name: of this program, of networks, of every client's provider."""
    from aitop.providers.load import load

    providers, _ = load()
    return frozenset(KEPT).union(*(provider.environment for provider in providers))


def allowed(environ: Mapping[str, str]) -> dict[str, str]:
    """What of an environment a listener may have. Folders are absolute: a listener runs in `/`."""
    listed = names()
    return {
        name: _absolute(name, value)
        for name, value in environ.items()
        if name in listed or name.startswith(KEPT_PREFIXES)
    }


def _absolute(name: str, value: str) -> str:
    """A folder's path from where this command runs; several are separated by commas. Other values as they are."""
    if not value or not name.endswith(("_HOME", "_DIR", "AITOP_CONFIG")):
        return value
    parts = [part.strip() for part in value.split(",")] if name == "CLAUDE_CONFIG_DIR" else [value]
    return ",".join(os.path.abspath(os.path.expanduser(part)) for part in parts if part)


def remember(environ: Mapping[str, str], *, by_hand: bool) -> list[str]:
    """Keep what later starts may lack; the names that changed. Raises OSError.

    A start by hand replaces what is kept; one by a hook or a service adds to it, since it may lack a
    variable for no reason of the user's.
    """
    listed = names() - _OF_EACH_START
    current = {name: _absolute(name, environ[name]) for name in sorted(listed) if environ.get(name)}
    before = remembered()
    after = current if by_hand else before | current
    if after == before:
        return []
    path = paths.in_home(FILE)
    if after:
        atomic_file.replace(path, json.dumps({"version": 1, "environment": after}, indent=1).encode() + b"\n")
    else:
        os.unlink(path)
    return sorted(name for name in after.keys() | before.keys() if after.get(name) != before.get(name))


def remembered() -> dict[str, str]:
    """The variables kept; none where the file is missing or damaged."""
    try:
        kept = json.loads(paths.read(paths.in_home(FILE)))["environment"]
        return {name: value for name, value in kept.items() if isinstance(value, str)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def restore(environ: "os._Environ[str] | dict[str, str]") -> None:
    """Add to an environment what it lacks of the variables kept."""
    for name, value in remembered().items():
        environ.setdefault(name, value)
