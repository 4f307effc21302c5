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
    """The pull requests merged into any local branch, oldest first."""
    text = _run(
        top, "log", "--branches", "HEAD", f"--max-count={COMMITS_MAX}", "--encoding=UTF-8", "--format=%x1e%ct%x1f%B",
    )  # fmt: skip
    read = [merge for part in (text or "").split("\x1e")[1:] if (merge := _merge(part)) is not None]
    return sorted(read, key=lambda merge: (merge.at, merge.number))


def _merge(part: str) -> Merge | None:
    at, _, message = part.partition("\x1f")
    for pattern in _MERGES:
        match = pattern.search(message)
        if match and at.isdecimal() and len(match["number"]) < 10:
            return Merge(int(match["number"]), match["branch"] or None, int(at))
    return None


def toplevel(folder: str) -> str | None:
    """The root of the folder's working tree, None where there is none (any more)."""
    output = _run(folder, "rev-parse", "--show-toplevel") if os.path.isdir(folder) else None
    return output.removesuffix("\n") if output else None


def commits(top: str, since: float) -> list[Commit]:
    """The user's own commits on any local branch, oldest first; everyone's where the user has none."""
    text = _run(
        top, "log", "--branches", "HEAD", "--no-merges", f"--since=@{int(since)}", f"--max-count={COMMITS_MAX}",
        "--numstat", "--no-ext-diff", "--no-textconv", "--no-renames", "--encoding=UTF-8",
        "--format=%x1e%H%x1f%at%x1f%ae%x1f%s",
    )  # fmt: skip
    parts = ("\n" + (text or "")).split("\n\x1e")[
        1:
    ]  # a subject may hold the byte, never at the head of a line
    everyones = [commit for part in parts if (commit := _parse(part))]
    email = (_run(top, "config", "user.email") or "").strip().lower()
    own = [commit for commit in everyones if commit.email.lower() == email]
    return sorted(own or everyones, key=lambda commit: (commit.at, commit.hash))


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
    """git could not answer, or its answer cannot be read."""


def _run(folder: str, *arguments: str) -> str | None:
    try:
        output = ask(folder, *arguments)
    except TooLongError:
        return None
    return None if output is None else output.decode("utf-8", "replace")


def ask(folder: str, *arguments: str, most: int = OUTPUT_MAX) -> bytes | None:
    """What git says; None where it fails or is not there. Raises TooLongError."""
    try:
        process = subprocess.Popen(
            ["git", *git_program.OPTIONS, *arguments], cwd=folder, env=git_program.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError):
        return None
    deadline = time.monotonic() + TIMEOUT_SECONDS
    try:
        output = _read(process, most, deadline)
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TooLongError from None
    finally:
        _end(process)
    return output if code == 0 else None


def _read(process: "subprocess.Popen[bytes]", most: int, deadline: float) -> bytes:
    """Everything that git and its children write until the moment. Raises TooLongError."""
    assert process.stdout is not None
    poller = select.poll()
    poller.register(process.stdout, select.POLLIN)
    parts: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            raise TooLongError
        part = os.read(process.stdout.fileno(), READ_BYTES)
        if not part:
            return b"".join(parts)
        size += len(part)
        if size > most:
            raise TooLongError
        parts.append(part)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End git and what it started, where git has not ended by itself."""
    assert process.stdout is not None
    process.stdout.close()
    if process.returncode is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
