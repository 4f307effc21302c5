"""`aitop web`: parse, read the configuration, run the server."""

import sys

import click

from aitop import config
from aitop.system import installation


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Where it listens. [default: web.port, 4331]")
@click.option(
    "--open/--no-open", "show", default=None, help="Open the browser. [default: where it runs on a terminal]"
)
@click.option("--json", "as_json", is_flag=True, help='Print {"url", "port", "pid"} instead of the address.')
def web(*, port: int | None, show: bool | None, as_json: bool) -> None:
    """Show the numbers as pages in a browser: now, a day, the year, a session, limits, advice.

    It runs until Ctrl-C and serves this machine alone. A browser that opened the printed address once
    stays admitted; other users, other sites and other machines are refused. Called again with the same port,
    it shows the pages that are served already; with another port it starts a server of its own.

    \b
      aitop web                           opens the browser
      aitop web --no-open                 prints the address
      aitop service install web           runs it from login on
    """  # noqa: D301 - click's own mark
    try:
        from aitop.web import run
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"`aitop web` needs {error.name}: {installation.add_extra('web')}"
        ) from error
    try:
        settings = config.load()
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error
    wanted = int(settings["web.port"]) if port is None else port
    asked = show is not None or as_json or sys.stdout.isatty()
    sys.exit(
        run.run(wanted, run.Telling(show if show is not None else asked and not as_json, as_json, asked))
    )
