"""One repository, asked by `git` what it says of single files: read-only, bounded, no hook, filter or pager run.

"The main branch" is what the remote's HEAD names, else main, master, trunk or develop, here and as it was last
fetched; where none of them is there, the checked-out commit. Other branches count while they are not merged into it.
A file that was renamed is looked for under its newer names. Raises git.TooLongError where git takes too
long, git.FailedError where it cannot answer.
"""

import os
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from aitop.providers.files import read_regular
from aitop.reports import git
from aitop.reports.shipped.acts import numbers
from aitop.reports.shipped.survival import Added, Blamed, Word

MAIN = ("main", "master", "trunk", "develop")
BRANCHES_MAX = 10  # not merged, the newest
FILE_BYTES = 8 << 20  # of a file in the working tree
UNREADABLE = "git's answer cannot be read"


class Tree:
    """A repository with the working trees of it that were worked in."""

    def __init__(self, tops: Sequence[str], since: float) -> None:
        """`since`: no commit before it matters."""
        self.tops, self._since = tops, int(since)
        self.error = ""  # why git could not say what commits added

    def word(self, path: str) -> Word:
        """What is known of a file by its path from the root."""
        main = _united([self._blame(revision, path) for revision in self._main])
        others = _united(
            [self._blame(revision, path) for revision in self._branches if self._differs(revision, path)]
        )
        held = Counter(number for number, _ in main) | Counter(number for number, _ in others)
        return Word(main, _beyond(others, main), self._open(path) - held)

    def added(self, path: str) -> Added | None:
        """The lines that commits added to a file under all its names; None where git cannot say it."""
        try:
            text = self._sure(
                *self._log, "-p", "-U0", "-w", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames",
                "--format=%x1e%ct", "--", *self._names(path),
            )  # fmt: skip
        except git.FailedError as error:
            self.error = str(error)
            return None
        seconds_by_line: Added = {}
        second = ""
        for line in text.decode("utf-8", "replace").split("\n"):
            if line.startswith("\x1e"):  # a line of a file has a sign before it
                second = line[1:]
                if not second.isdecimal():
                    self.error = UNREADABLE
                    return None
            elif line.startswith("+") and not line.startswith("+++ "):
                for number in numbers([line[1:]], path):
                    seconds_by_line.setdefault(number, []).append(int(second))
        return {number: sorted(seconds) for number, seconds in seconds_by_line.items()}

    # -- revisions -------------------------------------------------------------------------------------------

    @cached_property
    def _refs(self) -> dict[str, str]:
        """Name of a local branch, or of one of `origin` → commit."""
        lines = _split(
            self._sure(
                "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/remotes/origin"
            )
        )
        return dict(line.split(" ", 1) for line in lines)

    @cached_property
    def _main(self) -> list[str]:
        remote = "refs/remotes/origin/"
        named = self._lines("symbolic-ref", "--quiet", f"{remote}HEAD")
        for name in (*(one.removeprefix(remote) for one in named), *MAIN):
            commits = {self._refs[one] for one in (f"refs/heads/{name}", remote + name) if one in self._refs}
            if commits:
                return self._newest(sorted(commits))
        return self._heads[:1]

    def _newest(self, commits: list[str]) -> list[str]:
        """Without those that another one holds."""
        if len(commits) < 2:
            return commits
        return self._lines("merge-base", "--independent", *commits) or commits

    @cached_property
    def _heads(self) -> list[str]:
        """What the working trees have checked out, without those in which nothing is committed yet."""
        answers = [_head(top) for top in self.tops]
        return list(dict.fromkeys(answer.decode().strip() for answer in answers if answer))

    @cached_property
    def _branches(self) -> list[str]:
        if not self._main:
            return []
        not_merged = [f"--no-merged={commit}" for commit in self._main[:1]]
        text = self._sure("for-each-ref", "--sort=-committerdate", "--format=%(objectname) %(committerdate:unix)",
                          *not_merged, "refs/heads")  # fmt: skip
        tips = (tip.partition(" ") for tip in _split(text))
        new = [commit for commit, _, second in tips if second.isdecimal() and int(second) >= self._since]
        checked_out = [head for head in self._heads if not self._is_merged(head)]
        commits = dict.fromkeys([*checked_out, *new[:BRANCHES_MAX]])
        return [commit for commit in commits if commit not in self._main]

    def _is_merged(self, commit: str) -> bool:
        return any(self._ask("merge-base", "--is-ancestor", commit, main) is not None for main in self._main)

    # -- files -----------------------------------------------------------------------------------------------

    @cached_property
    def _log(self) -> tuple[str, ...]:
        """How a question about every commit that matters begins."""
        return ("log", "--branches", *self._heads, *self._main, f"--since=@{self._since}")

    @cached_property
    def _renames(self) -> dict[str, str]:
        """Old path → the newest one that it was moved to."""
        text = self._sure(
            *self._log, "--reverse", "-M", "-z", "--diff-filter=R", "--name-status", "--format="
        )
        parts = [part.strip("\n") for part in text.decode("utf-8", "surrogateescape").split("\0")]
        renamed = {}
        for at, word in enumerate(parts[:-2]):
            if word[:1] == "R" and word[1:].isdecimal():
                renamed[parts[at + 1]] = parts[at + 2]
        return renamed

    def _names(self, path: str) -> list[str]:
        names = [path]
        while (newer := self._renames.get(names[-1])) and newer not in names:
            names.append(newer)
        return names

    def _found(self, revision: str, path: str) -> tuple[str, str] | None:
        """(path, blob) of a file in a commit, under its own name or a newer one."""
        blob = self._blob(revision, path)
        if blob is not None:
            return path, blob
        for name in self._names(path)[1:]:
            blob = self._blob(revision, name)
            if blob is not None:
                return name, blob
        return None

    def _blob(self, revision: str, path: str) -> str | None:
        answer = self._ask("rev-parse", "--verify", "--quiet", f"{revision}:{path}")
        return answer.decode().strip() if answer else None

    def _differs(self, revision: str, path: str) -> bool:
        """Whether a branch has another content of a file than the main one."""
        blobs = [entry[1] for main in self._main if (entry := self._found(main, path)) is not None]
        entry = self._found(revision, path)
        return entry is not None and entry[1] not in blobs

    def _blame(self, revision: str, path: str) -> list[tuple[int, int]]:
        entry = self._found(revision, path)
        if entry is None:
            return []
        try:
            text = self._sure(
                "blame", "--porcelain", "--no-ignore-revs-file", "--no-textconv", "-w", "-M",
                f"--since=@{self._since}", revision, "--", entry[0],
            )  # fmt: skip
        except git.FailedError:
            if self._ask("cat-file", "-t", entry[1]) == b"tree\n":
                return []  # a folder has the file's name now
            raise
        return _parsed(text.decode("utf-8", "replace"), path)

    def _open(self, path: str) -> Counter[int]:
        """The lines of a file in the working trees."""
        most: Counter[int] = Counter()
        for top in self.tops:
            files = (os.path.join(top, name) for name in self._names(path))
            file = next((one for one in files if os.path.lexists(one)), None)
            if file is not None:
                most |= Counter(numbers(_content(file).split("\n"), path))
        return most

    # -- git -------------------------------------------------------------------------------------------------

    def _ask(self, *words: str) -> bytes | None:
        return git.ask(self.tops[0], *words)

    def _sure(self, *words: str) -> bytes:
        return git.sure(self.tops[0], *words)

    def _lines(self, *words: str) -> list[str]:
        return _split(self._ask(*words) or b"")


def _head(top: str) -> bytes:
    """What a working tree has checked out, nothing before its first commit. Raises git.FailedError."""
    try:
        return git.sure(top, "rev-parse", "--verify", "HEAD")
    except git.FailedError:
        if git.is_unborn(top):
            return b""
        raise


def _split(text: bytes) -> list[str]:
    """Lines as git means them: a name may hold other characters that end a line elsewhere."""
    return text.decode("utf-8", "replace").removesuffix("\n").split("\n") if text else []


def _content(file: str) -> str:
    """A file's text, "" for a folder and the like. Raises git.TooLongError."""
    try:
        if os.lstat(file).st_size > FILE_BYTES:
            raise git.TooLongError(f"a file has more than {FILE_BYTES >> 20} MB")
        return read_regular(file, FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _parsed(text: str, path: str) -> list[tuple[int, int]]:
    """(number, second of its commit) of each line of `git blame --porcelain`, which describes a commit once."""
    seconds: dict[str, int] = {}
    lines: list[tuple[int, int]] = []
    commit = ""
    for line in text.split("\n"):
        if line.startswith("\t"):
            lines += [(number, seconds.get(commit, 0)) for number in numbers([line[1:]], path)]
        elif line.startswith("committer-time "):
            if not line[15:].isdecimal():
                raise git.FailedError(UNREADABLE)
            seconds[commit] = int(line[15:])
        elif line[:40].isalnum() and line[40:41] == " ":
            commit = line[:40]
    return lines


def _united(blames: Sequence[Blamed]) -> list[tuple[int, int]]:
    """Each line as often as the one that has it most often."""
    most: Counter[tuple[int, int]] = Counter()
    for blamed in blames:
        most |= Counter(blamed)
    return list(most.elements())


def _beyond(others: Blamed, main: Blamed) -> list[tuple[int, int]]:
    """The lines of branches that the main one does not hold, the newest first."""
    held = Counter(number for number, _ in main)
    lines = []
    for number, second in sorted(others, key=lambda pair: pair[1]):
        if held[number] > 0:
            held[number] -= 1
        else:
            lines.append((number, second))
    return lines
