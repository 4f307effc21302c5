"""The README's picture of `aitop top`, from made-up numbers that are the same every time.

    python scripts/screenshot_top.py [--view overview|sessions|tools|models|detail|history] [--out docs/top.svg]

The table itself paints it: a history and a state made here are put into a folder that is thrown away.
"""

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import terminal_svg

from aitop import paths
from aitop.config import Config
from aitop.history import schema
from aitop.history.query import sums_since
from aitop.history.store import History
from aitop.listener.feed import LiveFeed
from aitop.live.snapshot import Lookups, take
from aitop.model.events import (
    ApiError,
    Compaction,
    Event,
    Limit,
    Response,
    SessionInfo,
    Status,
    ToolResult,
    ToolUse,
    Usage,
)
from aitop.pricing import table
from aitop.publish.state_json import ListenerFacts, build
from aitop.segments.text import cells

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
# project, branch, model, status, minutes ago it began, minutes ago it last did something, sub-agents, tag
SESSIONS = (
    ("checkout-api", "fix-rounding", OPUS, "working", 94, 0.05, 3, "sprint-14"),
    ("mobile-app", "feat/offline-cart", OPUS, "working", 41, 0.2, 1, ""),
    ("infra", "terraform-1.9", SONNET, "working", 118, 0.1, 0, "ops"),
    ("docs-site", "main", SONNET, "waiting", 23, 1.3, 0, ""),
    ("data-pipeline", "backfill-2026", HAIKU, "working", 18, 0.4, 2, ""),
    ("design-system", "tokens-v3", SONNET, "idle", 150, 6, 0, ""),
    ("search-service", "main", OPUS, "ended", 290, 170, 0, ""),
)
TOOLS = (("Read", 0.2, 5), ("Edit", 0.4, 4), ("Bash", 4.5, 4), ("Grep", 0.15, 3), ("Write", 0.3, 1),
         ("WebFetch", 1.8, 1), ("Task", 22.0, 1))  # fmt: skip
LIMIT = 200_000
PAST = "5e550000-0000-4000-8000-00000000past"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    views = ("overview", "sessions", "tools", "models", "detail", "history")
    parser.add_argument("--view", default="overview", choices=views)
    parser.add_argument("--out", default=os.path.join("docs", "top.svg"))
    parser.add_argument("--size", default="124x43")
    parser.add_argument("--theme", default="dark")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        own = {"AITOP_HOME": home, "AITOP_CONFIG": os.path.join(home, "none.toml"), "TERM": "xterm-256color"}
        os.environ |= {**own, "TZ": "UTC", "COLORTERM": "truecolor"}
        os.environ.pop("NO_COLOR", None)
        time.tzset()
        open(os.path.join(home, paths.STOPPED), "w").close()
        now = datetime(2026, 11, 18, 14, 32, 7, tzinfo=UTC).timestamp()
        play(home, now)
        picture = shoot(options, now)
    with open(options.out, "w", encoding="utf-8") as out:
        out.write(picture)


def play(home: str, now: float) -> None:
    """Some hours of made-up work through the real history, then the state the listener would publish."""
    dice = random.Random(11)
    db = schema.connect(os.path.join(home, paths.HISTORY))
    history = History(db, table.load())
    for number, story in enumerate(SESSIONS):
        file = history.file("claude-code", os.path.join(home, "projects", f"{number}.jsonl"))
        events = sorted(session(number, story, now, dice), key=lambda event: event.at or 0)
        file.session = f"5e550000-0000-4000-8000-{number:012d}"
        history.apply("claude-code", events, now, file)
    past = history.file("claude-code", os.path.join(home, "projects", "past.jsonl"))
    past.session = PAST
    history.apply("claude-code", list(days(now, dice)), now, past)
    resets = {"five_hour": (300, 61.0, now + 6_300), "seven_day": (10_080, 38.0, now + 290_000)}
    limits = [Limit("claude-code", None, name, *rest, "client", now) for name, rest in resets.items()]
    history.apply("claude-code", limits, now)
    history.commit()
    state = published(history, limits, now)
    with open(os.path.join(home, paths.STATE), "w", encoding="utf-8") as out:
        json.dump(state, out)
    os.utime(out.name, (now, now))  # a reader takes the later of the file's time and `written_at`
    db.close()


def published(history: History, limits: list[Limit], now: float) -> dict[str, object]:
    """What a listener would publish now."""
    feed = LiveFeed(now - 30_000)
    feed.recall(history, now)
    feed.begin_day(history.db, now)
    for at, value in sums_since.past(history.db, now - 30_000):
        feed.aggregator.whole.since_start.add(at, value)
    for limit in limits:
        feed.aggregator.keep_limit(limit)
    config = Config()
    snap = take(
        feed.aggregator, feed.money, history.sessions.values(), before=(), config=config,
        lookups=Lookups(lambda _pid: True, lambda _provider, _model: LIMIT), now=now,
    )  # fmt: skip
    facts = ListenerFacts(
        pid=4242, started_at=now - 30_000, host="workbench", providers=["claude-code"], prices_as_of="2026-11-01",
        prices_source="package", prices_stale=False,
        hooks={"received": 0, "unique": 0, "rejected": 0, "by_event": {}},
        scan={"done_bytes": 1, "total_bytes": 1, "complete": True}, coverage={}, doctor={},
    )  # fmt: skip
    return dict(build(snap, config, facts))


def days(now: float, dice: random.Random) -> Iterator[Event]:
    """Some months of days before today, fewer responses at weekends."""
    yield SessionInfo(PAST, now - 150 * 86_400, "/home/you/checkout-api", "main", OPUS, None, None, None)
    for back in range(150, 0, -1):
        day = now - back * 86_400
        free = datetime.fromtimestamp(day, UTC).weekday() >= 5
        for number in range(dice.randrange(0, 20) if free else dice.randrange(15, 190)):
            usage = Usage(
                dice.randrange(3, 60), dice.randrange(400, 3_900), 60_000, 0, dice.randrange(900, 9_000)
            )
            key = f"{back}-{number}"
            model = dice.choice((OPUS, OPUS, SONNET, HAIKU))
            at = day - dice.randrange(0, 20_000)
            yield Response(PAST, at, model, usage, f"msg_p{key}", f"req_p{key}", key, "end_turn")
    yield Status(PAST, now - 86_000, "ended", "story")


def session(number: int, story: tuple, now: float, dice: random.Random) -> Iterator[Event]:
    """One session's events: responses that grow a context until it is compacted, tools, sub-agents."""
    project, branch, model, status, begun, last, agents, tag = story
    name = f"5e550000-0000-4000-8000-{number:012d}"
    at, end = now - begun * 60, now - last * 60
    yield SessionInfo(name, at, f"/home/you/{project}", branch, model, tag or None, 4000 + number, None)
    context, count = 18_000, 0
    while at < end - 1:
        count += 1
        fresh = dice.randrange(900, 6_200)
        yield from step(name, f"{number}-{count}", at, model, context, fresh, dice)
        context += fresh + dice.randrange(200, 900)
        if context > 0.93 * LIMIT:
            yield Compaction(name, at + 1, f"{name}:{at}", "auto")
            context = 16_000
        if agents and count % 14 == 9:
            for part in range(dice.randrange(3, 9)):
                agent = f"explore-{1 + count % agents}"
                key = f"{number}-{count}-{part}"
                yield from step(name, key, min(end, at + part), HAIKU, 9_000, 2_400, dice, agent)
        if dice.random() < 0.012:
            yield ApiError(name, at + 2, f"{name}:{at}", "overloaded_error", False)
        at = min(end, at + dice.expovariate(1 / (24 if dice.random() < 0.8 else 150)) + 4)
    yield SessionInfo(name, end, model=model)
    yield Status(name, end, status, "story")


def step(
    name: str,
    key: str,
    at: float,
    model: str,
    context: int,
    fresh: int,
    dice: random.Random,
    agent: str | None = None,
) -> Iterator[Event]:
    """A response, and mostly a tool it calls."""
    calls = dice.random() < 0.93
    usage = Usage(dice.randrange(3, 60), dice.randrange(120, 1_900), context, 0, fresh)
    stop = "tool_use" if calls else "end_turn"
    yield Response(name, at, model, usage, f"msg_{key}", f"req_{key}", key, stop, agent=agent)
    if calls:
        tool, took, _ = dice.choices(TOOLS, weights=[weight for _, _, weight in TOOLS])[0]
        long = took * dice.lognormvariate(0, 0.6)
        failed = tool == "Bash" and dice.random() < 0.14
        yield ToolUse(name, at + 0.2, f"toolu_{key}", tool, agent)
        yield ToolResult(name, at + 0.2 + long, f"toolu_{key}", tool, failed, long * 1000)


def shoot(options: argparse.Namespace, now: float) -> str:
    """Paint the table as the app would, its questions to the history answered, and draw it."""
    from aitop import state
    from aitop.top import navigation, picture, questions, themes
    from aitop.top.choices import Choices
    from aitop.top.paint import RICH
    from aitop.top.view_model import World

    width, _, height = options.size.partition("x")
    world = World(state=state.read(), number=1)
    choices = Choices(theme=options.theme, view=options.view, heat=True, reach="a year")
    if options.view == "detail":
        first = picture.listed(world, Choices(view="sessions"), RICH)[0]
        choices = replace(choices, session=first.key)
    for _ in range(3):
        for question in questions.wanted(world, choices):
            world = replace(world, answers=questions.answer(question, world.answers, now))
    found = picture.paint(world, choices, int(width), int(height), RICH)
    room = int(height) - 2 - len(found.banner) - len(found.head) - len(found.tail)
    marked = navigation.cursor(found.keys, "", 0)[0] if any(found.keys) else -1
    body = [*found.body[:room], *[()] * (room - len(found.body))]
    lines = [found.top, *found.banner, *found.head, *body, *found.tail, found.bottom]
    cursor = 1 + len(found.banner) + len(found.head) + marked if marked >= 0 else -1
    shown = [
        runs(line, int(width), options.theme, marked=number == cursor, look=themes)
        for number, line in enumerate(lines)
    ]
    ground = themes.PALETTES[options.theme].ground
    return terminal_svg.document(shown, "aitop top, with made-up numbers", int(width), ground=ground)


def runs(line: Any, width: int, theme: str, *, marked: bool, look: Any) -> list[terminal_svg.Run]:
    """A line of the table in the colours of a theme; the cursor's ground reaches to the edge."""
    palette = look.PALETTES[theme]
    found = []
    used = 0
    for piece in line:
        style = look.style(theme, piece.style) + (look.cursor(theme) if marked else look.Style())
        colour, ground = (
            None if value is None or value.triplet is None else value.triplet.hex
            for value in (style.color, style.bgcolor)
        )
        if style.reverse:
            colour, ground = ground or palette.ground, colour or palette.text
        ground = None if ground == palette.ground else ground
        found.append(terminal_svg.Run(piece.text, colour or palette.text, ground, bool(style.bold)))
        used += cells(piece.text)
    return [*found, terminal_svg.Run(" " * (width - used), palette.text, palette.cursor if marked else None)]


if __name__ == "__main__":
    main()
