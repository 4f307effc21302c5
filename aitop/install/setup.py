"""`aitop setup`: one command that puts the numbers where people look already, and takes them out again.

It finds what is here, says in a few lines what would change, asks once for each, writes all of it or
nothing, starts the listener and ends with the live line. `parts` plans and writes; nothing is written
here but by it.
"""

import json
import os
import sys
import time

import click

from aitop import paths
from aitop import state as published
from aitop.install import connect, files, live_tmux, parts, survey, uninstall, written
from aitop.install.parts import Part
from aitop.model.json_types import JsonObject
from aitop.segments import fields
from aitop.segments.text import printable
from aitop.system import help_text, installation

PATIENCE = 8.0  # seconds for the first line of a listener that was just started
FIRST_READING = 3.0  # of them, for sums that are not lower bounds any more


@click.command()
@click.option(
    "--yes", is_flag=True, help="Do not ask: set up all that is suggested, or all that --only names."
)
@click.option(
    "--only", multiple=True, metavar="NAME", help="Only this part, such as tmux; may be given several times."
)
@click.option("--remove", is_flag=True, help="Take it all out again, or the parts that --only names.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--diff", "show_diff", is_flag=True, help="Show every line that would change.")
@click.option(
    "--json", "as_json", is_flag=True, help="What is here, what would change or was changed, as JSON."
)
def setup(
    *, yes: bool, only: tuple[str, ...], remove: bool, dry_run: bool, show_diff: bool, as_json: bool
) -> None:
    """Set up every display that is here: Claude Code, tmux, your prompt, Waybar and more.

    It asks before each change, keeps the originals, and --remove brings them back. In a script use --yes.

    \b
    Parts: claude-code statusline tmux bash zsh fish starship powerlevel10k waybar argos swiftbar service
    Exit codes: 0 fine, 1 a part cannot be set up and nothing changed, 2 wrong usage.
    """  # noqa: D301 - click's own mark
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
    if remove:
        if not (yes or asks or dry_run):
            raise click.UsageError("there is no terminal to ask on: add --yes, or --dry-run to look")
        _remove(only, ask=not yes, dry_run=dry_run, as_json=as_json)
        return
    try:
        available = parts.survey_parts(only)
        only = _check_names(only, available, quiet=as_json)
        if as_json and not yes:
            click.echo(json.dumps(_as_json(available, [], []), indent=1))
            return
        if not as_json:
            _show(available, diff=show_diff)
        if dry_run or (show_diff and not yes):
            click.echo(f"\nNothing was changed. {installation.command('setup')} does it.", err=True)
            return
        if not (yes or asks):
            raise click.UsageError("there is no terminal to ask on: add --yes, or --dry-run to look")
        chosen = _choose(available, only, ask=not yes)
        _apply(available, chosen, as_json=as_json)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


def _check_names(only: tuple[str, ...], available: list[Part], *, quiet: bool) -> tuple[str, ...]:
    """The names of parts among those given. A client that is here needs no part of its own, which is said.

    A part that was named and cannot be set up is an error. Raises click.ClickException.
    """
    parts_here = {part.name for part in available}
    missing = [name for name in only if name not in parts_here]
    read = survey.clients() if missing else {}
    for name in [name for name in missing if name in read]:
        if not quiet:
            click.echo(f"{name}: nothing to set up, its records in {read[name]} are read as they are.")
    unknown = [name for name in missing if name not in read]
    if unknown:
        others = sorted({part.name for part in parts.survey_parts()} - set(only))
        hint = help_text.nearest(unknown[0], [*others, *survey.clients()])
        raise click.ClickException(
            f"{', '.join(unknown)}: not found here{hint}; what can be set up: {', '.join(others) or 'nothing'}"
        )
    for part in available:
        if only and part.problem:
            raise click.ClickException(f"{part.title}: {part.problem}")
    if only and not parts_here:
        raise click.exceptions.Exit(0)
    return tuple(name for name in only if name in parts_here)


def _show(available: list[Part], *, diff: bool) -> None:
    clients = survey.clients()
    if clients:
        click.echo(f"Read as they are: {', '.join(clients)}.\n")
    width = max([len(part.title) for part in available], default=0)
    for part in available:
        mark = "cannot" if part.problem else "done" if part.ready else "new"
        detail = part.problem or ", ".join(filter(None, [part.about, _size(part)]))
        style = {"cannot": "yellow", "done": "green", "new": "bold"}[mark]
        word = click.style(f"{mark:<6}", fg=style if style != "bold" else None, bold=style == "bold")
        click.echo(f"  {word}  {part.title:<{width}}  {printable(detail)}".rstrip())
        if diff and part.diff:
            click.echo(part.diff + "\n")
    if not available:
        click.echo(
            "Nothing is here that could show numbers: no Claude Code, tmux, shell, Waybar or SwiftBar."
        )


def _size(part: Part) -> str:
    """How much changes where: `5 lines in ~/.zshrc`."""
    home = os.path.expanduser("~")
    sizes = []
    for file in part.files:
        path = str(file["path"])
        shown = "~" + path.removeprefix(home) if path.startswith(f"{home}/") else path
        lines = "1 line" if file["added"] == 1 else f"{file['added']} lines"
        sizes.append(f"{lines} in {shown}")
    return ", ".join(sizes)


def _choose(available: list[Part], only: tuple[str, ...], *, ask: bool) -> list[Part]:
    open_parts = [part for part in available if not part.problem and not part.ready]
    if not ask:
        return [part for part in open_parts if part.by_default or part.name in only]
    if open_parts:
        click.echo(f"\nEach can be taken out again: {installation.command('setup', '--remove')}")
    return [
        part
        for part in open_parts
        if click.confirm(f"Set up {_asked(part)}?", default=part.by_default or part.name in only)
    ]


def _asked(part: Part) -> str:
    """A part as a question names it: tmux with the theme that was found."""
    return f"{part.title} {part.about}" if part.name == "tmux" and part.about else part.title


def _apply(available: list[Part], chosen: list[Part], *, as_json: bool) -> None:
    with files.lock():
        lines = parts.carry_out(chosen)
        connect.remember_environment()
    notes = [f"{part.title}: {part.note}" for part in chosen if part.note]
    notes += [f"service: {line}" for line in lines if "when that works" in line]
    if (
        any(part.name == "tmux" for part in available if not part.problem)
        and _tmux_lines()
        and not live_tmux.shows()
    ):
        problem = live_tmux.show() if live_tmux.runs() else None
        notes += [f"tmux: {problem}"] if problem else []
    trouble = _start()
    line = "" if trouble else _live_line()
    if as_json:
        click.echo(
            json.dumps(
                _as_json(available, chosen, lines) | {"listener": trouble or "runs", "line": line}, indent=1
            )
        )
        return
    if chosen:
        click.echo(f"\nSet up: {', '.join(part.title for part in chosen)}.")
    elif not any(not part.ready and not part.problem for part in available):
        click.echo("\nEverything is set up.")
    for note in notes:
        click.echo(note)
    if trouble:
        raise click.ClickException(trouble)
    click.echo(
        f"\n{line}"
        if line
        else f"\nThe listener runs; it has nothing to show yet: {installation.command('doctor')}"
    )


def _tmux_lines() -> bool:
    return "tmux" in written.hosts()


def _start() -> str:
    """Start the listener unless it runs; what went wrong, or ""."""
    from aitop.listener import lifecycle

    try:
        if lifecycle.running() is not None or lifecycle.start_detached():
            return ""
    except lifecycle.LifeError as error:
        return str(error)
    return f"the listener did not start; see {paths.in_home(paths.LOG)}"


def _live_line() -> str:
    """What the displays show now; "" when the listener has published nothing in time.

    Until the first reading is done each sum is a lower bound. A short reading is worth waiting for.
    """
    start = time.monotonic()
    read_whole = False
    while (waited := time.monotonic() - start) < PATIENCE:
        text = _plain_segment()
        if text and (read_whole or waited > FIRST_READING):
            return text
        read_whole = _read_whole()  # the state is written before its segments: the next look shows this one's
        time.sleep(0.1)
    return ""


def _plain_segment() -> str:
    """The text that a plain display shows now; "" when there is no fresh one."""
    path = os.path.join(paths.home(), paths.SEGMENTS, "plain")
    try:
        fresh = os.stat(path).st_mtime > time.time()
        return paths.read(path).decode("utf-8", "replace").split(" ", 2)[-1].strip() if fresh else ""
    except OSError:
        return ""


def _read_whole() -> bool:
    """Whether the listener has read everything that was there when it started."""
    state = published.read()
    return bool(state and fields.table(state.get("scan")).get("complete"))


def _remove(only: tuple[str, ...], *, ask: bool, dry_run: bool, as_json: bool) -> None:
    """Undo `setup`: everything, or the parts named."""
    there = uninstall.parts_there()
    wanted = [name for name in there if not only or name in only]
    unknown = [name for name in only if name not in there]
    if unknown:
        raise click.ClickException(
            f"{', '.join(unknown)}: is not set up; what is: {', '.join(there) or 'nothing'}"
        )
    if not as_json:
        click.echo(f"Set up by aitop: {', '.join(there) or 'nothing'}.")
    if dry_run or not wanted:
        if as_json:
            click.echo(json.dumps({"set_up": there, "removed": []}, indent=1))
        return
    question = f"Take out {', '.join(wanted)}?" if only else "Take all of it out and stop the listener?"
    if ask and not click.confirm(question, default=True):
        click.echo("Nothing was changed.")
        return
    try:
        with files.lock():
            lines = uninstall.remove_parts(wanted) if only else uninstall.undo_all()
    except files.Refused as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({"set_up": there, "removed": wanted, "log": lines}, indent=1))
        return
    for line in lines:
        click.echo(line)
    if not only:
        click.echo(
            f"{paths.home()}: kept, with your history, tokens and remembered folders; "
            f"`{installation.command('uninstall', '--purge')}` deletes it"
        )


def _as_json(available: list[Part], chosen: list[Part], lines: list[str]) -> JsonObject:
    return {
        "clients": survey.clients(),
        "parts": [
            {"name": part.name, "title": part.title, "about": part.about, "set_up": part.ready or part in chosen,
             "problem": part.problem or None, "files": part.files}
            for part in available
        ],
        "changed": [part.name for part in chosen],
        "log": lines,
    }  # fmt: skip
