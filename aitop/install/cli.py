"""`install`: connect Claude Code alone. Parses options, calls `connect`, prints.

Without --write nothing on the disk changes. `setup` does the same together with every display.
"""

import os

import click

from aitop.install import connect, files, mcp, otel, record, roots, telemetry
from aitop.system import installation

ROOTS_HELP = (
    "A folder of Claude Code's settings; may be given several times. [default: $CLAUDE_CONFIG_DIR, ~/.claude]"
)


@click.command()
@click.option("--write", is_flag=True, help="Apply the change instead of showing it.")
@click.option("--statusline", is_flag=True, help="Also feed Claude Code's status line, in front of your own.")
@click.option(
    "--otel",
    "otel_too",
    is_flag=True,
    help="Also have Claude Code send its telemetry here; see docs/otel.md.",
)
@click.option(
    "--forward", metavar="URL", help="With --otel: your own collector, which gets it all unchanged."
)
@click.option(
    "--mcp",
    "mcp_alone",
    is_flag=True,
    help="Only register `aitop mcp`, so that sessions can ask what they cost.",
)
@click.option("--uninstall", "undo", is_flag=True, help="Take our entries out of the settings again.")
@click.option("--config-dir", "dirs", multiple=True, metavar="DIR", help=ROOTS_HELP)
def install(
    *,
    write: bool,
    statusline: bool,
    otel_too: bool,
    forward: str | None,
    mcp_alone: bool,
    undo: bool,
    dirs: tuple[str, ...],
) -> None:
    """Connect Claude Code: show the change to settings.json, --write applies it.

    Other hooks, the order of keys and the spacing stay. The first original is kept under
    $AITOP_HOME/backups and comes back byte for byte with --uninstall, unless the file was changed
    since: then only our entries go. --otel --uninstall takes out the telemetry alone, --mcp --uninstall the server.
    """
    if mcp_alone:
        if statusline or otel_too or dirs:
            raise click.UsageError("--mcp goes with --write or --uninstall alone")
        _server(write=write, undo=undo)
        return
    if forward is not None and (undo or not otel_too or not forward.startswith(("http://", "https://"))):
        raise click.UsageError("--forward goes with --otel and is an address such as http://localhost:4318")
    try:
        if undo:
            with files.lock():
                _echo(_undo_telemetry(dirs) if otel_too else connect.undo(dirs))
            return
        sending = telemetry.wanted(forward) if otel_too else None
        if write:
            with files.lock():
                _write(roots.chosen(dirs), statusline=statusline, sending=sending)
        else:
            _show(roots.chosen(dirs), statusline=statusline, sending=sending)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


def _server(*, write: bool, undo: bool) -> None:
    """Register or take out the MCP server. Raises click.ClickException."""
    try:
        if undo:
            click.echo(mcp.remove() or "aitop is not registered with Claude Code: nothing to take out")
        elif write:
            click.echo(mcp.add())
        else:
            click.echo(mcp.planned())
            applied = installation.in_hint("`aitop install --mcp --write` does this.")
            click.echo(f"\nNothing was written. {applied}", err=True)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


def _show(served: list[str], *, statusline: bool, sending: otel.Wanted | None) -> None:
    connection = connect.plan(served, record.load(), statusline=statusline, sending=sending)
    for step in connection.settings:
        click.echo(step.diff or f"{step.path}: nothing to change")
    if connection.configuration is not None:
        click.echo(f"\n{connection.configuration.path}: {connection.configuration.text}")
    if connection.diff:
        applied = installation.in_hint("`aitop install --write` applies this.")
        click.echo(f"\nNothing was written. {applied}", err=True)
    if sending is not None:
        click.echo("\n" + otel.others(sending.port, sending.token, os.path.expanduser("~")))


def _write(served: list[str], *, statusline: bool, sending: otel.Wanted | None) -> None:
    installed = record.load()
    connection = connect.plan(served, installed, statusline=statusline, sending=sending)
    if sending is not None:  # the plan was possible, so a token is made now
        sending = telemetry.with_token(sending)
        connection = connect.plan(served, installed, statusline=statusline, sending=sending)
    _echo(connect.write(connection, installed))
    if sending is not None:
        click.echo("Claude Code reads its settings at its start: sessions that run now send nothing yet.\n")
        click.echo(otel.others(sending.port, sending.token, os.path.expanduser("~")))
    for line in (
        "Done. `aitop start` starts the listener now; a new Claude Code session does so too.",
        "`aitop doctor` checks everything, `aitop install --uninstall` takes it out again.",
    ):
        click.echo(installation.in_hint(line))


def _undo_telemetry(dirs: tuple[str, ...]) -> list[str]:
    """Our variables out of the settings, the receiver off; hooks and status line stay."""
    installed = record.load()
    lines = telemetry.undo(roots.chosen(dirs), installed, others_too=not dirs)
    record.save(installed)
    return lines


def _echo(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)
