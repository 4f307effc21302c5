"""Root in somebody else's home (`sudo aitop …` with the user's HOME): work as the owner, or refuse.

Files of root's in a user's home would break the user's own aitop for good. So the process becomes the
home's owner before it does anything else; where that user could not even read this program, it ends
and says what to do. Loaded only in that case.
"""

import os
import sys

import aitop


def become(uid: int) -> None:
    """Go on as this user, for good. Exits with 1 where that is not possible."""
    name, gid, groups = _user(uid)
    os.setgroups(groups)
    os.setresgid(gid, gid, 0)
    os.setresuid(uid, uid, 0)  # root can still be taken back, until it is known that this user can go on
    unreadable = next((path for path in _needed() if not os.access(path, os.R_OK, effective_ids=True)), None)
    os.setresuid(0, 0, 0)
    if unreadable is not None:
        sys.stderr.write(
            f"aitop: root would leave its own files in the home of {name}, and {name} cannot read {unreadable}. "
            f"Install aitop where {name} can read it, and run it as {name}, without sudo\n"
        )
        sys.exit(1)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _user(uid: int) -> tuple[str, int, list[int]]:
    """(name, main group, all groups) of a user."""
    import pwd

    try:
        known = pwd.getpwuid(uid)
    except KeyError:
        return f"user {uid}", uid, []
    return known.pw_name, known.pw_gid, os.getgrouplist(known.pw_name, known.pw_gid)


def _needed() -> list[str]:
    """What this program still has to read: its interpreter, the standard library, itself."""
    return [sys.executable, os.__file__, os.path.abspath(aitop.__file__)]
