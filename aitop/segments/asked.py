"""What was asked for with options is remembered by one empty file, so that the listener renders it from then on.

The file's name is the command line itself, its words joined by tabs, `/` as `∕`: so the sh front finds the
rendered text without starting a process. The file's time is when it was last asked for. Hot: os alone.
"""

from __future__ import annotations

import os

from aitop import paths

WORDS = ("tmux", "prompt", "waybar", "swiftbar", "guard")
JOIN, SLASH = "\t", "\u2215"
PLAIN = "plain" + JOIN  # before the words where NO_COLOR is set
MARK = "@"  # no segment of the configuration begins with it
MAX_BYTES = 200  # of a name; a longer command line goes through Python each time
MAX_ASKED = 24  # remembered at a time, the newest
KEEP_SECONDS = 86_400.0


def name_of(word: str, argv: list[str], *, plain: bool) -> str | None:
    """The name of a command line, None where it cannot be one."""
    words = [word, *argv]
    if word not in WORDS or any(JOIN in text or SLASH in text or not text.isprintable() for text in words):
        return None
    name = MARK + (PLAIN if plain else "") + JOIN.join(words).replace("/", SLASH)
    return name if len(os.fsencode(name)) <= MAX_BYTES else None


def command_of(name: str) -> tuple[str, list[str], bool] | None:
    """(word, argv, plain) of a segment's name; None for a name that no command line made."""
    if not name.startswith(MARK):
        return None
    text = name[len(MARK) :]
    plain = text.startswith(PLAIN)
    words = text.removeprefix(PLAIN).replace(SLASH, "/").split(JOIN)
    return (words[0], words[1:], plain) if words[0] in WORDS else None


def remember(name: str) -> None:
    """Leave the file, and drop the oldest where there are too many. Never raises: it only makes things faster."""
    folder = paths.in_home(paths.ASKED)
    try:
        if os.stat(paths.home()).st_uid != os.geteuid():
            return  # root in another user's home would leave a file there that the user cannot remove
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.close(
            os.open(os.path.join(folder, name), os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        )
        names = os.listdir(folder)
        if len(names) > MAX_ASKED:
            for old in sorted(names, key=lambda one: os.lstat(os.path.join(folder, one)).st_mtime)[
                :-MAX_ASKED
            ]:
                os.unlink(os.path.join(folder, old))
    except OSError:
        return


def known(home: str, now: float) -> list[str]:
    """The names asked for lately, the newest first; older files are removed."""
    folder = os.path.join(home, paths.ASKED)
    dated: list[tuple[float, str]] = []
    try:
        for name in os.listdir(folder):
            at = os.lstat(os.path.join(folder, name)).st_mtime
            if command_of(name) is None or now - at > KEEP_SECONDS:
                os.unlink(os.path.join(folder, name))
            else:
                dated.append((at, name))
    except OSError:
        return []
    return [name for _, name in sorted(dated, reverse=True)[:MAX_ASKED]]
