"""The answer of a report for programs, given once more while everything that it was made from is as it was.

A script that asks for `--json` or `--csv` again and again gets the bytes of last time after a look at every file:
the clients' folders, our home with the history in it, the configuration, the program itself. For a quarter of an
hour at most, on the quarter hours, where days begin in every zone. Kept is only what nothing but such a change can
alter: all files are read to their ends, and no response waits for its stop reason.

It must not answer where it is not sure: then the report is made as ever. Read before the option parser is loaded,
so it imports little.
"""

import os
import sys
import time

import aitop
from aitop import paths
from aitop.ingest import looks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

SECONDS = 900  # no answer outlives the quarter hour that it was given in
FORMS = frozenset(("--json", "--csv"))
# Differ from one shell to the next and are in no answer.
IGNORED = frozenset(("_", "OLDPWD", "PWD", "SHLVL"))
HISTORY = (paths.HISTORY, f"{paths.HISTORY}-wal")
# Change in the home without changing an answer.
QUIET = frozenset(
    (*HISTORY, f"{paths.HISTORY}-shm", paths.LOCK, paths.LOG, f"{paths.LOG}.1", paths.STATE, paths.SOCKET, paths.NOW,
     paths.NOTIFIED, paths.ALERTS)
)  # fmt: skip


class Question:
    """One call of a report: the file of its answer, and what was there when it was asked, beside the records."""

    __slots__ = ("before", "now", "path")

    def __init__(self, path: str, now: float) -> None:
        self.path, self.now, self.before = path, now, _around()

    def answer(self) -> bytes | None:
        """What was answered last time, where that still holds."""
        try:
            head, _, rest = paths.read(self.path).partition(b"\0")
            until, seen, count = head.split()
            *places, answered = rest.split(b"\0", int(count))
            current = int(until) - SECONDS <= self.now < int(until)
        except (OSError, ValueError):
            return None
        if not current:
            return None
        now_seen = self._seen({place: looks.of(place) for place in map(os.fsdecode, places)})
        return answered if now_seen.hex().encode() == seen else None

    def keep(self, places: "Mapping[str, bytes]", answered: bytes) -> None:
        """Keep an answer. `places`: what was read for it, and how it looked before. The caller holds the lock."""
        from aitop.system import atomic_file

        until = (int(self.now) // SECONDS + 1) * SECONDS
        head = f"{until} {self._seen(places).hex()} {len(places)}".encode()
        try:
            folder = os.path.dirname(self.path)
            os.makedirs(folder, mode=0o700, exist_ok=True)
            _forget_old(folder, self.now)
            atomic_file.replace(self.path, b"\0".join((head, *map(os.fsencode, places), answered)))
        except OSError:
            return  # a full disk: the next call makes its answer anew

    def _seen(self, places: "Mapping[str, bytes]") -> bytes:
        history = [looks.of_file(paths.in_home(name)) for name in HISTORY]
        return looks.digest((self.before, history, list(places.values())))


class Recording:
    """Prints what a command prints, and remembers it."""

    def __init__(self, question: object) -> None:
        """`question`: a Question. Anything else means that nothing is kept."""
        self._question = question if isinstance(question, Question) else None
        self._parts: list[str | bytes] | None = None

    def of(self, answering: "Callable[[], None]") -> None:
        """Run it; what it prints is an answer once it comes to its end."""
        out, parts = sys.stdout, list["str | bytes"]()
        sys.stdout = _Tee(out, parts)
        try:
            answering()
        finally:
            sys.stdout = out
        self._parts = parts

    def keep(self, places: "Mapping[str, bytes] | None") -> None:
        """Keep what was printed, where what it was made from is known."""
        if self._question is not None and self._parts is not None and places is not None:
            out = sys.stdout
            self._question.keep(
                places,
                b"".join(
                    part if isinstance(part, bytes) else part.encode(out.encoding, out.errors or "strict")
                    for part in self._parts
                ),
            )


class _Tee:
    """A stream that also remembers what is written to it."""

    def __init__(self, out: "Any", parts: "list[str | bytes]") -> None:
        self._out, self._parts = out, parts

    @property
    def buffer(self) -> "_Tee":
        """The same for bytes."""
        return _Tee(self._out.buffer, self._parts)

    def write(self, data: "str | bytes") -> int:
        written: int = self._out.write(data)
        self._parts.append(data)
        return written

    def __getattr__(self, name: str) -> object:
        return getattr(self._out, name)


def question(words: list[str], clock: "Callable[[], float]" = time.time) -> Question | None:
    """What a call asks, if its answer may be kept; else None."""
    if words[:1] != ["report"] or not FORMS.intersection(words):
        return None
    try:
        folder = os.getcwd()
    except OSError:
        return None
    variables = sorted((name, value) for name, value in os.environ.items() if name not in IGNORED)
    key = (aitop.__version__, sys.version, sys.stdout.encoding, folder, words, variables)
    return Question(os.path.join(paths.in_home(paths.ANSWERS), looks.digest(key).hex()), clock())


def _around() -> bytes:
    """Our home but for the history, the configuration, the zone, and the program with its packages."""
    try:
        home = [
            looks.of_file(entry.path)
            for entry in sorted(os.scandir(paths.home()), key=lambda entry: entry.name)
            if entry.name not in QUIET and not entry.is_dir(follow_symlinks=False)
        ]
    except OSError:
        home = []
    package = os.path.dirname(os.path.abspath(__file__))
    program = (package, os.path.dirname(package), os.path.dirname(os.path.dirname(package)))
    return looks.digest([*home, *map(looks.of_file, (paths.config_file(), "/etc/localtime", *program))])


def _forget_old(folder: str, now: float) -> None:
    """Remove the answers that no longer hold."""
    for entry in os.scandir(folder):
        if now - entry.stat(follow_symlinks=False).st_mtime > SECONDS:
            os.unlink(entry.path)
