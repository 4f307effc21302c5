"""`aitop advise`: print the findings of the rules over the history, as text or JSON."""

import json
import sqlite3
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import click

from aitop import paths
from aitop.advice import all_rules, record
from aitop.advice.finding import Finding, Hit, Rule
from aitop.config import Config
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.pricing import table
from aitop.reports import filters
from aitop.reports.ready import configuration, currency, history
from aitop.reports.rows import clean
from aitop.segments import money
from aitop.segments.money import Currency

DAYS = 30
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
    "--json", "as_json", is_flag=True, help="A list of findings; money in USD, times in epoch seconds."
)
def advise(since: str | None, until: str | None, only: tuple[str, ...], listing: bool, as_json: bool) -> None:
    """Show what could have cost less, with the evidence from the history.

    Each finding says what was seen, what you would have saved at the prices of that day, what to do, and
    how to check it. Without a finding it prints nothing. Two rules may count the same requests: do not add
    their savings up. `advise.disable` in the configuration switches a rule off.
    """
    if listing:
        click.echo("\n".join(f"{rule.id:<16} {rule.about}" for rule in all_rules.RULES))
        return
    config = configuration()
    rules = _rules(only, config)
    start = _day(since, "--since") if since else _today() - timedelta(days=DAYS)
    end = _day(until, "--until") + timedelta(days=1) if until else None
    if end is not None and end <= start:
        raise click.UsageError("--until lies before --since")
    db = history().db
    findings = _findings(db, config, rules, (start, end))
    if as_json:
        click.echo(json.dumps([published(one) for one in findings], indent=1))
    elif findings:
        shown_in = currency(db, config, time.time())
        click.echo("\n\n".join(shown(one, shown_in) for one in findings))


def _findings(
    db: sqlite3.Connection, config: Config, rules: Sequence[Rule], days: tuple[date, date | None]
) -> list[Finding]:
    prices = table.load(config.price_overrides, paths.in_home(paths.PRICES))
    start, end = (periods.midnight(day) if day else None for day in days)
    return all_rules.findings(record.sessions(db, start, end), prices, rules, config["advise.least_usd"])


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
    """A finding as JSON."""
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


def shown(one: Finding, currency: Currency) -> str:
    """A finding for a person."""
    most = "up to " if one.rule.judgement else ""
    lines = [f"{one.rule.id}: {most}{_usd(one.saving, currency)}", f"  {one.words.evidence}."]
    lines += [f"  Do:    {one.words.advice}.", f"  Check: {one.words.check}."]
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
