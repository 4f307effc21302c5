"""`aitop advise`: what the history says could have cost less."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from aitop import paths
from aitop.advice import all_rules, record
from aitop.advice.finding import Finding, Hit, Rule, usd
from aitop.config import Config, ConfigError
from aitop.config import load as load_config
from aitop.model.sums import PICO
from aitop.pricing import table

DAYS = 30
SHOWN = 3  # sessions named below a finding


@click.command()
@click.option("--since", metavar="DATE", help=f"First day (2026-01-01). Default: {DAYS} days ago.")
@click.option("--until", metavar="DATE", help="Last day, inclusive.")
@click.option("--rule", "only", multiple=True, metavar="ID", help="Only this rule; may be repeated.")
@click.option("--rules", "listing", is_flag=True, help="List every rule and leave.")
@click.option(
    "--json", "as_json", is_flag=True, help="A list of findings; money in USD, times in epoch seconds."
)
def advise(since: str | None, until: str | None, only: tuple[str, ...], listing: bool, as_json: bool) -> None:
    """What could have cost less, by rules whose evidence is in the history.

    Silent when there is nothing to say. Each finding tells what was seen, what it would have saved at
    the prices of its own day, and how to check it. Savings of different rules may be of the same
    requests: do not add them up. Switch a rule off with `advise.disable` in the configuration.
    """
    if listing:
        click.echo("\n".join(f"{rule.id:<16} {rule.about}" for rule in all_rules.RULES))
        return
    try:
        config = load_config()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    rules = _rules(only, config)
    start = _day(since, "--since") if since else _midnight() - timedelta(days=DAYS)
    end = _day(until, "--until") + timedelta(days=1) if until else None
    if end is not None and end <= start:
        raise click.UsageError("--until lies before --since")
    found = _findings(config, rules, start.timestamp(), end.timestamp() if end else None)
    if as_json:
        click.echo(json.dumps([published(one) for one in found], indent=1))
    elif found:
        click.echo("\n\n".join(shown(one) for one in found))


def _findings(config: Config, rules: Sequence[Rule], start: float, end: float | None) -> list[Finding]:
    from aitop.reports.cli import history

    prices = table.load(config.price_overrides, paths.in_home(paths.PRICES))
    db = history()
    try:
        return all_rules.findings(record.sessions(db, start, end), prices, rules, config["advise.least_usd"])
    finally:
        db.close()


def _rules(only: tuple[str, ...], config: Config) -> list[Rule]:
    """Those asked for by name, else all that are not switched off."""
    disabled = config["advise.disable"]
    for name in (*only, *disabled):
        if name not in all_rules.BY_ID:
            where = "--rule" if name in only else "advise.disable"
            raise click.UsageError(f"{where}: there is no rule {name}; `aitop advise --rules` lists them")
    if only:
        return [all_rules.BY_ID[name] for name in dict.fromkeys(only)]
    return [rule for rule in all_rules.RULES if rule.id not in disabled]


def published(one: Finding) -> dict[str, Any]:
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
            for hit in one.hits[:20]
        ],
    }


def shown(one: Finding) -> str:
    """A finding for a person."""
    most = "up to " if one.rule.judgement else ""
    lines = [f"{one.rule.id}: {most}{usd(one.saving)}", f"  {one.words.evidence}."]
    lines += [f"  Do:    {one.words.advice}.", f"  Check: {one.words.check}."]
    lines += [f"         {_place(hit)}" for hit in one.hits[:SHOWN] if hit.saving > 0]
    return "\n".join(lines)


def _place(hit: Hit) -> str:
    from aitop.reports.table import clean

    when = datetime.fromtimestamp(hit.at).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - the reader's own time
    return f"{usd(hit.saving):>9}  {when}  {clean(hit.session[:8])} {clean(hit.project)}"


def _day(text: str, option: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - local days
    except ValueError as error:
        raise click.UsageError(f"{option}: {text} is no date such as 2026-01-31") from error


def _midnight() -> datetime:
    return datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)  # noqa: DTZ005
