"""`aitop report`: totals of the whole history as tables or JSON."""

import json
import sqlite3
import sys
from datetime import datetime, timedelta, tzinfo
from typing import Any

import click

from aitop.config import ConfigError
from aitop.history import read
from aitop.history.read import Total
from aitop.history.schema import HistoryError
from aitop.reports import catchup, table


def _options(command: Any) -> Any:
    for option in (
        click.option("--provider", metavar="NAME", help="Only one client: claude-code, codex, gemini, …"),
        click.option(
            "--json", "as_json", is_flag=True, help="A list of objects; money in USD, times in epoch seconds."
        ),
        click.option(
            "--timezone", metavar="ZONE", help="Whose days --since and --until mean. Default: this machine's."
        ),
        click.option("--until", metavar="DATE", help="Last day, inclusive (2026-01-31)."),
        click.option("--since", metavar="DATE", help="First day, inclusive (2026-01-01)."),
    ):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@click.pass_context
def report(ctx: click.Context) -> None:
    """Totals of the whole history, by model or by session.

    The history keeps what clients delete: it goes back to the day aitop first read their files. Without
    a listener the files are read first, with progress on stderr.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(models)


@report.command()
@_options
def models(
    since: str | None, until: str | None, timezone: str | None, as_json: bool, provider: str | None
) -> None:
    """Tokens and cost of each model, by its id as written, dearest first."""
    start, end = _range(since, until, timezone)
    db = _history()
    rows = [
        {"model": t.name, **_figures(t)}
        for t in read.by_model(db, start, end)
        if provider in (None, t.provider)
    ]
    _print(rows, as_json, "model")


@report.command()
@_options
def sessions(
    since: str | None, until: str | None, timezone: str | None, as_json: bool, provider: str | None
) -> None:
    """Tokens and cost of each session, sub-agents included, dearest first."""
    start, end = _range(since, until, timezone)
    db = _history()
    rows = [
        {"session": t.name, **_figures(t), **extra}
        for t, extra in read.by_session(db, start, end)
        if provider in (None, t.provider)
    ]
    _print(rows, as_json, "session")


def _figures(total: Total) -> dict[str, Any]:
    s = total.sum
    return {
        "provider": total.provider,
        "requests": s.requests,
        "errors": s.errors,
        "input_tokens": s.input_tokens,
        "uncached_input_tokens": s.uncached_input_tokens,
        "output_tokens": s.output_tokens,
        "cache_read_tokens": s.cache_read_tokens,
        "cache_write_tokens": s.cache_write_tokens,
        "cache_write_5m_tokens": s.cache_write_5m_tokens,
        "cache_write_1h_tokens": s.cache_write_1h_tokens,
        "cost_usd": (s.cost + 500_000) // 1_000_000 / 1e6,  # a millionth, halves up
        "tool_calls": s.tool_calls,
        "tool_failures": s.tool_failures,
        "unpriced_requests": s.unpriced_requests,
        "estimated_requests": s.estimated_requests,
        "incomplete_requests": s.incomplete_requests,
    }


def _print(rows: list[dict[str, Any]], as_json: bool, name: str) -> None:
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    elif rows:
        click.echo(table.render(rows, name))
    else:
        click.echo("nothing in the history for these days; `aitop doctor` tells which folders are read")


def _range(since: str | None, until: str | None, timezone: str | None) -> tuple[float | None, float | None]:
    """Epoch seconds of the first day's midnight and of the midnight after the last day."""
    zone = _zone(timezone)
    start = _midnight(since, zone, "--since") if since else None
    end = _midnight(until, zone, "--until", days=1) if until else None
    if start is not None and end is not None and end <= start:
        raise click.UsageError("--until lies before --since")
    return start, end


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise click.UsageError(f"--timezone: {name} is no time zone (try Europe/Berlin or UTC)") from error


def _midnight(day: str, zone: tzinfo | None, option: str, days: int = 0) -> float:
    try:
        moment = datetime.strptime(day, "%Y-%m-%d") + timedelta(days=days)  # noqa: DTZ007
        return (moment.replace(tzinfo=zone) if zone else moment).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise click.UsageError(f"{option}: {day} is no date such as 2026-01-31") from error


def _history() -> sqlite3.Connection:
    shown = _Progress()
    try:
        return catchup.catch_up(shown)
    except (catchup.NotReadyError, HistoryError, ConfigError) as error:
        raise click.ClickException(str(error)) from error
    except sqlite3.Error as error:
        raise click.ClickException(
            f"the history cannot be read: {error}; `aitop doctor` tells what to do"
        ) from error
    finally:
        shown.end()


class _Progress:
    """A bar on a terminal's stderr; elsewhere nothing."""

    def __init__(self) -> None:
        self._shown = -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // total if total else 100
        if percent != self._shown and total > 4 << 20 and sys.stderr.isatty():
            self._shown = percent
            bar = "#" * (percent * 30 // 100)
            sys.stderr.write(
                f"\rreading {bar:<30} {percent:3d} %  {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
            )
            sys.stderr.flush()

    def end(self) -> None:
        if self._shown >= 0:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
