"""`aitop state`: the published state as JSON, its JSON Schema, or one record a line."""

import json
import sys
import time

import click

from aitop import state as published


@click.command()
@click.option("--provider", metavar="NAME", help="Only this client's part.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the state instead.")
@click.option(
    "--records",
    is_flag=True,
    help="One JSON record a line: a `state` record, then one for each session and limit.",
)
@click.option(
    "--since",
    metavar="MARK",
    help="With --records: the history's responses since a mark of `aitop pull`, 0 for all.",
)
def state(provider: str | None, *, schema: bool, records: bool, since: str | None) -> None:
    """Print what the listener publishes, as JSON.

    docs/state.md explains every key. Ends with 1 when no listener has published in the last ten seconds.
    """
    if schema:
        from aitop.publish.state_schema import schema as make

        click.echo(json.dumps(make(), indent=1, ensure_ascii=False))
        return
    if since is not None:
        if not records:
            raise click.UsageError("--since needs --records")
        sys.exit(_responses(since))
    published_state = published.read(provider)
    if published_state is None or not published.is_fresh(published_state, time.time()):
        why = "nothing is known of this client" if provider and published.read() else "no listener is running"
        click.echo(f"aitop state: {why}; try `aitop status`", err=True)
        sys.exit(1)
    if not records:
        click.echo(json.dumps(published_state, ensure_ascii=False))
        return
    whole = {
        key: value
        for key, value in published_state.items()
        if key not in ("sessions", "limits", "by_provider")
    }
    click.echo(json.dumps({"record": "state", **whole}, ensure_ascii=False))
    for name in ("sessions", "limits"):
        for row in published_state.get(name) or ():
            click.echo(json.dumps({"record": name.removesuffix("s"), **row}, ensure_ascii=False))


def _responses(since: str) -> int:
    """The responses of the history as lines; 1 where it cannot be read."""
    import socket
    import sqlite3

    from aitop import paths
    from aitop.fleet import records as responses
    from aitop.history import schema

    try:
        db = schema.connect_read_only(paths.in_home(paths.HISTORY))
        for line in responses.lines(db, since, socket.gethostname()):
            sys.stdout.write(f"{line}\n")
    except (sqlite3.Error, schema.HistoryError) as error:
        print(f"aitop state: the history cannot be read: {error}; `aitop status`", file=sys.stderr)
        return 1
    return 0
