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
def state(provider: str | None, *, schema: bool, records: bool) -> None:
    """Print what the listener publishes, as JSON.

    docs/state.md explains every key. Ends with 1 when no listener has published in the last ten seconds.
    """
    if schema:
        from aitop.publish.state_schema import schema as make

        click.echo(json.dumps(make(), indent=1, ensure_ascii=False))
        return
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
