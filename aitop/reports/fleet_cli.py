"""`aitop report --fleet`: every machine by an engine's totals; `report --host`: those that were pulled by ssh."""

import json
import sqlite3
import time
from typing import TYPE_CHECKING

import click

from aitop import paths
from aitop.fleet import queries
from aitop.model.sums import in_usd
from aitop.reports import groupings
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter
from aitop.reports.printing import terminal_width
from aitop.reports.ready import configuration, history
from aitop.segments import text_table
from aitop.segments.money import Currency, text
from aitop.segments.text import cut

if TYPE_CHECKING:
    from aitop.fleet import machines

HOST_KEYS = (
    "host", "pulled_at", "requests", "shared_requests", "input_tokens", "output_tokens", "spent_usd",
    "unpriced_requests", "credits",
)  # fmt: skip
HEADS = ("host", "requests", "counted elsewhere", "spent", "credits", "as of")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects; USD, epoch seconds.")
def hosts(*, as_json: bool) -> None:
    """The machine itself and those of `aitop pull`, each response once.

    Credits stand beside the dollars, each client's by itself: those of two clients are not the same.
    A response that several machines have, as where transcripts are synced, counts here or for the first of them.
    """
    config, now = configuration(), time.time()
    rows = _hosts(now)
    if as_json:
        shown = [dict(zip(HOST_KEYS, row, strict=True)) | {"spent_usd": in_usd(row.spent)} for row in rows]
        click.echo(json.dumps(shown, indent=1))
        return
    currency = Currency(config["currency.symbol"], config["currency.rate"], subscription=False)
    spent = text(in_usd(sum(row.spent for row in rows)), currency)
    table = [
        *(_host(row, currency, now) for row in rows),
        ("total", f"{sum(row.requests for row in rows):,}", "", spent, "", ""),
    ]
    heads: tuple[str, ...] = HEADS
    if not any(row.credits for row in rows):
        table, heads = [(*line[:4], line[5]) for line in table], (*HEADS[:4], HEADS[5])
    click.echo("\n".join(text_table.lines(table, "l" + "r" * (len(heads) - 1), heads=heads)))
    if len(rows) == 1:
        click.echo("no other machine is known: `aitop pull HOST`")


def _hosts(now: float) -> "list[machines.HostRow]":
    """The machine itself first, with all of its history."""
    from aitop.fleet import machines  # loaded with every report, used by this one

    ready = history()
    asker = Asker(ready.db, Filter(), (), {})
    own = groupings.grouped(asker, "model").total
    here = machines.HostRow(
        "here", now, own.requests, 0, own.input_tokens, own.output_tokens, own.spent, own.unpriced_requests,
        groupings.credits_by_provider(asker),
    )  # fmt: skip
    try:
        return [here, *machines.by_host(paths.home())]
    except (sqlite3.Error, OSError) as error:
        path = paths.in_home(machines.NAME)
        raise click.ClickException(f"{path}: {error}; remove it, and `aitop pull` makes it anew") from error


def _host(row: "machines.HostRow", currency: Currency, now: float) -> tuple[str, ...]:
    from aitop.fleet import view

    spent = text(in_usd(row.spent), currency, {"unpriced_requests": row.unpriced})
    age = now - (row.pulled_at or 0.0)
    return (
        view.name(row.host),
        f"{row.requests:,}",
        f"{row.shared:,}",
        spent,
        view.credits_text(row.credits),
        f"{view.span(age)} ago" if age else "now",
    )


@click.command()
@click.option(
    "--by", type=click.Choice(queries.GROUPS), help="Only this grouping; else by host and by project."
)
@click.option("--json", "as_json", is_flag=True, help="One object; USD, epoch seconds.")
def fleet(*, by: str | None, as_json: bool) -> None:
    """Totals of every machine, as Prometheus has them.

    Any server that answers Prometheus's queries will do.

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
        fleet_totals = totals.refresh(paths.home(), config["fleet.read"], config["fleet.credentials"], now)
    except OSError as error:
        raise click.ClickException(f"{paths.home()}: {error.strerror}") from error
    if as_json:
        click.echo(json.dumps(fleet_totals, indent=1))
    else:
        currency = Currency(config["currency.symbol"], config["currency.rate"], subscription=False)
        shown = view.lines(
            fleet_totals, now, (by,) if by else ("host", "project"),
            lambda usd: text(usd, currency) if usd is not None else "-",
            lambda rows, align, heads: text_table.lines(rows, align, heads=heads),
        )  # fmt: skip
        width = terminal_width()
        click.echo("\n".join(cut(line, width) if width else line for line in shown))
    if fleet_totals["problem"]:
        raise click.exceptions.Exit(1)
