"""The options of `aitop report`: declared once, checked together, turned into a filter. Today is an argument."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta, tzinfo
from typing import Any, NamedTuple, TypeAlias, cast

import click

from aitop.model.periods import WEEKDAYS
from aitop.reports import filters
from aitop.reports.filters import Filter, Period
from aitop.reports.formats import Form

COMMIT_DAYS = 30  # what the reports of ON_DEMAND look back without --since
ON_DEMAND = ("commits", "context", "shipped", "tries")  # they ask git, or read each response or record
NO_MODEL = ("tools", "commits", "pulls", "shipped", "tries")  # they cannot be asked for one model
EACH_RESPONSE = (*ON_DEMAND, "pulls")  # their history has its single responses, not the sums alone
PERIODS: dict[str, Period] = {"daily": "day", "weekly": "week", "monthly": "month"}
CROSSED = ("sessions", "projects", "models", "tags", "branches")
BROKEN_DOWN = ("daily", "weekly", "monthly", "blocks", "sessions", "projects", "tags", "branches")
FORMS: tuple[Form, ...] = ("json", "csv", "markdown")
Given: TypeAlias = Mapping[str, Any]  # what click hands over: option → value

_DAYS = "2026-01-31, 20260131, today, yesterday, 7d or 2w"
_EVERYWHERE = (
    click.option("--since", metavar="DAY", help=f"First day, inclusive: {_DAYS}."),
    click.option("--until", metavar="DAY", help="Last day, inclusive."),
    click.option(
        "--last", type=click.IntRange(1, 10_000), metavar="N",
        help="The newest N days, today included. A report by week or month takes N weeks or months.",
    ),
    click.option(
        "--timezone", metavar="ZONE",
        help="Days begin at midnight of this zone, such as Europe/Berlin. Default: the system's zone.",
    ),
    click.option(
        "--project", metavar="PATTERN", help="Only this folder: its name, its path, or a pattern such as '*/work/*'."
    ),
    click.option("--tag", metavar="PATTERN", help="Only sessions with this tag."),
    click.option("--provider", metavar="NAME", help="Only this client: claude-code, codex, …"),
    click.option("--json", "json", is_flag=True, help="Print a list of objects: money in USD, times in epoch seconds."),
    click.option("--csv", "csv", is_flag=True, help="Print comma-separated values, with every field, in USD."),
    click.option("--markdown", "markdown", is_flag=True, help="Print a Markdown table."),
    click.option("--html", metavar="FILE", help="Write one file for a browser, with charts, tables and CSV in it."),
    click.option("--hide-names", is_flag=True, help="With --html: numbers instead of names of projects and sessions."),
    click.option("--plot", is_flag=True, help="Draw bars in the terminal (needs the extra `plot`)."),
    click.option("--png", metavar="FILE", help="Write the bars of --plot as a picture (needs the extra `plot`)."),
    click.option(
        "--order", type=click.Choice(("asc", "desc")),
        help="asc: oldest or cheapest first; desc: newest or dearest first.",
    ),
    click.option(
        "--limit", type=click.IntRange(1),
        help="Print at most this many rows. The total still covers all of them.",
    ),
    click.option("--offset", type=click.IntRange(0), default=0, help="Skip this many rows at the beginning."),
)  # fmt: skip
_MODEL = "Only models with this text in their id, or an id that matches the pattern."
_BREAKDOWN = click.option("--breakdown", is_flag=True, help="Show the models of each row below it.")
_BY = click.option(
    "--by",
    type=click.Choice(("day", "week", "month")),
    help="Show the cost of each period in a column of its own.",
)
_WEEKS = click.option(
    "--start-of-week",
    "week_start",
    type=click.Choice(("monday", "sunday")),
    help="The first day of a week. Default: `week_start` of the configuration.",
)


class Chosen(NamedTuple):
    """The options of one call, checked."""

    wanted: Filter
    form: Form
    plot: bool
    breakdown: bool
    by: Period | None
    order: str | None
    limit: int | None
    offset: int
    html: str | None = None  # the file to write instead of printing
    hide_names: bool = False
    png: str | None = None  # the file to write the chart to


def declared(name: str) -> list[Callable[[Any], Any]]:
    """The options of one report."""
    # hidden where it is refused, so that the refusal can say why
    own = [click.option("--model", metavar="PATTERN", help=_MODEL, hidden=name in NO_MODEL)]
    own += [_BREAKDOWN] if name in BROKEN_DOWN else []
    own += [_BY] if name in CROSSED else []
    own += [_WEEKS] if name == "weekly" or name in CROSSED else []
    return [*_EVERYWHERE, *own]


def chosen(
    name: str, today: Callable[[tzinfo | None], date], given: Given, week_start: str = "monday"
) -> Chosen:
    """The options as given, with the configured first day of a week. Raises click.UsageError."""
    forms = [form for form in FORMS if given[form]]
    if len(forms) > 1:
        raise click.UsageError(f"--{forms[0]} and --{forms[1]}: choose one")
    by = cast("Period | None", given.get("by"))
    breakdown, plot = bool(given.get("breakdown")), bool(given["plot"])
    _refuse(plot and bool(forms), f"--plot draws; it cannot be --{forms[0] if forms else ''} too")
    _refuse(plot and breakdown, "--plot draws one bar a row; leave --breakdown out")
    _refuse(plot and by is not None, "--plot draws one bar a row; leave --by out")
    _refuse(breakdown and by is not None, "--breakdown and --by: choose one")
    _refuse(breakdown and given["csv"], "--csv has no rows within rows: `aitop report models --by day --csv`")
    _refuse(
        by is not None and given["markdown"],
        "--by makes a table too wide for --markdown: use --csv or --json",
    )
    _refuse(
        by is None and name in CROSSED and given.get("week_start") is not None,
        "--start-of-week goes with --by week",
    )
    html, hidden, png = given.get("html"), bool(given.get("hide_names")), given.get("png")
    _refuse(bool(png) and bool(forms or plot or html),
            f"--png writes a picture; leave --{(*forms, 'plot' if plot else 'html')[0]} out")  # fmt: skip
    _refuse(bool(png) and bool(breakdown or by), "--png draws one bar a row; leave --breakdown and --by out")
    _refuse(hidden and not html, "--hide-names goes with --html FILE")
    _refuse(bool(html) and bool(forms or plot or breakdown or by),
            "--html writes a file with every grouping; leave the options of what is printed out")  # fmt: skip
    return Chosen(
        _filter(name, today, given, week_start), forms[0] if forms else "table", plot, breakdown, by, given["order"],
        given["limit"], given["offset"], html, hidden, png,
    )  # fmt: skip


def _refuse(wrong: bool, why: str) -> None:
    if wrong:
        raise click.UsageError(why)


def _filter(name: str, today_in: Callable[[tzinfo | None], date], given: Given, configured: str) -> Filter:
    zone = _zone(given["timezone"])
    today = today_in(zone)
    week_start = WEEKDAYS[given.get("week_start") or configured]
    since, until = (_day(given[key], f"--{key}", today, zone) for key in ("since", "until"))
    _refuse(name == "today" and bool(since or until or given["last"]),
            "today is today; `aitop report models --since DAY` asks for other days")  # fmt: skip
    _refuse(bool(since and given["last"]), "--since and --last both say where to begin: choose one")
    _refuse(bool(until and given["last"]), "--last counts back from today; leave --until out")
    if given["last"]:
        since = _last(given["last"], PERIODS.get(name, given.get("by") or "day"), today, week_start)
    _refuse(bool(since and until and until < since), "--until lies before --since")
    _refuse(
        given["model"] is not None and name in NO_MODEL,
        f"--model says nothing about {name}",
    )
    _refuse(
        name == "tries" and bool(given["plot"] or given.get("png")), "tries are no money: a chart draws cost"
    )
    if name == "today":
        since = until = today
    if name in ON_DEMAND and since is None:
        since = (until or today) - timedelta(days=COMMIT_DAYS)
    return Filter(
        since, until, zone, project=given["project"], model=given["model"], tag=given["tag"],
        provider=given["provider"], week_start=week_start,
    )  # fmt: skip


def _last(count: int, period: Period, today: date, week_start: int) -> date:
    try:
        return filters.last(count, period, today, week_start)
    except (OverflowError, ValueError) as error:
        raise click.UsageError(f"--last {count}: the calendar has no such {period}") from error


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise click.UsageError(f"--timezone: {name} is no time zone (try Europe/Berlin or UTC)") from error


def _day(text: str | None, option: str, today: date, zone: tzinfo | None) -> date | None:
    if text is None:
        return None
    try:
        return filters.day(text, today, zone)
    except (ValueError, OverflowError, OSError) as error:
        raise click.UsageError(f"{option}: {text} is no day such as {_DAYS}") from error
