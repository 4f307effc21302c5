"""Commits of a folder, read with `git log`: read-only, bounded in time and number, no hook, filter or pager run."""

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from typing import NamedTuple

from aitop.system import git_program

TIMEOUT_SECONDS = 20.0
COMMITS_MAX = 5000
OUTPUT_MAX = 256 << 20  # bytes of one answer
READ_BYTES = 1 << 16
COMPLAINT_PARTS = 4  # reads of standard error that are kept
REASON_MAX = 160  # letters
GONE = "the folder is gone"

# What git says in a folder that has no working tree: nothing is wrong there. (It is asked in English.)
_NO_WORKING_TREE = (
    "not a git repository (or any",
    "must be run in a work tree",
    "cannot use bare repository",
)
_NO_COMMIT = "does not have any commits yet"


class Commit(NamedTuple):
    """One commit; `at` is when it was written (a rebase keeps that), lines are what it added and deleted."""

    hash: str
    at: int
    email: str
    subject: str
    added: int
    deleted: int


class Merge(NamedTuple):
    """A pull request that was merged; `branch` is None where its commit does not name one (a squash)."""

    number: int
    branch: str | None
    at: int


# How GitHub, GitLab and Bitbucket word a merge, and GitHub a squash: the subject, or a line of the body.
_MERGES = (
    re.compile(r"^Merge pull request #(?P<number>\d+) from [^/\s]+/(?P<branch>\S+)"),
    re.compile(
        r"^Merge branch '(?P<branch>[^']+)'.*^See merge request \S*!(?P<number>\d+)", re.DOTALL | re.MULTILINE
    ),
    re.compile(r"^Merged in (?P<branch>\S+) \(pull request #(?P<number>\d+)\)"),
    re.compile(r"^[^\n]*\(#(?P<number>\d+)\)(?P<branch>)\s*(?:\n|$)"),
)


def merges(top: str) -> list[Merge]:
    """The pull requests merged into any local branch, oldest first. Raises FailedError and TooLongError."""
    text = _log(top, f"--max-count={COMMITS_MAX}", "--encoding=UTF-8", "--format=%x1e%ct%x1f%B")
    read = [merge for part in text.split("\x1e")[1:] if (merge := _merge(part)) is not None]
    return sorted(read, key=lambda merge: (merge.at, merge.number))


def _merge(part: str) -> Merge | None:
    at, _, message = part.partition("\x1f")
    for pattern in _MERGES:
        match = pattern.search(message)
        if match and at.isdecimal() and len(match["number"]) < 10:
            return Merge(int(match["number"]), match["branch"] or None, int(at))
    return None


def toplevel(folder: str) -> str | None:
    """The root of the folder's working tree, None where there is none (any more).

    Raises FailedError and TooLongError where there may be one.
    """
    if not os.path.isdir(folder):
        return None
    try:
        output = sure(folder, "rev-parse", "--show-toplevel")
    except FailedError as error:
        if any(words in str(error) for words in _NO_WORKING_TREE):
            return None
        raise
    return os.fsdecode(output).removesuffix("\n") or None


def commits(top: str, since: float) -> list[Commit]:
    """The user's own commits on any local branch, oldest first; everyone's where the user has none.

    Raises FailedError and TooLongError.
    """
    text = _log(
        top, "--no-merges", f"--since=@{int(since)}", f"--max-count={COMMITS_MAX}",
        "--numstat", "--no-ext-diff", "--no-textconv", "--no-renames", "--encoding=UTF-8",
        "--format=%x1e%H%x1f%at%x1f%ae%x1f%s",
    )  # fmt: skip
    # A subject may hold the byte, but never at the head of a line.
    parts = ("\n" + text).split("\n\x1e")[1:]
    everyones = [commit for part in parts if (commit := _parse(part))]
    email = (ask(top, "config", "user.email") or b"").decode("utf-8", "replace").strip().lower()
    own = [commit for commit in everyones if commit.email.lower() == email]
    return sorted(own or everyones, key=lambda commit: (commit.at, commit.hash))


def _log(top: str, *words: str) -> str:
    """`git log` of every local branch and of what is checked out, also before the first commit."""
    try:
        output = sure(top, "log", "--branches", "HEAD", *words)
    except FailedError:
        if not is_unborn(top):
            raise
        output = sure(top, "log", "--branches", *words)
    return output.decode("utf-8", "replace")


def is_unborn(top: str) -> bool:
    """Whether the branch that is checked out has no commit yet."""
    try:
        sure(top, "log", "-1", "--format=")
    except FailedError as error:
        return _NO_COMMIT in str(error)
    return False


def _parse(part: str) -> Commit | None:
    head, *numbers = part.split("\n")
    fields = head.split("\x1f", 3)
    if len(fields) != 4 or not fields[1].isdecimal():
        return None
    added = deleted = 0
    for line in numbers:
        plus, _, rest = line.partition("\t")
        minus = rest.partition("\t")[0]
        if plus.isdecimal() and minus.isdecimal():  # "-" stands for a binary file
            added += int(plus)
            deleted += int(minus)
    return Commit(fields[0], int(fields[1]), fields[2], fields[3], added, deleted)


class TooLongError(Exception):
    """git took longer, or said more, than it may."""


class FailedError(Exception):
    """git could not answer, or its answer cannot be read. Its text is what git said."""


UNKNOWN = (TooLongError, FailedError)  # as text: why an answer of git's is unknown


def ask(folder: str, *arguments: str, most: int = OUTPUT_MAX) -> bytes | None:
    """What git says; None where it fails or is not there. Raises TooLongError."""
    try:
        return sure(folder, *arguments, most=most)
    except FailedError:
        return None


def sure(folder: str, *arguments: str, most: int = OUTPUT_MAX) -> bytes:
    """What git says. Raises TooLongError, and FailedError where it fails or is not there."""
    try:
        process = subprocess.Popen(
            ["git", *git_program.OPTIONS, *arguments], cwd=folder, env=git_program.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise FailedError(_not_started(folder, error)) from error
    deadline = time.monotonic() + TIMEOUT_SECONDS
    try:
        output, complaint = _read(process, most, deadline)
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TooLongError(_slow()) from None
    finally:
        _end(process)
    if code != 0:
        raise FailedError(_reason(complaint, code))
    return output


def _not_started(folder: str, error: Exception) -> str:
    if not os.path.isdir(folder):
        return GONE
    return "git is not there" if isinstance(error, FileNotFoundError) else f"git cannot be started: {error}"


def _reason(complaint: bytes, code: int) -> str:
    """The line that says why git failed."""
    lines = [line.strip() for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    ends = [line for line in lines if line.startswith("fatal:")]
    reason = (ends or lines or [f"git ended with {code}"])[0]
    return reason.removeprefix("fatal:").strip()[:REASON_MAX]


def _slow() -> str:
    return f"git took longer than {TIMEOUT_SECONDS:g} s"


def _read(process: "subprocess.Popen[bytes]", most: int, deadline: float) -> tuple[bytes, bytes]:
    """All that git and its children write until the moment, and the beginning of what it complains of.

    Raises TooLongError.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    output, complaint = process.stdout.fileno(), process.stderr.fileno()
    poller = select.poll()
    parts: dict[int, list[bytes]] = {output: [], complaint: []}
    size = 0
    for stream in parts:
        poller.register(stream, select.POLLIN)
    still_open = set(parts)
    while still_open:
        left = deadline - time.monotonic()
        ready = poller.poll(left * 1000) if left > 0 else []
        if not ready:
            raise TooLongError(_slow())
        for stream, _ in ready:
            part = os.read(stream, READ_BYTES)
            if not part:
                poller.unregister(stream)
                still_open.discard(stream)
            elif stream == output:
                size += len(part)
                if size > most:
                    raise TooLongError(f"git said more than {most >> 20} MB")
                parts[stream].append(part)
            elif len(parts[stream]) < COMPLAINT_PARTS:
                parts[stream].append(part)
    return b"".join(parts[output]), b"".join(parts[complaint])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End git and what it started, where git has not ended by itself."""
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    if process.returncode is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
