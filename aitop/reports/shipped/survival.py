"""What became of each line that edits added to one file, by git's word. Pure.

Each line of git's can be the word for one edited line alone. The newest edits choose first, because what stands in a
file now was written last: of two edits that wrote the same line, the earlier one was written over.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

SURVIVED = "survived"  # in the blame of the main branch, from a commit after the edit
UNMERGED = "not merged"  # the same of another branch
OPEN = "not committed yet"  # in the working tree
REVERTED = "reverted"  # in a commit after the edit, and gone since
DROPPED = "never committed"
UNKNOWN = "unknown"
DECIDED = (SURVIVED, UNMERGED, OPEN, REVERTED, DROPPED)

Blamed = Sequence[tuple[int, int]]  # (number of a line, second of the commit that it comes from)
Added = dict[int, list[int]]  # number of a line → seconds of the commits that added it, in rising order


class Line(NamedTuple):
    """One line that an edit added at a moment; `edit` is the caller's number for the edit."""

    edit: int
    number: int
    at: float


class Word(NamedTuple):
    """What git and the disk say of one file. `open` holds the lines that are in no commit."""

    main: Blamed
    branches: Blamed
    open: Counter[int]


def fates(lines: Iterable[Line], word: Word, added: Callable[[], Added | None]) -> list[tuple[int, str]]:
    """(edit, fate) of each line. `added` is asked only where lines are left; None: git could not say it."""
    pools = ((SURVIVED, _pool(word.main)), (UNMERGED, _pool(word.branches)))
    found: list[tuple[int, str]] = []
    taken: list[tuple[int, int]] = []  # lines with the second of their commit
    left: list[Line] = []
    still_open = Counter(word.open)
    for line in sorted(lines, key=lambda line: -line.at):
        for fate, pool in pools:
            second = _take(pool, line)
            if second is not None:
                taken.append((line.number, second))
                found.append((line.edit, fate))
                break
        else:
            if still_open[line.number] > 0:
                still_open[line.number] -= 1
                found.append((line.edit, OPEN))
            else:
                left.append(line)
    return found + (_gone(left, taken, added()) if left else [])


def _gone(left: list[Line], taken: list[tuple[int, int]], commits: Added | None) -> list[tuple[int, str]]:
    """The fates of lines that are nowhere now: in a commit once, or in none."""
    if commits is None:
        return [(line.edit, UNKNOWN) for line in left]
    pool = {number: list(seconds) for number, seconds in commits.items()}
    for number, second in taken:
        if second in pool.get(number, ()):
            pool[number].remove(second)
    return [(line.edit, DROPPED if _take(pool, line) is None else REVERTED) for line in left]


def _pool(blamed: Blamed) -> dict[int, list[int]]:
    pool: dict[int, list[int]] = {}
    for number, second in sorted(blamed, key=lambda pair: pair[1]):
        pool.setdefault(number, []).append(second)
    return pool


def _take(pool: dict[int, list[int]], line: Line) -> int | None:
    """Take the first commit of this line that is not before the edit; git knows whole seconds."""
    seconds = pool.get(line.number)
    if not seconds:
        return None
    place = bisect_left(seconds, int(line.at))
    return seconds.pop(place) if place < len(seconds) else None
