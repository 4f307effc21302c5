"""`aitop commit-trailer`: called by a git hook with the message's file; adds what the commit's work cost.

A commit must never fail or wait for it: after two seconds, and at any fault, the message stays as it is and the exit
code is 0. A process of its own asks the history and git; this one waits for it and writes. Where it still reads what
the clients wrote, it goes on after the commit, so that the next one has it. A history of an older aitop stays as it is:
to migrate it takes longer than a commit waits.

What the last trailer counted is kept in `$AITOP_HOME/commit-trailers.json`, by the git folder of the working tree, so
that a response which the history reads only after a commit is in the next one.
"""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from typing import NamedTuple

import click

from aitop import paths
from aitop import state as published
from aitop.history import schema
from aitop.history.query import by_place
from aitop.install import files, git_hook
from aitop.listener import find, lifecycle
from aitop.listener.lock import holder
from aitop.model.json_types import JsonObject
from aitop.reports import catchup, git
from aitop.system import atomic_file, command, git_program
from aitop.worth import trailer, within
from aitop.worth.trailer import Entry, Tree

SECONDS = 1.7  # of the two that a commit waits: the rest is for starting and ending
MESSAGE_BYTES = 1 << 20
ENTRIES_MAX = 500  # of the reflog
KNOWN_MAX = 500  # working trees that are remembered
SAME_SECONDS = 3  # two commits may follow each other within them
SAME_COMMIT = 60  # seconds from a trailer to its commit: a passphrase may be asked for
LATE = 600.0  # seconds by which the history may read a response after it was made
BUSY = ("rebase-merge", "rebase-apply", "sequencer", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")
RECORD = "commit-trailers.json"


class Mark(NamedTuple):
    """What a trailer counted: when, up to which row of the history, from which row on, and the commit before it."""

    at: float
    row: int
    before: int
    commit: str


@click.command()
@click.argument("file", required=False, type=click.Path())
@click.argument("more", nargs=-1)
@click.option(
    "--install", "install", is_flag=True, help="Add the call to the commit-msg hook of this repository."
)
@click.option("--remove", is_flag=True, help="Take it out again.")
def commit_trailer(file: str | None, more: tuple[str, ...], *, install: bool, remove: bool) -> None:  # noqa: ARG001
    """Add to a commit message what the work since the last commit cost, for a git hook.

    \b
    AI-Cost: 4.21 USD
    AI-Tokens: 1204300 in, 18200 out

    --install adds a block of five lines, marked `aitop init git`, to the commit-msg hook. The work is that of this
    working tree since its last commit. An amended commit adds to its numbers; a rebase, merge or cherry-pick leaves
    messages alone. Nothing is written where nothing is known. The exit code is always 0, and a commit waits two
    seconds at most.
    """  # noqa: D301 - click's own mark
    if install or remove:
        _set_up(remove=remove)
    elif file is None:
        raise click.UsageError("a git hook calls this with the message's file; --install adds the hook")
    else:
        _bounded(os.path.abspath(file))


def _set_up(*, remove: bool) -> None:
    """Raises click.ClickException."""
    answer = git.ask(os.getcwd(), "rev-parse", "--git-path", "hooks/commit-msg")
    if answer is None:
        raise click.ClickException("this folder is in no git repository: go to one and run it again")
    path = os.path.abspath(answer.decode("utf-8", "surrogateescape").rstrip("\n"))
    try:
        with files.lock():
            click.echo(git_hook.remove(path) if remove else git_hook.add(path))
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


def _bounded(file: str) -> None:
    """Whatever happens, the commit goes on."""
    with contextlib.suppress(Exception):
        here, now = os.getcwd(), time.time()
        left = SECONDS - time.process_time()  # starting took some of it
        reply = within.answer(lambda: _said(here, file, now), left, _reads)
        if reply is not None:
            message, marks = json.loads(reply)
            if message is not None:
                atomic_file.replace(os.path.realpath(file), message.encode("latin-1"), keep_mode=True)
            atomic_file.replace(paths.in_home(RECORD), marks.encode())


def _reads(pid: int) -> bool:
    """Whether a process of ours holds the history, to bring it up to date."""
    home = paths.home()
    lock_holder = holder(lifecycle.lock(home).path)  # it stays named there after it gave the lock back
    return lock_holder is not None and lock_holder.identity.pid == pid and find.is_locked(home)


def _said(here: str, file: str, now: float) -> bytes:
    """JSON [message, record]: the message with its trailers as Latin-1, null where it stays; nothing for no record."""
    with open(file, "rb") as opened:
        message = opened.read(MESSAGE_BYTES).decode("utf-8", "replace")
    if not _words(here, message):
        return b""  # git gives an empty message up; a trailer alone would make it a commit
    place = _lines(here, "rev-parse", "--absolute-git-dir", "--show-toplevel")
    if len(place) != 2 or any(os.path.exists(os.path.join(place[0], name)) for name in BUSY):
        return b""
    folder, top = place
    db = _history(now)
    if db is None:
        return b""
    with contextlib.closing(db):
        entries = _reflog(here)
        tree = _tree(here, top)
        marks = _marks()
        last = trailer.last_commit(entries)
        start, row = _start(last, marks.get(folder))
        done = trailer.work(by_place.since(db, start, row), tree, trailer.branches(entries, tree))
        newest = by_place.last_row(db)
    is_squash = os.path.exists(os.path.join(folder, "SQUASH_MSG"))
    before = [_text(here, "log", "-1", "--format=%B", name) for name in ("HEAD", "ORIG_HEAD")]
    number = trailer.numbers(done)
    is_amend = _is_amend(here, now)
    lines = trailer.trailers(trailer.total(number, message, before, is_squash=is_squash, is_amend=is_amend))
    with_lines = _with(here, file, lines) if lines else None
    record = _record(marks, folder, Mark(now, newest, row, last.commit))
    return json.dumps([None if with_lines is None else with_lines.decode("latin-1"), record]).encode()


def _words(here: str, message: str) -> str:
    """A message without its comments and the diff below it."""
    mark = _text(here, "config", "core.commentChar").strip()
    mark = mark if len(mark) == 1 else "#"
    above = message.partition(f"{mark} ------------------------ >8 ------------------------")[0]
    return "".join(line.strip() for line in above.split("\n") if not line.startswith(mark))


def _start(last: Entry, mark: Mark | None) -> tuple[float, int]:
    """(moment, row) after which responses count. Of a trailer that came to no commit, those before it do too."""
    if mark is None or last.at - mark.at > SAME_COMMIT:  # no trailer, or a later commit without one
        return last.at + 1.0, 0
    row = mark.row if last.commit != mark.commit else mark.before
    return (min(mark.at, last.at) - LATE if row else last.at + 1.0), row


def _is_amend(here: str, now: float) -> bool:
    """Whether git amends the last commit, which it does not say to a hook.

    Its own command says it, but for an alias, and on Linux alone. Else git hands the author's date to the hook, and
    an amended commit keeps its own: a date of seconds ago or one that the user set may be that of a new commit.
    """
    if any(command.amends(words) for words in command.of_ancestors()):
        return True
    date = os.environ.get("GIT_AUTHOR_DATE", "").removeprefix("@").partition(" ")[0]
    if not date.isdecimal() or now - int(date) < SAME_SECONDS or "GIT_COMMITTER_DATE" in os.environ:
        return False
    return date == _text(here, "log", "-1", "--format=%at", "HEAD").strip()


# -- what is asked -----------------------------------------------------------------------------------------------


def _history(now: float) -> sqlite3.Connection | None:
    """The history with everything, None where there is none. Raises what opening it raises, also for an older one."""
    path = paths.in_home(paths.HISTORY)
    if not os.path.exists(path):
        return None
    state = published.read()
    if state is not None and published.is_fresh(state, now) and state["scan"]["complete"]:
        return schema.connect_read_only(path)
    schema.connect_read_only(path).close()  # what a commit does not migrate or restore
    ready = catchup.catch_up(lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)  # a commit that left does not wait for the rest
    return ready.db


def _reflog(here: str) -> list[Entry]:
    lines = _lines(
        here, "log", "-g", f"--max-count={ENTRIES_MAX}", "--date=unix", "--format=%gd %H %gs", "HEAD"
    )
    entries = []
    for line in lines:
        second, _, rest = line.partition("@{")[2].partition("} ")
        commit, _, what = rest.partition(" ")
        if second.isdecimal():
            entries.append(Entry(int(second), what, commit))
    return entries


def _tree(here: str, top: str) -> Tree:
    branch = _text(here, "symbolic-ref", "--quiet", "--short", "HEAD").strip() or trailer.DETACHED
    trees: dict[str, str] = {}
    folder = ""
    for line in _lines(here, "worktree", "list", "--porcelain"):
        word, _, value = line.partition(" ")
        folder = value if word == "worktree" else folder
        trees[folder] = value.removeprefix("refs/heads/") if word == "branch" else trees.get(folder, "HEAD")
    main = next(iter(trees), top)
    return Tree(top, main, branch, {path: of for path, of in trees.items() if path and path != top})


def _lines(here: str, *words: str) -> list[str]:
    return _text(here, *words).splitlines()


def _text(here: str, *words: str) -> str:
    return (git.ask(here, *words) or b"").decode("utf-8", "surrogateescape")


# -- what is to be written ----------------------------------------------------------------------------------------


def _with(here: str, file: str, lines: list[str]) -> bytes:
    """The message with trailers, by git, which knows comments, scissors and trailers that stand there already.

    Raises OSError, subprocess.SubprocessError.
    """
    words = [word for line in lines for word in ("--trailer", line)]
    done = subprocess.run(
        ["git", *git_program.OPTIONS, "interpret-trailers", "--no-divider", "--if-exists", "replace", *words, file],
        cwd=here, env=os.environ | git_program.ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, timeout=SECONDS, check=True,
    )  # fmt: skip
    return done.stdout


def _marks() -> dict[str, Mark]:
    try:
        marks: JsonObject = json.loads(paths.read(paths.in_home(RECORD)))
        return {
            folder: Mark(float(at), int(row), int(before), str(commit))
            for folder, (at, row, before, commit) in marks.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}


def _record(marks: dict[str, Mark], folder: str, mark: Mark) -> str:
    newest = sorted((marks | {folder: mark}).items(), key=lambda item: item[1].at)[-KNOWN_MAX:]
    return json.dumps(dict(newest))
