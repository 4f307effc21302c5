"""`aitop advise`: print the findings of the rules over the history, as text or JSON. Parses for `apply_cli` too."""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import click

from aitop import paths
from aitop.advice import all_rules, applied, apply_cli, offers, record
from aitop.advice.finding import Finding, Hit, Rule
from aitop.advice.record import Record
from aitop.config import Config
from aitop.install import advised, files
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.pricing import table
from aitop.pricing.table import PriceTable
from aitop.reports import filters
from aitop.reports.ready import configuration, currency, history
from aitop.reports.rows import clean
from aitop.segments import money
from aitop.segments.money import Currency

DAYS = 30
EVERY = "*"  # --undo without a rule
EXAMPLES_SHOWN = 3  # sessions named below a finding
EXAMPLES_PUBLISHED = 20


@click.command()
@click.option(
    "--since", metavar="DAY", help=f"First day: 2026-01-31, yesterday, 7d. Default: {DAYS} days ago."
)
@click.option("--until", metavar="DAY", help="Last day, inclusive.")
@click.option("--rule", "only", multiple=True, metavar="ID", help="Only this rule; may be repeated.")
@click.option("--rules", "listing", is_flag=True, help="List every rule.")
@click.option(
    "--apply",
    "applying",
    is_flag=True,
    help="Change the settings of Claude Code that follow the advice: shows each change and asks.",
)
@click.option("--yes", is_flag=True, help="With --apply: do not ask.")
@click.option("--dry-run", is_flag=True, help="With --apply: only show the changes.")
@click.option("--applied", "results", is_flag=True, help="What was applied and what it really saved.")
@click.option(
    "--undo",
    "undone",
    metavar="[ID]",
    is_flag=False,
    flag_value=EVERY,
    help="Take out the settings of one rule, or all that were applied.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="A list of findings; money in USD, times in epoch seconds."
)
def advise(**given: Any) -> None:
    """Show what could have cost less, with the evidence from the history.

    Each finding says what was seen, what you would have saved at the prices of that day, what to do, and
    how to check it. Without a finding it prints nothing. Two rules may count the same requests: do not add
    their savings up. `advise.disable` in the configuration switches a rule off.

    What a setting of Claude Code can do is written by --apply. A week later the first lines say what it really
    saved against the days before, with an interval; what saved nothing is withdrawn.

    \b
    aitop advise --apply --dry-run           what would change
    aitop advise --apply --rule short-cache  this one: show, ask, write
    aitop advise --applied                   what it really saved
    aitop advise --undo short-cache          the settings as they were
    """  # noqa: D301 - click's own mark
    _refuse_mixed(given)
    now = time.time()
    if given["listing"]:
        click.echo("\n".join(f"{rule.id:<16} {rule.about}" for rule in all_rules.RULES))
    elif given["undone"] is not None:
        rule = None if given["undone"] == EVERY else given["undone"]
        apply_cli.undo(rule, lambda: history().db, now)
    elif given["results"]:
        _show_results(now, as_json=given["as_json"])
    else:
        config = configuration()
        asked = _asked(given, config)
        if given["applying"]:
            _apply(asked, now, dry_run=given["dry_run"], yes=given["yes"])
        else:
            _show(asked, now, as_json=given["as_json"])


def _refuse_mixed(given: dict[str, Any]) -> None:
    """Options that contradict each other, or mean nothing together. Raises click.UsageError."""
    words = ("applying", "undone", "results", "listing")
    if sum(given[name] not in (None, False) for name in words) > 1:
        raise click.UsageError("--apply, --undo, --applied and --rules are four questions: ask one")
    if (given["yes"] or given["dry_run"]) and not given["applying"]:
        raise click.UsageError("--yes and --dry-run go with --apply")
    if given["yes"] and given["dry_run"]:
        raise click.UsageError("--yes writes and --dry-run does not")
    if given["as_json"] and (given["applying"] or given["undone"]):
        raise click.UsageError("--json goes with the list of findings or with --applied")


class _Asked(NamedTuple):
    """Which rules over which time (epoch seconds). `named`: the rules were named by --rule."""

    db: sqlite3.Connection
    config: Config
    rules: Sequence[Rule]
    start: float
    end: float | None
    named: bool

    def sessions(self) -> Iterable[Record]:
        return record.sessions(self.db, self.start, self.end)

    def sessions_of_client(self) -> Iterable[Record]:
        return offers.of_client(self.sessions())

    def findings(self, sessions: Iterable[Record], prices: PriceTable) -> list[Finding]:
        return all_rules.findings(sessions, prices, self.rules, self.config["advise.least_usd"])


def _asked(given: dict[str, Any], config: Config) -> _Asked:
    """What is asked for, over the history as it is now. Raises click.ClickException."""
    rules = _rules(given["only"], config)
    since, until = given["since"], given["until"]
    start = _day(since, "--since") if since else _today() - timedelta(days=DAYS)
    end = _day(until, "--until") + timedelta(days=1) if until else None
    if end is not None and end <= start:
        raise click.UsageError("--until lies before --since")
    moments = periods.midnight(start), periods.midnight(end) if end else None
    return _Asked(history().db, config, rules, *moments, bool(given["only"]))


def _prices(config: Config) -> PriceTable:
    return table.load(config.price_overrides, paths.in_home(paths.PRICES))


def _book() -> advised.Book:
    try:
        return advised.load()
    except files.Refused as error:
        raise click.ClickException(str(error)) from error


def _show(asked: _Asked, now: float, *, as_json: bool) -> None:
    """What was applied, then the findings; what is in force or withdrawn is no finding unless it is named."""
    prices = _prices(asked.config)
    findings = asked.findings(asked.sessions(), prices)
    try:
        book = advised.load()
    except files.Refused as error:
        click.echo(f"aitop: {error}", err=True)
        book = advised.Book()
    offered = _offered(asked, findings, prices, book)
    if as_json:
        rows = [published(one) | {"apply": offered.get(one.rule.id)} for one in findings]
        click.echo(json.dumps(rows, indent=1))
        return
    shown_in = currency(asked.db, asked.config, now)
    parts = (
        [] if asked.named else [applied.shown(one, shown_in) for one in applied.results(asked.db, book, now)]
    )
    left_out = set() if asked.named else applied.not_offered(book)
    parts += [
        shown(one, shown_in, offered.get(one.rule.id)) for one in findings if one.rule.id not in left_out
    ]
    if parts:
        click.echo("\n\n".join(parts))
    elif next(iter(asked.sessions()), None) is None:
        click.echo("No request in these days; --since DAY looks further back.", err=True)


def _show_results(now: float, *, as_json: bool) -> None:
    book = _book()
    if not book.in_force() and not as_json:
        click.echo("Nothing is applied.", err=True)
        return
    config = configuration()
    db = history().db
    results = applied.results(db, book, now)
    if as_json:
        click.echo(json.dumps([applied.published(one) for one in results], indent=1))
    else:
        shown_in = currency(db, config, now)
        click.echo("\n\n".join(applied.shown(one, shown_in) for one in results))


def _apply(asked: _Asked, now: float, *, dry_run: bool, yes: bool) -> None:
    prices, book = _prices(asked.config), _book()
    findings = asked.findings(asked.sessions_of_client(), prices)
    listed = {one.rule.id: one.saving for one in asked.findings(asked.sessions(), prices)}
    in_force = {one.rule: one.at for one in book.in_force()}
    left_out = set(in_force) if asked.named else applied.not_offered(book)
    already = [rule.id for rule in asked.rules if asked.named and rule.id in in_force]
    for rule in already:
        click.echo(f"{rule} is applied already, since {applied.day(in_force[rule])}", err=True)
    if len(already) == len(asked.rules):
        return
    apply_cli.apply(
        [one for one in findings if one.rule.id not in left_out],
        listed,
        asked.sessions_of_client,
        prices,
        asked.config["advise.least_usd"],
        currency(asked.db, asked.config, now),
        now,
        dry_run=dry_run,
        yes=yes,
    )


def _rules(only: tuple[str, ...], config: Config) -> list[Rule]:
    """The rules named by --rule, else all that are not switched off."""
    disabled = config["advise.disable"]
    for name in (*only, *disabled):
        if name not in all_rules.BY_ID:
            where = "--rule" if name in only else "advise.disable"
            raise click.UsageError(f"{where}: there is no rule {name}; `aitop advise --rules` lists them")
    if only:
        return [all_rules.BY_ID[name] for name in dict.fromkeys(only)]
    return [rule for rule in all_rules.RULES if rule.id not in disabled]


def published(one: Finding) -> JsonObject:
    """A finding as JSON, but for the command that applies it."""
    return {
        "rule": one.rule.id,
        "about": one.rule.about,
        "saving_usd": round(one.saving / PICO, 6),
        "judgement": one.rule.judgement,
        "count": len(one.hits),
        "evidence": one.words.evidence,
        "advice": one.words.advice,
        "check": one.words.check,
        "examples": [
            {
                "session": hit.session,
                "project": hit.project,
                "at": hit.at,
                "saving_usd": round(hit.saving / PICO, 6),
                "tokens": hit.tokens,
                "about": hit.about or None,
            }
            for hit in one.hits[:EXAMPLES_PUBLISHED]
        ],
    }


def _offered(
    asked: _Asked, findings: Sequence[Finding], prices: PriceTable, book: advised.Book
) -> dict[str, str]:
    """Rule → the command that applies its advice; says which files are in the way."""
    commands, unreadable = offers.commands(
        asked.db, findings, asked.sessions, prices, asked.config["advise.least_usd"], book
    )
    click.echo("".join(f"aitop: {line}\n" for line in unreadable), nl=False, err=True)
    return commands


def shown(one: Finding, currency: Currency, command: str | None) -> str:
    """A finding for a person. `command`: what applies it."""
    most = "up to " if one.rule.judgement else ""
    lines = [f"{one.rule.id}: {most}{_usd(one.saving, currency)}", f"  {one.words.evidence}."]
    lines.append(f"  Do:    {one.words.advice}.")
    if command is not None:
        lines.append(f"  Apply: {command}")
    lines.append(f"  Check: {one.words.check}.")
    lines += [f"         {_place(hit, currency)}" for hit in one.hits[:EXAMPLES_SHOWN] if hit.saving > 0]
    return "\n".join(lines)


def _usd(picodollars: int, currency: Currency) -> str:
    return money.text(picodollars / PICO, currency)


def _place(hit: Hit, currency: Currency) -> str:
    when = datetime.fromtimestamp(hit.at).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - the reader's own time
    return f"{_usd(hit.saving, currency):>9}  {when}  {clean(hit.session[:8])} {clean(hit.project)}"


def _day(text: str, option: str) -> date:
    try:
        return filters.day(text, _today(), None)
    except (ValueError, OverflowError, OSError) as error:
        raise click.UsageError(f"{option}: {text} is no day such as 2026-01-31, yesterday or 7d") from error


def _today() -> date:
    return datetime.now().date()  # noqa: DTZ005 - local days
