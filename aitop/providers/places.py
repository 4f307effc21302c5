"""Where clients keep their files, by platform: a place is a path whose first part may be a word.

`~` is the user's home folder, CONFIG the folder of programs' settings, DATA that of their data. Looks at the disk
only on a Mac, where a program may use either of two data folders. Must not search anything.
"""

import os
import sys
from collections.abc import Mapping


def home(environ: Mapping[str, str]) -> str:
    """The user's home folder."""
    return environ.get("HOME") or os.path.expanduser("~")


def expand(place: str, environ: Mapping[str, str]) -> str:
    """A place as an absolute path."""
    first, _, rest = place.partition("/")
    support = os.path.join(home(environ), "Library", "Application Support")
    mac = sys.platform == "darwin"
    if first == "CONFIG":
        base = environ.get("XDG_CONFIG_HOME") or os.path.join(home(environ), ".config")
        return os.path.join(support if mac else base, rest)
    if first == "DATA":
        own = os.path.join(
            environ.get("XDG_DATA_HOME") or os.path.join(home(environ), ".local", "share"), rest
        )
        return os.path.join(support, rest) if mac and not os.path.exists(own) else own
    return os.path.join(home(environ), rest if first == "~" else place)


def named(folder: str) -> str:
    """A folder that a user or a variable names, as an absolute path."""
    return os.path.abspath(os.path.expanduser(folder.strip()))
