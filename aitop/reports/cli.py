"""`aitop report`: totals of the whole history in any grouping, as tables or for programs."""

import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import click

from aitop import paths
from aitop.config import Config, ConfigError
from aitop.config import load as load_config
from aitop.history import tags_file
from aitop.history.schema import HistoryError
from aitop.model import periods
from aitop.reports import catchup, commits, formats, git, plot
from aitop.reports.ask import Answer, Asker, Filter

COMMIT_DAYS = 30
NOTHING = "nothing in the history for these days; `aitop doctor` tells which folders are read"
OPTIONS = (
    click.option("--since", metavar="DATE", help="First day, inclusive (2026-01-01)."),
    click.option("--until", metavar="DATE", help="Last day, inclusive (2026-01-31)."),
    click.option("--timezone", metavar="ZONE", help="Whose days these are. Default: this machine's."),
    click.option(
        "--project", metavar="PATTERN", help="Only this folder: a name, a path, or a pattern of either."
    ),
    click.option(
        "--model", metavar="PATTERN", help="Only models whose id contains this, or matches the pattern."
    ),
    click.option("--tag", metavar="PATTERN", help="Only sessions with this tag."),
    click.option("--provider", metavar="NAME", help="Only this client: claude-code, …"),
    click.option("--json", "form", flag_value="json", help="A list of objects; USD, epoch seconds."),
    click.option("--csv", "form", flag_value="csv", help="Comma-separated, every field."),
    click.option("--markdown", "form", flag_value="markdown", help="A Markdown table."),
    click.option(
        "--plot", "draw", is_flag=True, help="Bars in the terminal (pip install 'aitop-status[plot]')."
    ),
    click.option("--limit", type=click.IntRange(1), help="At most so many rows; the total stays whole."),
    click.option("--offset", type=click.IntRange(0), default=0, help="Rows to leave out first."),
)


@click.group(invoke_without_command=True)
@click.pass_context
def report(ctx: click.Context) -> None:
    """Totals of the whole history: by day, block, session, project, model, tag, branch, tool or commit.

    The history keeps what clients delete: it goes back to the day aitop first read their files. Without
    a listener the files are read first, with progress on stderr. Without a word: by model.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(report.commands["models"])


def _command(name: str, text: str, ask: Callable[[Asker, float], Answer]) -> None:
    def run(form: str | None, draw: bool, limit: int | None, offset: int, **filters: str | None) -> None:
        now = time.time()
        wanted = _filter(name, now, filters)
        asker = asked(wanted, _config())
        try:
            answer = ask(asker, now)
        except sqlite3.Error as error:
            raise click.ClickException(f"the history cannot be read: {error}; try `aitop doctor`") from error
        _print(answer, form or "table", draw, answer.rows[offset:][:limit])

    command: Any = run
    for option in reversed(OPTIONS):
        command = option(command)
    report.command(name=name, help=text)(command)


def _commits(asker: Asker, now: float) -> Answer:
    start, end = asker.wanted.span()
    assert start is not None
    return commits.answer(asker, start, end if end is not None else now + 1, git.toplevel, git.commits)


_command("today", "Tokens and cost of today, by model.", lambda asker, _: asker.models())
_command("daily", "By day, from midnight to midnight.", lambda asker, _: asker.periods("day"))
_command("weekly", "By week, from Monday on.", lambda asker, _: asker.periods("week"))
_command("monthly", "By month.", lambda asker, _: asker.periods("month"))
_command(
    "blocks", "By five-hour block (estimated borders: full hours).", lambda asker, now: asker.blocks(now)
)
_command("sessions", "By session, sub-agents included, dearest first.", lambda asker, _: asker.sessions())
_command("projects", "By folder, dearest first.", lambda asker, _: asker.projects())
_command("models", "By model id as written, dearest first.", lambda asker, _: asker.models())
_command("tags", "By tag: `aitop tag`, $AITOP_TAG or a rule.", lambda asker, _: asker.by_tag())
_command("branches", "By folder and newest git branch of the session.", lambda asker, _: asker.branches())
_command("tools", "Tool calls and failures, most used first.", lambda asker, _: asker.tools())
_command(
    "commits",
    f"What each git commit cost, newest first; the last {COMMIT_DAYS} days unless --since says otherwise.",
    _commits,
)


def asked(wanted: Filter, config: Config) -> Asker:
    """The history, brought up to date, with a filter laid over it."""
    return Asker(history(), wanted, config.tags, tags_file.read(paths.home()))


def _config() -> Config:
    try:
        return load_config()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


def _print(answer: Answer, form: str, draw: bool, rows: list[dict[str, Any]]) -> None:
    if draw:
        try:
            click.echo(_drawn(answer, rows))
        except plot.MissingError as error:
            raise click.ClickException(str(error)) from error
        return
    if form == "table" and not answer.rows:
        click.echo(NOTHING)
        return
    click.echo(formats.render(answer, form, rows))
    if form == "table":
        if len(rows) < len(answer.rows):
            click.echo(f"{len(rows)} of {len(answer.rows)} rows shown; the total is of all of them")
        if answer.name == "commit":
            for line in (*commits.by_branch(answer.rows), *commits.spikes(rows)):
                click.echo(line)


def _drawn(answer: Answer, rows: list[dict[str, Any]]) -> str:
    key = "tool_calls" if answer.name == "tool" else "cost_usd"
    width = min(120, shutil.get_terminal_size((100, 24)).columns)
    drawn = plot.bars(rows, answer.name, key, width)
    map_ = plot.heatmap(rows) if answer.name == "day" else ""
    return f"{drawn}\n\n{map_}" if map_ else drawn


def _filter(name: str, now: float, filters: dict[str, str | None]) -> Filter:
    zone = _zone(filters["timezone"])
    since, until = (_day(filters[key], f"--{key}", zone) for key in ("since", "until"))
    if since and until and until < since:
        raise click.UsageError("--until lies before --since")
    if filters["model"] is not None and name in ("tools", "commits"):
        raise click.UsageError(f"--model says nothing about {name}")
    today = datetime.fromtimestamp(now, zone).date()
    if name == "today":
        if since or until:
            raise click.UsageError("today is today; `aitop report models --since DATE` asks for other days")
        since = until = today
    if name == "commits" and since is None:
        since = (until or today) - timedelta(days=COMMIT_DAYS)
    return Filter(
        since, until, zone, filters["project"], filters["model"], filters["tag"], filters["provider"]
    )


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise click.UsageError(f"--timezone: {name} is no time zone (try Europe/Berlin or UTC)") from error


def _day(text: str | None, option: str, zone: tzinfo | None) -> date | None:
    if text is None:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007
        periods.midnight(day - timedelta(days=1), zone)
        periods.midnight(day + timedelta(days=2), zone)  # years at the ends of the calendar have none
    except (ValueError, OverflowError, OSError) as error:
        raise click.UsageError(f"{option}: {text} is no date such as 2026-01-31") from error
    return day


def history() -> sqlite3.Connection:
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
