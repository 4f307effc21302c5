"""`aitop report`: totals of the whole history in any grouping, as tables or for programs."""

import json
import os
import sqlite3
import time
from collections.abc import Callable
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

import click

from aitop import paths
from aitop.history import tags_file
from aitop.ingest.coverage import ClientCoverage
from aitop.reports import framing, groupings, kept, options, printing
from aitop.reports.ask import Asker
from aitop.reports.currency import currency
from aitop.reports.filters import Filter, Period
from aitop.reports.fleet_cli import fleet, hosts
from aitop.reports.options import Chosen
from aitop.reports.printing import Page
from aitop.reports.ready import asked, configuration, history, progress
from aitop.reports.rows import Answer, clean
from aitop.reports.table import Style
from aitop.segments import details, text_table
from aitop.system import atomic_file

# Reports that ask git or other files, or that change as time goes on.
NOT_KEPT = frozenset((*options.EACH_RESPONSE, "blocks"))
FEW_FILES = 20  # git is done with so few before a bar could be seen
Ask = Callable[[Asker, float, Chosen], Answer]


class Report(NamedTuple):
    """One word of `aitop report`: the help of it, the title above its rows, and how they are asked for."""

    help: str
    title: str
    ask: Ask


class ReportGroup(click.Group):
    """Without a word the report is by model, whatever options there are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] in ("--fleet", "--host"):
            args = [{"--fleet": "fleet", "--host": "hosts"}[args[0]], *args[1:]]
        elif not args or (args[0].startswith("-") and args[0] not in (*ctx.help_option_names, "--help")):
            args = ["models", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ReportGroup)
def report() -> None:
    """Totals of the whole history: by day, session, project, model, tag, branch, commit and more.

    The history keeps what clients delete: it goes back to the day aitop first read their files. Without
    a listener the files are read first, with progress on stderr. Without COMMAND: by model.

    \b
    aitop report daily --last 7 --breakdown     a week by day, below each day its models
    aitop report projects --by month            projects down, months across
    aitop report sessions --since yesterday --json
    aitop report --fleet                        every machine, from Prometheus
    aitop report --host                         this machine and those of `aitop pull`
    """  # noqa: D301 - click's own mark


report.add_command(fleet)
report.add_command(hosts)


def _grouped(name: str) -> Ask:
    def ask(asker: Asker, _: float, chosen: Chosen) -> Answer:
        if chosen.by:
            return groupings.crossed(asker, name, chosen.by)
        if name == "session" and chosen.limit is not None and not chosen.breakdown:
            cheapest = chosen.order == "asc"
            some = groupings.dearest_sessions(asker, chosen.offset, chosen.limit, cheapest=cheapest)
            if some is not None:
                return some
        return groupings.grouped(asker, name, breakdown=chosen.breakdown)

    return ask


def _by_period(period: Period) -> Ask:
    return lambda asker, _, chosen: groupings.by_period(asker, period, breakdown=chosen.breakdown)


def _commits(asker: Asker, now: float, _: Chosen) -> Answer:
    from aitop.reports import commits, git  # with what they load, a tenth of every other report's start

    start, end = asker.wanted.span()
    assert start is not None
    return commits.answer(asker, start, end if end is not None else now + 1, git.toplevel, git.commits)


def _pulls(asker: Asker, now: float, _: Chosen) -> Answer:
    from aitop.reports import git, pulls

    start, end = asker.wanted.span()
    return pulls.answer(asker, start or 0.0, end if end is not None else now + 1, git.toplevel, git.merges)


def _shipped(asker: Asker, now: float, _: Chosen) -> Answer:
    from aitop.reports.shipped import answer as shipped
    from aitop.reports.shipped import reading

    start, end = asker.wanted.span()
    assert start is not None
    with progress("reading edits") as reading_bar:
        acts = reading.read(asker.db, start, reading_bar)
    with progress("asking git", FEW_FILES) as git_bar:
        return shipped.answer(asker, start, end if end is not None else now + 1, acts, git_bar)


def _tries(asker: Asker, now: float, _: Chosen) -> Answer:
    from aitop.reports.shipped import answer as shipped
    from aitop.reports.shipped import reading, tries

    start, end = asker.wanted.span()
    assert start is not None
    with progress("reading edits") as bar:
        acts = reading.read(asker.db, start, bar)
    return tries.answer(acts, shipped.turns_of(asker, start, end if end is not None else now + 1, acts))


def _context(asker: Asker, now: float, _: Chosen) -> Answer:
    from aitop.pricing import table
    from aitop.reports import context_report

    start, end = asker.wanted.span()
    assert start is not None
    prices = table.load(configuration().price_overrides, paths.in_home(paths.PRICES))
    return context_report.answer(asker, prices, start, end if end is not None else now + 1)


REPORTS = {
    "today": Report("Tokens and cost of today, by model.", "Today by model", _grouped("model")),
    "daily": Report("By day, from midnight to midnight.", "Cost by day", _by_period("day")),
    "weekly": Report("By week, from Monday on or from Sunday.", "Cost by week", _by_period("week")),
    "monthly": Report("By month.", "Cost by month", _by_period("month")),
    "blocks": Report(
        "By five-hour block (it begins at a full hour, an estimate).",
        "Cost by five-hour block",
        lambda asker, now, chosen: groupings.blocks(asker, now, breakdown=chosen.breakdown),
    ),
    "sessions": Report(
        "By session, sub-agents included, dearest first.", "Cost by session", _grouped("session")
    ),
    "projects": Report("By folder, dearest first.", "Cost by project", _grouped("project")),
    "models": Report("By model id as written, dearest first.", "Cost by model", _grouped("model")),
    "tags": Report("By tag: `aitop tag`, $AITOP_TAG or a rule.", "Cost by tag", _grouped("tag")),
    "branches": Report("By folder and git branch.", "Cost by branch", _grouped("branch")),
    "tools": Report(
        "Tool calls and failures, most used first.", "Calls by tool", lambda asker, *_: groupings.tools(asker)
    ),
    "context": Report(
        "Cost of what is in the context: MCP servers, skills, tools. Estimated from the growth of prompts; "
        f"the last {options.COMMIT_DAYS} days unless --since says otherwise.",
        "Cost by what is in the context",
        _context,
    ),
    "commits": Report(
        f"What each git commit cost, newest first. The last {options.COMMIT_DAYS} days unless --since says otherwise.",
        "Cost by commit",
        _commits,
    ),
    "pulls": Report("What each pull request cost, dearest first.", "Cost by pull request", _pulls),
    "shipped": Report(
        "What became of the lines that agents wrote, and their cost. They survived, were reverted or were never "
        f"committed. The last {options.COMMIT_DAYS} days unless --since says otherwise.",
        "Cost by what became of it",
        _shipped,
    ),
    "tries": Report(
        "How often edits and tools worked at once, by model. It also says how often turns were interrupted. The last "
        f"{options.COMMIT_DAYS} days unless --since says otherwise.",
        "First tries",
        _tries,
    ),
}


def _command(name: str, about: Report) -> None:
    def run(**given: Any) -> None:
        now = time.time()
        config = configuration()
        chosen = options.chosen(name, lambda zone: _date(now, zone), given, config["week_start"])
        recording = kept.Recording(click.get_current_context().obj if name not in NOT_KEPT else None)
        ready = history(rows=name in options.EACH_RESPONSE, keep=recording.keep)

        def answered() -> None:
            asker = Asker(ready.db, chosen.wanted, config.tags, tags_file.read(paths.home()))
            style = Style(currency(ready.db, config, now), printing.terminal_width(), chosen.wanted.zone)
            coverage = details.coverage({"coverage": {"clients": ready.clients}})
            if chosen.html:
                from aitop.reports import html

                kept = html.Kept(style, coverage, chosen.hide_names, _first(name))
                text = html.document(asker, kept, now)
                _write(chosen.html, text.encode("utf-8", "replace"))
                return
            answer = about.ask(asker, now, chosen)
            page = Page(about.title, answer, chosen, style, ready.folders, coverage)
            if chosen.png:
                _write(chosen.png, printing.png(page, asker, now))
            else:
                printing.show(page, asker, now)

        try:
            asked(lambda: recording.of(answered), ready)
        except sqlite3.Error as error:
            raise click.ClickException(f"the history cannot be read: {error}; try `aitop doctor`") from error

    command: Any = run
    for option in reversed(options.declared(name)):
        command = option(command)
    report.command(name=name, help=about.help)(command)


def _first(name: str) -> str:
    """The grouping that a file shows first."""
    return {"projects": "project", "branches": "branch"}.get(name, "model")


def _write(path: str, data: bytes) -> None:
    """Write the file whole, for its owner alone."""
    try:
        atomic_file.replace(os.path.abspath(path), data)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}") from error
    click.echo(f"wrote {path}")


def _date(now: float, zone: tzinfo | None) -> date:
    return datetime.fromtimestamp(now, zone).date()


for _name, _about in REPORTS.items():
    _command(_name, _about)


@report.command()
@click.option("--json", "as_json", is_flag=True, help="One object: clients by name, and the responses.")
def coverage(as_json: bool) -> None:
    """How far the totals can be trusted, client by client.

    It says what is counted of each client, and how its responses are priced.
    """
    ready = history(rows=False)
    total = asked(lambda: groupings.grouped(Asker(ready.db, Filter(), (), {}), "model").total, ready)
    at_least = total.unpriced_requests + total.understated_requests
    responses = {
        "requests": total.requests,
        "priced": total.requests - total.unpriced_requests - total.estimated_requests,
        "estimated": total.estimated_requests,
        "at_least": at_least,
        "client_priced": total.client_priced_requests,
    }
    clients = {name: one for name, one in ready.clients.items() if one["found"]}
    if as_json:
        click.echo(json.dumps({"clients": clients, "responses": responses}, indent=1))
        return
    rows = [
        (name, f"{one['files']:,}", f"{one['unread']:,}", _counted(one))
        for name, one in sorted(clients.items())
    ]
    click.echo("\n".join(text_table.lines(rows, "lrrl", heads=("client", "files", "not read", "counted"))))
    click.echo("\n".join(framing.notes(total)) or "no response is known yet")


def _counted(one: ClientCoverage) -> str:
    reason = f": {clean(one['reason'])}" if one["reason"] else ""
    if not one["counted"]:
        return f"no{reason}"
    return f"in part{reason}" if one["unread"] else "yes"
