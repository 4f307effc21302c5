"""What the fault tests stand on: transcripts of some days, a clean count of them, and what a home holds."""

import os
import random
import shutil
import subprocess
import sys
import time

from conftest import ROOT
from support.lines import MODEL, assistant, compact, gave_up, result, transcript, usage, use, user

from aitop.history import schema
from aitop.history.query import spans
from aitop.reports import catchup

MODELS = (MODEL, "claude-haiku-4-5", "claude-opus-99", "somebody-else")
DAY = 86_400


def name(number):
    return f"{number:08d}-2222-4333-8444-555555555555"


def fill(root, now, *, sessions=6, responses=20, days=5, seed=1):
    """Some sessions over some days: tools, errors, compactions, a fork and a sub-agent. Returns their paths."""
    chance = random.Random(seed)
    paths = []
    for number in range(sessions):
        begun = now - chance.uniform(0.1, days) * DAY
        records = [user(at=begun, session=name(number))]
        for turn in range(responses):
            records += one_turn(number, turn, begun + 30 * turn, chance)
        records += [gave_up(f"x{number}", begun + 9, session=name(number)),
                    compact(f"c{number}", begun + 99, session=name(number))]  # fmt: skip
        paths.append(transcript(root, records, session=name(number), slug=f"-work-{number % 3}"))
        if number == 1:  # repeats what session 0 wrote, and goes on
            with open(paths[0], "rb") as origin:
                lines = origin.read().splitlines(keepends=True)[:8]
            paths.append(transcript(root, lines, session=name(900), slug="-work-1"))
        if number == 2:
            agent = [assistant(f"s{n}", begun + n, request_id=f"rs{n}", session=name(2), isSidechain=True, agentId="a1")
                     for n in range(4)]  # fmt: skip
            paths.append(transcript(root, agent, session=name(2), slug="-work-2", agent="a1"))
    return paths


def one_turn(number, turn, at, chance):
    """A response of one or two lines, and now and then a tool."""
    key = f"{number}-{turn}"
    tools = [use(f"t{key}", chance.choice(["Bash", "Read"]))] if turn % 3 == 0 else None
    size = usage(
        chance.randint(1, 900), chance.randint(1, 99), chance.randint(0, 9999), chance.randint(0, 999)
    )
    known = {"request_id": f"r{key}", "model": MODELS[turn % 7 % 4], "session": name(number)}
    first = assistant(f"m{key}", at, usage=usage(1), stop=None, content=tools, **known)
    last = assistant(
        f"m{key}", at, usage=size, stop="tool_use" if tools else "end_turn", uuid=f"u{key}", **known
    )
    done = [result(f"t{key}", at + 2, session=name(number), failed=turn % 2 == 0)] if tools else []
    return [
        *([first] if turn % 2 else []),
        last | {"message": last["message"] | {"content": tools or []}},
        *done,
    ]


def catch_up(home, now=None):
    """Bring a home up to date in this process, as a report does; no listener may run there."""
    os.makedirs(home, exist_ok=True)
    catchup.read_everything(home, lambda *_: None, now or time.time())


def numbers(home):
    """(session, model) → every number that was counted of it, and the cost in picodollars."""
    db = schema.connect_read_only(os.path.join(home, "history.db"))
    try:
        facts = spans.facts(db)
        found = {}
        for cell in spans.cells(db, (0, 4_102_444_800), spans.Only()):
            key, value = (facts[cell.session].name, cell.model), cell.sum
            known = found.get(key, (0,) * len(value))
            found[key] = tuple(a + b for a, b in zip(known, value, strict=True))
        return {key: value for key, value in found.items() if any(value)}
    finally:
        db.close()


def recount(tmp_path, now=None):
    """A clean count of the same files, in a home that never knew a fault."""
    home = str(tmp_path / "clean")
    shutil.rmtree(home, ignore_errors=True)
    catch_up(home, now)
    found = numbers(home)
    shutil.rmtree(home)
    return found


def take_away(folder):
    """Remove a folder at one stroke, as an unmount does: a listener may be writing into it."""
    gone = f"{folder}.gone"
    os.replace(folder, gone)
    while os.path.exists(gone):
        shutil.rmtree(gone, ignore_errors=True)


def aitop(*words, **more):
    environ = os.environ | {"PYTHONPATH": ROOT} | more
    return subprocess.run(
        [sys.executable, "-m", "aitop", *words], env=environ, capture_output=True, text=True, timeout=60
    )
