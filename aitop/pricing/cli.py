"""`aitop prices`: the prices that apply, and `aitop prices update`.

Prints, and calls `table` and `refresh`; no price is computed here.
"""

import datetime as dt
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

import click

from aitop import config, paths
from aitop.model.json_types import JsonObject
from aitop.pricing import litellm_prices, refresh, rows, table
from aitop.pricing.rows import Model, PriceRow, Schedule

HEAD = ("model", "from", "in", "out", "cache read", "write 5m", "write 1h", "prompt", "mode", "source")
LEFT = {0, 1, 8, 9}  # columns of words; the others are numbers


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON, for programs.")
@click.option("--model", "wanted", metavar="TEXT", default="", help="Only models with TEXT in their id.")
@click.option("--all", "everything", is_flag=True, help="Past and announced prices too.")
@click.pass_context
def prices(ctx: click.Context, as_json: bool, wanted: str, everything: bool) -> None:
    """The prices that apply, in USD per million tokens, and where each comes from.

    \b
    Order of precedence: [prices.models] in the configuration, the refreshed
    file ($AITOP_HOME/prices.json), the table of the package. The column "prompt":
    in a request with a longer prompt than this, every token has the price of
    the row. The column "mode" is empty for ordinary requests. Batch and flex
    cost half, inference in the US 1.1 times, a web search $0.01.

    \b
    Exit codes: 0 fine, 1 failed, 2 wrong usage.
    """  # noqa: D301
    if ctx.invoked_subcommand is not None:
        return
    now = time.time()
    own = _configuration().price_overrides
    price_table = table.load(own, paths.in_home(paths.PRICES))
    listed = list(_lines(price_table, wanted.lower(), _today(now), everything=everything))
    seen = _seen_by_listener()
    if as_json:
        _print_json(price_table, listed, seen, now)
    else:
        _print_table(price_table, listed, seen, now)


@prices.command(short_help="Fetch newer prices.")
@click.option(
    "--source", metavar="URL|FILE", help='Where to look: "litellm", a URL or a file. Default: prices.source.'
)
@click.option("--force", is_flag=True, help="Also when the last look is less than a day old.")
def update(source: str | None, force: bool) -> None:
    """Fetch newer prices; what differs applies from today on, never to the past.

    \b
    The default source is LiteLLM's published file. A file of your own may have
    that form or the form of $AITOP_HOME/prices.json.
    """  # noqa: D301
    source = source or str(_configuration()["prices.source"])
    target = paths.in_home(paths.PRICES)
    try:
        done = refresh.update(source, target, now=time.time(), force=force)
    except refresh.RefreshError as error:
        _fail(f"Prices not updated. {error}")
    except OSError as error:
        _fail(f"Prices not updated. {error.filename or target}: {error.strerror}")
    if done.outcome == "fresh":
        hours = max(0.0, time.time() - done.checked_at) / 3600
        click.echo(f"Read from {_shown(source)} {hours:.0f} h ago; nothing done (--force reads again).")
        return
    click.echo(f"Read {done.models} models from {_shown(source)}.")
    if not done.changed and not done.added:
        click.echo("No price differs from what was known.")
        return
    for word, names in (("changed from today on", done.changed), ("new", done.added)):
        if names:
            click.echo(f"{len(names)} {word}: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}")
    click.echo(f"Written to {target}; `aitop prices` shows them.")


def _configuration() -> config.Config:
    try:
        return config.load()
    except config.ConfigError as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


def _shown(source: str) -> str:
    return f"LiteLLM ({litellm_prices.URL})" if source == "litellm" else source


def _today(now: float) -> str:
    return dt.datetime.fromtimestamp(now, dt.UTC).date().isoformat()


def _seen_by_listener() -> dict[str, list[str]]:
    """The models the listener could not price exactly; empty where there is no readable state."""
    import orjson

    try:
        state = orjson.loads(paths.read(paths.in_home(paths.STATE)))
        published_prices = state["prices"]
        return {
            key: [str(name) for name in published_prices[key]]
            for key in ("unpriced_models", "estimated_models")
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {"unpriced_models": [], "estimated_models": []}


def _lines(
    price_table: table.PriceTable, wanted: str, today: str, *, everything: bool
) -> Iterator[tuple[Model, str, PriceRow]]:
    """(model, state, row) sorted by id; the state is "" for the row that applies now."""
    unique = {model.name: model for model in price_table.models.values()}
    for name in sorted(unique):
        model = unique[name]
        if wanted and not any(wanted in identity.lower() for identity in (name, *model.also)):
            continue
        current = rows.row_at(model, today)
        for row in model.rows if everything else (current,):
            state = "" if row is current else "announced" if row.start > today else "past"
            yield model, state, row


def _parts(row: PriceRow) -> list[tuple[str, int, rows.Rates]]:
    """A row's (mode, prompt length, rates), one for each line of the table."""
    modes: list[tuple[str, Schedule]] = [("", row.standard), ("fast", row.fast), ("priority", row.priority)]
    return [(mode, step.over, step.rates) for mode, schedule in modes for step in schedule]


def _print_table(
    price_table: table.PriceTable,
    listed: list[tuple[Model, str, PriceRow]],
    seen: dict[str, list[str]],
    now: float,
) -> None:
    lines = _table_lines(price_table, listed)
    if lines:
        widths = [max(len(line[column]) for line in (HEAD, *lines)) for column in range(len(HEAD))]
        for line in (HEAD, *lines):
            cells = [
                cell.ljust(width) if column in LEFT else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            click.echo("  ".join(cells).rstrip())
    else:
        click.echo("No model's id contains that.")
    click.echo()
    stale = "; older than 90 days, run `aitop prices update`" if price_table.stale(now) else ""
    click.echo(f"USD per million tokens. Checked {price_table.as_of} ({price_table.source}){stale}.")
    if price_table.problem:
        click.echo(f"Not used: {price_table.problem}", err=True)
    if seen["unpriced_models"]:
        click.echo(
            f"Seen without a price: {', '.join(seen['unpriced_models'])}. "
            "Run `aitop prices update`, or set [prices.models] in the configuration."
        )
    if seen["estimated_models"]:
        click.echo(f"Estimated from their family (~): {', '.join(seen['estimated_models'])}.")


def _table_lines(
    price_table: table.PriceTable, listed: list[tuple[Model, str, PriceRow]]
) -> list[tuple[str, ...]]:
    """One line for each price of each model; a model's later lines leave out what the first one says."""
    lines: list[tuple[str, ...]] = []
    for model, state, row in listed:
        for number, (mode, over, rates) in enumerate(_parts(row)):
            first = number == 0
            lines.append(
                (
                    model.name if first else "",
                    (row.start or "start") if first else "",
                    *(f"{rows.to_usd(rate):g}" for rate in rates),
                    f">{over:,}" if over else "",
                    " ".join(word for word in (mode, state) if word),
                    (row.source or price_table.source) if first else "",
                )
            )
    return lines


def _print_json(
    price_table: table.PriceTable,
    listed: list[tuple[Model, str, PriceRow]],
    seen: dict[str, list[str]],
    now: float,
) -> None:
    import orjson

    rows_out: list[JsonObject] = []
    for model, state, row in listed:
        rows_out += [
            {
                "model": model.name,
                "provider": model.provider,
                "from": row.start or None,
                "applies": state or "now",
                "mode": mode or None,
                "prompt_over": over,
                **{field: rows.to_usd(rate) for field, rate in zip(rates._fields, rates, strict=True)},
                "context_window": model.context,
                "source": row.source or price_table.source,
            }
            for mode, over, rates in _parts(row)
        ]
    head = {
        "as_of": price_table.as_of,
        "source": price_table.source,
        "stale": price_table.stale(now),
        "problem": price_table.problem,
    }
    click.echo(orjson.dumps({**head, **seen, "rows": rows_out}, option=orjson.OPT_INDENT_2))
