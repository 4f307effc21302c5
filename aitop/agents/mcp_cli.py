"""`aitop mcp`: the engine as a server of MCP tools, for an agent that wants to know what it costs."""

import click

from aitop.system import installation


@click.command()
@click.option(
    "--hide-names", is_flag=True, help="Leave out names of projects, folders, branches, tags and budgets."
)
def mcp(hide_names: bool) -> None:
    """Answer an agent's questions over MCP (stdio): spend, budgets, limits, its own session's cost, advice.

    Read-only. Clients start it themselves; register it with `aitop install --mcp --write`, or by hand:

    \b
    claude mcp add aitop -- aitop mcp
    codex mcp add aitop -- aitop mcp

    It needs the extra `mcp`.
    """  # noqa: D301 - click's own mark
    try:
        from aitop.agents.mcp_server import server
    except ImportError as error:
        raise click.ClickException(
            f"`aitop mcp` needs {error.name}: {installation.add_extra('mcp')}"
        ) from error
    server(hide_names=hide_names).run()
