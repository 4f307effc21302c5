"""Whether a command may work in the home it would work in. Each command asks `refusal` before anything else.

Root in the home of another user (`sudo` often keeps HOME) would leave a history, a log or a lock that stop
the user's own listener. A relative home is another folder in every place, and an empty HOME is the root of
the disk. Looks at owners and variables alone; writes nothing.
"""

import os

from aitop import paths

# Words that read and write no file of the home.
HARMLESS = frozenset(("version", "--version", "-V", "--help", "-h", "completions", "man", "demo"))
# Words that also change files outside `$AITOP_HOME`.
OF_THE_WHOLE_HOME = frozenset(("setup", "install", "uninstall", "init", "service"))


def refusal(words: list[str]) -> str | None:
    """Why this command may not run here, with what to do instead; None where it may."""
    if not words or words[0] in HARMLESS or {"--help", "-h"} & set(words):
        return None
    return _unclear_home() or (_not_for_root(words) if os.geteuid() == 0 else None)


def _unclear_home() -> str | None:
    """What is wrong with the variables that say where the home is."""
    named = os.environ.get("AITOP_HOME")
    if named and not os.path.isabs(named):
        return (
            f"AITOP_HOME is {named}, which every program takes for another folder. Set it to an absolute path, "
            f"such as {os.path.abspath(os.path.expanduser(named))}"
        )
    home = os.environ.get("HOME")
    if home is not None and not os.path.isabs(home):
        return f"HOME is {home or 'empty'}: set it to your home folder, an absolute path"
    return None


def _not_for_root(words: list[str]) -> str | None:
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
