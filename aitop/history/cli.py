"""`aitop history`: what it holds, and `aitop history reset`, the one way to begin anew."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import click

from aitop import paths
from aitop.history import schema
from aitop.history.query import spans
from aitop.history.recovery import backup, fullness, gaps, reset
from aitop.model import periods


@click.group(invoke_without_command=True)
@click.pass_context
def history(ctx: click.Context) -> None:
    """What the history holds and which copies there are.

    \b
    `aitop history reset` begins a new one. Removing history.db does not: a
    history that is missing, or holds less than its backup, is restored.

    \b
    Exit codes: 0 fine, 1 failed, 2 wrong usage.
    """  # noqa: D301
    if ctx.invoked_subcommand is not None:
        return
    home = paths.home()
    path = os.path.join(home, paths.HISTORY)
    if not os.path.exists(path):
        raise click.ClickException(f"{path} does not exist yet: `aitop start` makes it")
    try:
        db = schema.connect_read_only(path)
        try:
            requests = sum(fullness.days_of(path).values())
            bounds, restored = spans.bounds(db), gaps.last(db)
        finally:
            db.close()
    except (schema.HistoryError, sqlite3.Error) as error:
        raise click.ClickException(str(error)) from error
    since = f" since {periods.date_of(bounds[0]).isoformat()}" if bounds else ""
    click.echo(f"{path}: {requests:,} requests{since}, {os.path.getsize(path) / 1e6:.1f} MB")
    for name in backup.GENERATIONS:
        copy = os.path.join(home, name)
        if os.path.exists(copy):
            held = sum(fullness.days_of(copy, at_rest=True).values())
            day = periods.date_of(os.stat(copy).st_mtime).isoformat()
            click.echo(f"{copy}: {held:,} requests, made {day}")
    if restored is not None:
        day = periods.date_of(restored.at).isoformat()
        click.echo(f"Restored on {day} from {restored.base or 'what could be read'}.")


@history.command("reset")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset_command(yes: bool) -> None:
    """Begin a new history: set the old one and its copies aside.

    The next start reads again what the clients' files still hold. Older days
    are then only in the files set aside. Nothing is deleted.
    """
    home = paths.home()
    try:
        with _alone(home):
            if not yes:
                click.confirm(f"Set {os.path.join(home, paths.HISTORY)} and its copies aside?", abort=True)
            moved = reset.set_aside(home)
    except BlockingIOError as error:
        raise click.ClickException("the listener runs: `aitop stop`, then try again") from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or home}: {error.strerror}") from error
    if not moved:
        click.echo("There is no history here; nothing done.")
        return
    click.echo(f"Set aside in {home}: {', '.join(moved)}.")
    click.echo("Remove them when you are sure; `aitop start` begins the new history.")


@contextmanager
def _alone(home: str) -> Iterator[None]:
    """Hold the listener's lock, so that nothing writes meanwhile. Raises BlockingIOError, OSError."""
    fd = os.open(os.path.join(home, paths.LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)
