"""`aitop report --fleet`: the totals of every machine, asked of the engine now; else those heard last."""

import json
import time

import click

from aitop import paths
from aitop.fleet import queries
from aitop.reports.printing import terminal_width
from aitop.reports.ready import configuration
from aitop.segments import text_table
from aitop.segments.money import Currency, text
from aitop.segments.text import cut


@click.command()
@click.option(
    "--by", type=click.Choice(queries.GROUPS), help="Only this grouping; else by host and by project."
)
@click.option("--json", "as_json", is_flag=True, help="One object; USD, epoch seconds.")
def fleet(*, by: str | None, as_json: bool) -> None:
    """Totals of every machine, from Prometheus or what speaks its language.

    \b
      [fleet]                               # in the configuration
      read = "http://prometheus:9090"
      credentials = "/home/me/.prometheus"  # a file with USER:PASSWORD or a token, where one is needed

    What could not be asked now is shown as it was heard last, with its age. Ends with 1 then.
    """  # noqa: D301 - click's own mark
    from aitop.fleet import totals, view  # the HTTP client is 40 ms that no other report needs

    config = configuration()
    if not config["fleet.read"]:
        raise click.ClickException('say whom to ask: [fleet] read = "http://HOST:9090" in the configuration')
    now = time.time()
    try:
        found = totals.refresh(paths.home(), config["fleet.read"], config["fleet.credentials"], now)
    except OSError as error:
        raise click.ClickException(f"{paths.home()}: {error.strerror}") from error
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        currency = Currency(config["currency.symbol"], config["currency.rate"], subscription=False)
        shown = view.lines(
            found, now, (by,) if by else ("host", "project"),
            lambda usd: text(usd, currency) if usd is not None else "-",
            lambda rows, align, heads: text_table.lines(rows, align, heads=heads),
        )  # fmt: skip
        width = terminal_width()
        click.echo("\n".join(cut(line, width) if width else line for line in shown))
    if found["problem"]:
        raise click.exceptions.Exit(1)
