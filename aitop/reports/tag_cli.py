"""`aitop tag`: name a session's tag by hand, now or long after; reports and displays follow."""

import os
import sqlite3

import click
from filelock import FileLock, Timeout

from aitop import paths
from aitop.history import schema, tags_file
from aitop.history.query import spans
from aitop.history.schema import HistoryError

TAG_LETTERS_MAX = 64


@click.command()
@click.argument("session", required=False)
@click.argument("name", required=False)
@click.option(
    "--clear", is_flag=True, help="Remove the tag given by hand: $AITOP_TAG and the rules apply again."
)
def tag(session: str | None, name: str | None, clear: bool) -> None:
    """Give a session the tag NAME. SESSION is its id or the beginning of it.

    An empty NAME ("") means no tag, whatever the rules say. Without arguments: list the tags given so far.
    """
    home = paths.home()
    if session is None:
        for identity, given_name in sorted(tags_file.read(home).items()):
            click.echo(f"{identity}  {given_name or '(none)'}")
        return
    if clear == (name is not None):
        raise click.UsageError("name a tag, or --clear")
    identity = _session(home, session)
    if name is not None and (len(name) > TAG_LETTERS_MAX or not (name == "" or name.isprintable())):
        raise click.UsageError(f"a tag is at most {TAG_LETTERS_MAX} printable characters")
    try:
        with FileLock(os.path.join(home, "tags.lock"), timeout=5, mode=0o600):
            tags = tags_file.read(home)
            tags.pop(identity, None)
            if name is not None:
                tags[identity] = name
            tags_file.write(home, tags)
    except (OSError, Timeout) as error:
        raise click.ClickException(f"{home}: cannot write {tags_file.NAME}: {error}") from error
    click.echo(f"{identity}  {'as before' if clear else name or '(none)'}")


def _session(home: str, beginning: str) -> str:
    """The one session with an id that begins so."""
    path = os.path.join(home, paths.HISTORY)
    if not os.path.exists(path):
        raise click.ClickException("there is no history yet: `aitop start`, or `aitop report`")
    try:
        db = schema.connect_read_only(path)
        names = sorted({f.name for f in spans.facts(db).values() if f.name.startswith(beginning)})
        db.close()
    except (HistoryError, sqlite3.Error) as error:
        raise click.ClickException(str(error)) from error
    if beginning in names:
        return beginning
    if len(names) == 1:
        return names[0]
    if not names:
        raise click.ClickException(f"no session begins with {beginning}; `aitop report sessions` lists them")
    raise click.ClickException(f"{len(names)} sessions begin with {beginning}: {', '.join(names[:3])}…")
