"""`aitop export`: the numbers for Prometheus, and its rules and dashboard. Parses, calls, prints."""

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from aitop import config, paths
from aitop.fleet import files, service
from aitop.system import atomic_file, installation
from aitop.system.loopback import secret_file

if TYPE_CHECKING:
    from aitop.fleet.exporter import Exporter


@click.group()
def export() -> None:
    """Give the numbers to engines that already run: Prometheus and what speaks its language.

    The names, the labels and what they may say: docs/fleet.md.
    """


@export.command()
@click.option(
    "--textfile", metavar="FILE", help="Write it there in one step, for node_exporter's textfile collector."
)
@click.option("--openmetrics", is_flag=True, help="OpenMetrics instead of the older text format.")
@click.option("--token", is_flag=True, help="Print the token that a scraper must show, instead.")
def prometheus(textfile: str | None, *, openmetrics: bool, token: bool) -> None:
    """Print the metrics as Prometheus reads them.

    The listener serves the same at http://127.0.0.1:4322/metrics once it is switched on. Counters are the sums
    of the whole history and never fall; sessions have no label of their own.

    \b
      [fleet]                        # in the configuration
      enabled = true
      project = "hashed"             # on, off, hashed or listed, as every label

    \b
    aitop export prometheus --textfile /var/lib/prometheus/node-exporter/aitop.prom
                                   from cron or a systemd timer, where no port is wanted
    """  # noqa: D301 - click's own mark
    try:
        if token:
            click.echo(secret_file.read_or_make(paths.in_home(service.TOKEN)))
            return
        text = _text(openmetrics=openmetrics)
        if textfile is not None:
            # the collector runs as another user
            atomic_file.replace(os.path.abspath(textfile), text, mode=0o644)
            return
    except OSError as error:
        raise click.ClickException(f"{error.filename or paths.home()}: {error.strerror or error}") from error
    sys.stdout.buffer.write(text)


@export.command()
def rules() -> None:
    """Print the recording and alert rules for Prometheus.

    Mimir, Thanos and vmalert read them too.
    """
    click.echo(files.rules(), nl=False)


@export.command()
def dashboard() -> None:
    """Print the dashboard, for Grafana's import."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for base in (package, os.path.dirname(package)):  # as installed, else in a checkout
        path = os.path.join(base, "integrations", "grafana", "aitop.json")
        if os.path.exists(path):
            click.echo(paths.read(path).decode(), nl=False)
            return
    raise click.ClickException("this copy lacks integrations/grafana/aitop.json: install it again")


def _text(*, openmetrics: bool) -> bytes:
    exporter = _exporter()
    from aitop.fleet import exposition

    text = exporter.text(exposition.OPENMETRICS if openmetrics else exposition.TEXT, time.time())
    if exporter.problem is not None:
        raise click.ClickException(f"{exporter.problem}; `aitop doctor` tells what to do")
    return text


def _exporter() -> "Exporter":
    if not os.path.exists(paths.in_home(paths.HISTORY)):
        raise click.ClickException("nothing was counted yet: start the listener with `aitop start`")
    try:
        from aitop.fleet.exporter import Exporter

        return Exporter(paths.home(), config.load())
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{service.MISSING}: {installation.add_extra('fleet')}") from error
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error
