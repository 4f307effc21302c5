"""What `setup` can set up on this machine: one part for each, with what it would change and how it is undone.

A part is planned before anything is written; several parts may change one file, so each is planned on
what the parts before it make of it. `carry_out` writes all chosen parts or none.
"""

import functools
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from aitop import paths
from aitop.install import connect, files, forwarder, record, roots, service_cli, snippets, survey, written
from aitop.install import service as units
from aitop.install.blocks import Unclear
from aitop.system import installation

CLAUDE, STATUSLINE, SERVICE = "claude-code", "statusline", "service"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that can be set up. `problem`: why it cannot; `ready`: it is set up already."""

    name: str
    title: str
    about: str
    diff: str = ""
    problem: str = ""
    ready: bool = False
    by_default: bool = True
    paths: tuple[str, ...] = ()
    note: str = ""  # what is left for the user to do
    write: Callable[[], list[str]] = field(default=list, repr=False)

    @property
    def files(self) -> list[dict[str, object]]:
        """What changes, by file: lines added and removed."""
        counted: dict[str, list[int]] = {}
        for line in self.diff.splitlines():
            if line.startswith("+++ "):
                counted[line[4:]] = [0, 0]
            elif counted and line.startswith(("+", "-")) and not line.startswith("--- "):
                counted[list(counted)[-1]][line[0] == "-"] += 1
        return [
            {"path": path, "added": added, "removed": removed} for path, (added, removed) in counted.items()
        ]


def survey_parts(only: tuple[str, ...] = ()) -> list[Part]:
    """Every part that this machine has a use for. `only`: no plan is made for the others."""
    planned: dict[str, bytes] = {}
    parts = []
    if survey.has_claude_code():
        if not only or CLAUDE in only:
            parts.append(_claude())
        if not only or STATUSLINE in only:
            parts.append(_statusline())
    wanted = [display for display in survey.displays() if not only or display.host in only]
    parts += [_display(display, planned) for display in wanted]
    if SERVICE in only or (not only and not survey.has_claude_code()):
        parts.append(_service())
    return parts


def carry_out(chosen: list[Part]) -> list[str]:
    """Write every chosen part, or none; under the caller's lock. Raises files.Refused."""
    own = [paths.in_home(name) for name in (paths.INSTALLED, written.RECORD)]
    touched = dict.fromkeys([*own, *(path for part in chosen for path in part.paths)])
    lines: list[str] = []
    with files.all_or_none(touched):
        for part in chosen:
            lines += part.write()
    return lines


def _claude() -> Part:
    about = "hooks, so that each number comes at once"
    try:
        connection = connect.plan(roots.chosen(()), record.load(), statusline=False)
    except files.Refused as error:
        return Part(CLAUDE, "Claude Code", about, problem=str(error))
    ready = not connection.diff and os.access(paths.in_home(paths.HOOK), os.X_OK)
    return Part(
        CLAUDE, "Claude Code", about, connection.diff, ready=ready, paths=tuple(connection.paths),
        note="it reads its settings at its start, so sessions that run now send nothing yet.",
        write=lambda: _connect(statusline=False),
    )  # fmt: skip


def _statusline() -> Part:
    title, about = "status line", "of Claude Code: cost, context, limits"
    try:
        connection = connect.plan(roots.chosen(()), record.load(), statusline=True, hooks=False)
    except files.Refused as error:
        return Part(STATUSLINE, title, about, problem=str(error))
    diff = "\n".join(step.diff for step in connection.settings if step.diff)
    if diff and any(b'"statusLine"' in (step.before or b"") for step in connection.settings):
        about = "of Claude Code: fed in front of your own line, which stays"
    return Part(
        STATUSLINE, title, about, diff, ready=not diff, paths=tuple(connection.paths),
        write=lambda: _connect(statusline=True, hooks=False),
    )  # fmt: skip


def _connect(*, statusline: bool, hooks: bool = True) -> list[str]:
    installed = record.load()
    connection = connect.plan(roots.chosen(()), installed, statusline=statusline, hooks=hooks)
    return connect.write(connection, installed, _proofs())


@functools.cache
def _proofs() -> list[forwarder.Proof]:
    """The trials of the forwarders take a second: once is enough."""
    return forwarder.choose()


def _display(display: survey.Display, planned: dict[str, bytes]) -> Part:
    kept = dict(planned)
    try:
        texts = snippets.snippets(display.host, display.shell, installation.front(), display.theme)
        changes = written.plan(display.host, display.shell, texts, display.folder, planned)
    except (files.Refused, Unclear, OSError) as error:
        planned.clear()
        planned.update(kept)
        return Part(display.host, display.title, display.note, problem=str(error))
    diff = "\n".join(change.diff for change in changes if change.diff)
    notes = [change.place.note for change in changes if change.place.note and _concerns(change)]

    def write() -> list[str]:
        return [written.put(change) for change in _again(display, texts, changes)]

    return Part(
        display.host, display.title, display.note, diff, ready=not diff,
        paths=tuple(change.path for change in changes), note=" ".join(notes), write=write,
    )  # fmt: skip


def _concerns(change: written.Change) -> bool:
    """Whether a place's note is of use here: tmux is loaded by us, most starship files have no format of their own."""
    if change.host == "starship" and change.place.path.endswith(".toml"):
        return re.search(rb"(?m)^format\s*=", change.before or b"") is not None
    return change.host != "tmux"


def _again(display: survey.Display, texts: list[str], changes: list[written.Change]) -> list[written.Change]:
    """The same plan on the files as they are now: a part before this one may have been declined."""
    if all(files.read(change.path) == change.before for change in changes):
        return changes
    return written.plan(display.host, display.shell, texts, display.folder)


def _service() -> Part:
    return Part(
        SERVICE, "service", "the listener at every login, since no Claude Code starts it here",
        diff="" if units.is_installed() else files.diff(units.path(), None, b"(the unit)\n"),
        ready=units.is_installed(), by_default=False, paths=(units.path(),), write=service_cli.install_listener,
    )  # fmt: skip
