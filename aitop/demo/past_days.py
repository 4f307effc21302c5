"""Thirty made-up days before the demo, so that week, month, forecast and the history have something to say.

Pure, and the same every time: lines of transcripts as Claude Code writes them, with the second each belongs to.
"""

from __future__ import annotations

import random

from aitop.demo.script import HAIKU, OPUS, SONNET, Beat, Line
from aitop.model.json_types import JsonObject

DAYS = 30
DAY = 86_400.0
# project, branch, model, how often it is worked on, of ten days
WORK = (
    ("checkout-api", "fix-rounding", OPUS, 9),
    ("docs-site", "main", SONNET, 5),
    ("mobile-app", "feat/offline-cart", OPUS, 4),
    ("infra", "terraform-1.9", SONNET, 3),
    ("data-pipeline", "backfill", HAIKU, 3),
)
RESPONSES = (4, 26)  # of a session, fewest and most
WEEKEND = 0.25  # share of the usual work


def beats(weekday: int, seed: int = 7) -> list[Beat]:
    """Every line of the days before; `weekday` is today's, 0 for Monday. Seconds count back from the start."""
    dice = random.Random(seed)  # noqa: S311 - made-up numbers, the same every time
    all_beats: list[Beat] = []
    number = 100
    for back in range(DAYS, 0, -1):
        share = WEEKEND if (weekday - back) % 7 >= 5 else 1.0
        for project, branch, model, often in WORK:
            if dice.random() * 10 < often * share:
                number += 1
                begins = -back * DAY - dice.uniform(0, 5 * 3600)
                all_beats += _session(number, begins, (project, branch, model), dice)
    return all_beats


def _session(number: int, begins: float, work: tuple[str, str, str], dice: random.Random) -> list[Beat]:
    """One session's responses, its context growing until it starts over."""
    project, branch, model = work
    name = f"d3300000-0000-4000-8000-{number:012d}"
    own_beats: list[Beat] = []
    at, context = begins, 16_000
    for count in range(dice.randint(*RESPONSES)):
        fresh = dice.randint(900, 6_500)
        usage: JsonObject = {
            "input_tokens": dice.randint(3, 40), "output_tokens": dice.randint(200, 2_600),
            "cache_read_input_tokens": context, "cache_creation_input_tokens": fresh,
            "cache_creation": {"ephemeral_5m_input_tokens": fresh, "ephemeral_1h_input_tokens": 0},
        }  # fmt: skip
        key = f"{number:04d}{count:04d}"
        record = {
            "type": "assistant", "uuid": f"d3300001-0000-4000-8000-{number:06d}{count:06d}", "isSidechain": False,
            "sessionId": name, "cwd": f"/home/you/{project}", "gitBranch": branch, "version": "2.1.330",
            "requestId": f"req_{key}",
            "message": {
                "id": f"msg_{key}", "type": "message", "role": "assistant", "model": model,
                "content": [{"type": "text", "text": "(made-up text)"}], "stop_reason": "end_turn", "usage": usage,
            },
        }  # fmt: skip
        own_beats.append(Beat(at, Line(name, None, record)))
        context = 16_000 if context > 170_000 else context + fresh
        at += dice.uniform(8, 240)
    return own_beats
