"""One round: choose turns of the last day, ask the judge of each, keep the numbers, stay below the cap.

Before each request what is spent today is compared with the cap, so a day ends at most one request above it. A failed
request counts with the most it can have cost. The requests are also lines of the gateway's journal, as provider
`judge`, so that every total holds them.
"""

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

from aitop.gateway import journal
from aitop.model import periods
from aitop.model.events import Usage
from aitop.model.sums import PICO
from aitop.pricing.basis import Basis
from aitop.pricing.cost import price
from aitop.pricing.table import PriceTable
from aitop.providers.gateway.entry import Entry, Tokens
from aitop.quality import prompt, store, turns
from aitop.quality.judge import Answer, Judge, JudgeError
from aitop.quality.turns import Turn

PROVIDER = "judge"
LOOK_BACK_SECONDS = 86_400.0
FAILURES_IN_A_ROW = 3  # then the round ends: the judge is not there
MAX_FILE_BYTES = 64 << 20  # of a transcript: a longer one is left out

Ask = Callable[[Judge, list[dict[str, str]]], Answer]
Say = Callable[[str], None]


class Wanted(NamedTuple):
    """What the user allows in a day."""

    turns: int
    usd: float


class Outcome(NamedTuple):
    """What one round did. `why`: what ended it early, else ""."""

    judged: int
    failed: int
    spent_usd: float
    why: str


def cost_at_most(prices: PriceTable, judge: Judge, turn: Turn, now: float) -> int | None:
    """Picodollars that a judgement of this turn can cost; None where the judge's model has no price."""
    if judge.is_local:
        return 0
    priced = price(prices, judge.model, Usage(prompt.size(turn), prompt.MAX_OUTPUT_TOKENS), now)
    return None if priced.basis == Basis.UNPRICED else priced.cost


def candidates(files: list[str], now: float, judged: set[str]) -> Iterator[Turn]:
    """The finished turns of the last day that were not judged yet."""
    for path in files:
        try:
            status = os.stat(path)
            if status.st_mtime < now - LOOK_BACK_SECONDS or status.st_size > MAX_FILE_BYTES:
                continue
            with open(path, "rb") as file:
                data = file.read()
        except OSError:
            continue
        for turn in turns.read(data):
            if turn.ended >= now - LOOK_BACK_SECONDS and turn.key not in judged:
                yield turn


def round_of(
    db: sqlite3.Connection, all_turns: list[Turn], judge: Judge, wanted: Wanted, prices: PriceTable, now: float,
    ask: Ask, seed: int,
) -> Outcome:  # fmt: skip
    """Judge a sample of these turns. Raises OSError, sqlite3.Error."""
    today = periods.starts(now)["today"]
    begun, requests = store.spent(db, today)
    cap, spent = round(wanted.usd * PICO), begun
    sample = random.Random(seed).sample(all_turns, min(len(all_turns), max(0, wanted.turns - requests)))  # noqa: S311
    judged = failed = in_a_row = 0
    why = ""
    for turn in sample:
        most = cost_at_most(prices, judge, turn, now)
        if most is None:
            why = f"{judge.model} has no price, so its cost cannot be bounded: [prices] in the configuration sets one"
            break
        if most and spent >= cap:
            why = f"today's ${wanted.usd:.2f} are spent"
            break
        cost, scores = _judged(turn, judge, prices, now, ask, most)
        spent += cost
        store.called(db, now, cost, failed=scores is None)
        if scores is None:
            failed, in_a_row = failed + 1, in_a_row + 1
            if in_a_row >= FAILURES_IN_A_ROW:
                why = "the judge failed three times in a row"
                break
            continue
        store.keep(db, turn[:5], judge.model, prompt.VERSION, scores, now)
        judged, in_a_row = judged + 1, 0
    return Outcome(judged, failed, (spent - begun) / PICO, why)


def _judged(
    turn: Turn, judge: Judge, prices: PriceTable, now: float, ask: Ask, most: int
) -> tuple[int, list[prompt.Score] | None]:
    """(picodollars, scores) of one request; None for scores where it failed."""
    try:
        answer = ask(judge, prompt.messages(turn))
    except JudgeError:
        _journal(judge, turn, None, now, error="unanswered")
        return most, None
    cost = most if answer.tokens is None else _cost(prices, judge, answer.tokens, now)
    _journal(judge, turn, answer.tokens, now)
    try:
        return cost, prompt.scores(answer.text)
    except prompt.UnreadableError:
        return cost, None


def _cost(prices: PriceTable, judge: Judge, tokens: Tokens, now: float) -> int:
    if judge.is_local:
        return 0
    read = min(tokens.cache_read, tokens.input)
    return price(prices, judge.model, Usage(tokens.input - read, tokens.output, read), now).cost


def _journal(judge: Judge, turn: Turn, tokens: Tokens | None, now: float, error: str | None = None) -> None:
    """A line for the listener: the request as any client's."""
    session = journal.session(PROVIDER, "quality", now)
    entry = Entry(
        f"judge-{turn.key}-{now:.3f}", now, session, judge.model, tokens,
        stop_reason=None if error else "stop", error=error, local=judge.is_local,
    )  # fmt: skip
    journal.append(PROVIDER, [entry], now)
