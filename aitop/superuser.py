"""Keep root out of another user's home: what `sudo aitop …` would leave there, its owner could not change.

`sudo` often keeps HOME. Then a history, a log or a lock of root's would stop the user's own listener. So
each command asks `refusal` before it does anything. Looks at owners alone; writes nothing.
"""

import os

from aitop import paths

# Words that read and write no file of the home.
HARMLESS = frozenset(("version", "--version", "-V", "--help", "-h", "completions", "man", "demo"))
# Words that also change files outside `$AITOP_HOME`.
OF_THE_WHOLE_HOME = frozenset(("setup", "install", "uninstall", "init", "service"))


def refusal(words: list[str]) -> str | None:
    """Why root may not run this command here, with what to do instead; None where it may."""
    if os.geteuid() != 0 or not words or words[0] in HARMLESS or {"--help", "-h"} & set(words):
        return None
    folders = [paths.home()]
    if words[0] in OF_THE_WHOLE_HOME:
        folders.append(os.path.expanduser("~"))
    for folder in folders:
        owner = _owner(folder)
        if owner:
            name = _name(owner)
            return (
                f"{folder} belongs to {name}, and this runs as root: it would leave files that {name} cannot "
                f"change. Run it as {name}, without sudo: aitop {' '.join(words)}\n"
                "For numbers of root's own: sudo -H aitop …, or set AITOP_HOME to a folder of root's"
            )
    return None


def _owner(path: str) -> int:
    """The user id that a folder belongs to, or would: that of the nearest folder above that is there."""
    while True:
        try:
            return os.stat(path).st_uid
        except OSError:
            above = os.path.dirname(path)
            if above == path:
                return 0
            path = above


def _name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
