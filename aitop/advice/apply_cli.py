"""`aitop advise --apply` and `--undo`: show a change of a setting, ask, write it, and take it out again."""

import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence

import click

from aitop.advice import applied, offers, settings
from aitop.advice.finding import Finding
from aitop.advice.record import Record
from aitop.advice.settings import Setting
from aitop.install import advised, files
from aitop.install import record as install_record
from aitop.install.advised import Applied, Change
from aitop.model.sums import PICO
from aitop.pricing.table import PriceTable
from aitop.segments import money
from aitop.segments.money import Currency


def apply(
    findings: Sequence[Finding], listed: dict[str, int], sessions: Callable[[], Iterable[Record]], table: PriceTable,
    least_usd: float, currency: Currency, now: float, *, dry_run: bool, yes: bool,
) -> None:  # fmt: skip
    """Offer each finding that a setting follows, and write what the user agrees to. Raises click.ClickException.

    `sessions` reads those that the findings are of, one at a time. `listed`: what `aitop advise` names as the saving of
    a rule, over all clients (picodollars). What is in the way of one finding keeps none of
    the others back.
    """
    data, refused = offers.settings_files()
    offered = 0
    for one in findings:
        setting = settings.BY_RULE.get(one.rule.id)
        if setting is None:
            continue
        answer = offers.answer(one, setting, data, sessions, table, least_usd)
        click.echo("".join(f"{note}\n" for note in answer.notes), nl=False)
        refused += answer.in_the_way
        if answer.offer is None:
            continue
        offered += 1
        part, _, changes, saving = answer.offer
        text = _saving(part, saving, listed.get(one.rule.id, one.saving), one.saving, setting, currency)
        _offer(part, setting, changes, text, now, dry_run=dry_run, yes=yes)
    if refused:
        raise click.ClickException("\n".join(refused))
    if not offered:
        click.echo("Nothing to apply: no finding that a setting of Claude Code follows.", err=True)


def _saving(
    one: Finding, saving: int, listed: int, of_client: int, setting: Setting, currency: Currency
) -> str:
    """The saving as text, and in a line below why `aitop advise` names another."""
    shown, listed_text = (money.text(sum_ / PICO, currency) for sum_ in (saving, listed))
    text = ("up to " if one.rule.judgement else "") + shown
    if shown == listed_text:
        return text
    reasons = [setting.difference] if saving != of_client and setting.difference else []
    if listed != of_client:
        reasons.append("other clients are in that sum, and these are settings of Claude Code")
    return f"{text}\n  `aitop advise` says {listed_text}: {'; '.join(reasons)}."


def _offer(
    one: Finding,
    setting: Setting,
    changes: list[Change],
    saving: str,
    now: float,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    click.echo(f"{one.rule.id}: {saving}\n  {one.words.evidence}.\n  {setting.warning}.\n")
    click.echo("\n".join(change.diff for change in changes) + "\n")
    if dry_run:
        click.echo("Nothing was written.", err=True)
        return
    if not yes and not _agreed():
        click.echo("Nothing was written.")
        return
    try:
        with files.lock():
            for change in changes:
                advised.write(change, now)
                click.echo(f"{change.path}: {'.'.join(change.keys)} = {change.value}")
    except files.Refused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{advised.RELOADED}.\n`aitop advise` says after a week what it saved; ", nl=False)
    click.echo(f"`{applied.undo_command(one.rule.id)}` takes it out.")


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError(
            "there is no terminal to ask at: --yes writes without asking, --dry-run only shows"
        )
    return click.confirm("Write this?")


def undo(rule: str | None, history: Callable[[], sqlite3.Connection], now: float) -> None:
    """Take out one rule's settings, or all of them. Raises click.ClickException where one stays.

    The history is asked only where something was applied long enough ago to be measured.
    """
    try:
        with files.lock():
            entries = [entry for entry in advised.load().in_force() if rule in (None, entry.rule)]
            if rule is not None and not entries:
                raise click.UsageError(f"{rule} is not applied; `aitop advise --applied` lists what is")
            saved_nothing = _saved_nothing(entries, history, now)
            refused = _take_out(entries, saved_nothing, now)
    except files.Refused as error:
        raise click.ClickException(str(error)) from error
    if not entries:
        click.echo("Nothing is applied.", err=True)
    if refused:
        raise click.ClickException("\n".join(refused))


def _saved_nothing(entries: list[Applied], history: Callable[[], sqlite3.Connection], now: float) -> set[str]:
    """Rules that were measured and saved nothing: once taken out, they are not offered again."""
    if not any(applied.can_be_measured(entry.at, now) for entry in entries):
        return set()
    try:
        results = applied.results(history(), advised.load(), now)
    except (click.ClickException, sqlite3.Error):
        return set()  # an undo needs no history
    return {one.rule for one in results if one.verdict == "nothing"}


def _take_out(entries: list[Applied], saved_nothing: set[str], now: float) -> list[str]:
    """Take out, the newest first; returns why what stays could not be taken out."""
    lines, refused = [], []
    for entry in reversed(entries):
        try:
            lines.append((entry.path, advised.undo(entry, now, withdrawn=entry.rule in saved_nothing)))
        except files.Refused as error:
            refused.append(str(error))
    click.echo("".join(f"{line}\n" for line in install_record.end_states(lines)), nl=False)
    return refused
