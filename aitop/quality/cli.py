"""`aitop quality`: judge sampled turns, show what the scores say, and mark sessions yourself."""

import json
import os
import random
import sqlite3
import time
from datetime import timedelta

import click

from aitop import paths
from aitop.config import Config
from aitop.history.query import between, spans, stops
from aitop.model import periods
from aitop.model.json_types import JsonObject
from aitop.model.sums import total
from aitop.pricing import table
from aitop.providers import selection
from aitop.providers.load import load as load_providers
from aitop.quality import export, store, summary
from aitop.quality import judge as judging
from aitop.quality import run as rounds
from aitop.quality.judge import Judge
from aitop.quality.store import Judged
from aitop.quality.summary import Group
from aitop.reports.ready import configuration, currency, history
from aitop.reports.rows import project
from aitop.segments import money, text_table
from aitop.segments.text import printable

CLIENT = "claude-code"
OFF = (
    "quality is off, and no text is read for it: [quality] enabled = true in the configuration switches it on"
)
OPEN_MODE = 0o077


@click.group()
def quality() -> None:
    """Output quality by a judge that you name, beside cost.

    Off by default. When it is on, some finished turns of a day are sent to quality.url, once each, and nowhere else.
    Numbers are kept, texts never. What the judge costs is counted as provider `judge`.
    """


@quality.command()
@click.option(
    "--quiet", is_flag=True, help="Print nothing but errors: how the listener runs it four times a day."
)
def run(quiet: bool) -> None:
    """Judge a sample of the last day's turns.

    It stays within quality.turns_a_day and quality.usd_a_day.
    """
    config = configuration()
    if not config["quality.enabled"]:
        if not quiet:
            click.echo(OFF)
        return
    now = time.time()
    judge = _judge(config)
    prices = table.load(config.price_overrides, paths.in_home(paths.PRICES))
    wanted = rounds.Wanted(int(config["quality.turns_a_day"]), config["quality.usd_a_day"])
    try:
        db = store.connect()
        turns = list(rounds.candidates(_transcripts(config), now, store.known(db)))
        outcome = rounds.round_of(db, turns, judge, wanted, prices, now, judging.ask, random.getrandbits(32))
        problem = export.send(db, config, now)
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"the scores cannot be kept: {error}") from error
    if not quiet:
        click.echo(_outcome(outcome, len(turns)))
    if problem and not quiet:
        click.echo(problem, err=True)
    if outcome.failed and not outcome.judged:
        raise click.ClickException(outcome.why or "the judge gave no readable answer")


@quality.command()
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True, help="Days up to now.")
@click.option(
    "--by",
    type=click.Choice(["model", "project", "week"]),
    default="model",
    show_default=True,
    help="A row for each.",
)
@click.option("--json", "as_json", is_flag=True, help="One object: rows, agreement, signals.")
def show(days: int, by: str, as_json: bool) -> None:
    """Show scores, and the cost of a good turn.

    It also shows how far the scores agree with your marks, and signals that need no judge. A turn is good when
    none of its scores is below 0.75. Responses cut off at their limit and refusals come from the clients' own
    records. Only responses with a stop reason in those records are counted there.
    """
    now = time.time()
    config, ready = configuration(), history()
    since = now - days * 86_400
    judged, marks = _kept(since)
    answer = {
        "rows": summary.rows(_groups(ready.db, judged, by)),
        "agreement": summary.agreement(judged, marks),
        "signals": summary.signals(stops.by_model(ready.db, since)),
    }
    click.echo(
        json.dumps(answer, indent=1)
        if as_json
        else _shown(answer, by, money_of=currency(ready.db, config, now))
    )


@quality.command()
@click.argument("session")
@click.argument("word", type=click.Choice(["good", "bad", "none"]))
def mark(session: str, word: str) -> None:
    """Say yourself whether a session was good; `none` takes it back. The beginning of the id is enough."""
    names = between.sessions_like(history().db, session)
    if len(names) != 1:
        raise click.ClickException(
            "no session has this id" if not names else "several sessions begin with this id"
        )
    name = names[0][1]
    try:
        db = store.connect()
        if word == "none":
            store.unmark(db, name)
        else:
            store.mark(db, name, good=word == "good", now=time.time())
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"the mark cannot be kept: {error}") from error
    click.echo(f"{name}: {word}")


def _judge(config: Config) -> Judge:
    """Who judges, as configured. Raises click.ClickException."""
    url, model, key_file = config["quality.url"], config["quality.model"], config["quality.key_file"]
    if not url.startswith(("http://", "https://")) or not model:
        raise click.ClickException(
            "quality.url and quality.model name the judge: set both in the configuration"
        )
    judge = Judge(url, model, _key(key_file) if key_file else None)
    if url.startswith("http://") and not judge.is_local:
        raise click.ClickException("quality.url: texts leave this machine only over https://")
    return judge


def _key(path: str) -> str:
    """The key in a file that only the user can read. Raises click.ClickException."""
    path = os.path.expanduser(path)
    try:
        if os.stat(path).st_mode & OPEN_MODE:
            raise click.ClickException(f"quality.key_file: others can read {path}: chmod 600 {path}")
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"quality.key_file: {path} cannot be read: {error}") from error


def _transcripts(config: Config) -> list[str]:
    """The client's transcripts; those of sub-agents are no turns of the user's."""
    providers = [one for one in selection.enabled(load_providers()[0], config) if one.name == CLIENT]
    paths = []
    for folders in selection.folders(providers, config, dict(os.environ)).values():
        for folder in folders:
            for where, below, names in os.walk(folder):
                below[:] = [name for name in below if name != "subagents"]
                paths += [os.path.join(where, name) for name in names if name.endswith(".jsonl")]
    return sorted(paths)


def _kept(since: float) -> tuple[list[Judged], dict[str, bool]]:
    if not store.exists():
        return [], {}
    try:
        db = store.connect()
        return store.judged(db, since), store.marks(db)
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"the scores cannot be read: {error}") from error


def _groups(db: sqlite3.Connection, judged: list[Judged], by: str) -> list[Group]:
    """The judged turns by their model, project or week, with what each turn cost."""
    folders = {facts.name: facts.cwd for facts in spans.facts(db).values()}
    groups: dict[str, tuple[list[Judged], list[int]]] = {}
    for turn in judged:
        if by == "model":
            name = turn.model
        elif by == "project":
            name = project(folders.get(turn.session))
        else:
            day = periods.date_of(turn.ended)
            name = (day - timedelta(days=day.weekday())).isoformat()
        parts = between.parts(db, [(CLIENT, turn.session)], turn.began, turn.ended + 1)
        turns, costs = groups.setdefault(name, ([], []))
        turns.append(turn)
        costs.append(total(part.sum for part in parts).spent)
    return [Group(name, turns, costs) for name, (turns, costs) in groups.items()]


def _outcome(outcome: rounds.Outcome, candidates: int) -> str:
    text = f"{outcome.judged} of {candidates} turns judged, ${outcome.spent_usd:.4f}"
    text += f", {outcome.failed} failed" if outcome.failed else ""
    return text + (f": {outcome.why}" if outcome.why else "")


def _shown(answer: JsonObject, by: str, money_of: money.Currency) -> str:
    lines = []
    if answer["rows"]:
        heads = (by, "turns", "good", "groundedness", "relevance", "safety", "a good turn", "judge")
        rows = [
            (printable(row["name"]), str(row["turns"]), str(row["good"]),
             *(_score(row[metric]) for metric in ("groundedness", "relevance", "safety")),
             money.text(row["cost_usd_per_good_turn"], money_of), printable(row["judge"]))
            for row in answer["rows"]
        ]  # fmt: skip
        lines += text_table.lines(rows, "lrrrrrrl", heads=heads)
    else:
        lines.append("No turn was judged in these days.")
    agree = answer["agreement"]
    if agree["sessions"]:
        lines.append(
            f"The judge agrees with you in {agree['agree']} of {agree['sessions']} sessions that you marked."
        )
    signals = [(printable(row["model"]), f"{row['responses']:,}", f"{row['cut_off']:,}", f"{row['refused']:,}")
               for row in answer["signals"]]  # fmt: skip
    if signals:
        lines += ["", *text_table.lines(signals, "lrrr", heads=("model", "responses", "cut off", "refused"))]
        lines.append(
            "Only responses that name a stop reason are counted here; the others may have ended in any way."
        )
    return "\n".join(lines)


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
