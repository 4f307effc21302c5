"""SIGKILL of a report that reads everything first: it answers from sums before its rows are written.

Wherever it dies, an answer that was given is right, nothing half-written stays, and the next report gives the same.
"""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant, transcript

from aitop.history.recovery import integrity

from .conftest import LONG
from .ground import catch_up, fill, name, numbers, recount

pytestmark = pytest.mark.timeout(3600 if LONG else 120)
KILLS = 150 if LONG else 14
CHILD = os.path.join(os.path.dirname(__file__), "child.py")
WRITING = ("execute", "executemany")  # the steps that lie between the answer and its rows


def report(plan, *words):
    """One report under the plan; (how it ended, what it printed)."""
    done = subprocess.run(
        [sys.executable, CHILD, plan, "report", *words, "--json"], env=os.environ | {"PYTHONPATH": ROOT},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def clear(home):
    for file in os.listdir(home):
        if file.startswith("history.db"):
            os.unlink(os.path.join(home, file))


def rows_and_sums(home):
    """(rows, requests of the sums of sessions, of days) of a history that was closed."""
    with sqlite3.connect(os.path.join(home, "history.db")) as db:
        rows = db.execute("SELECT count(*) FROM response").fetchone()[0]
        sums = [
            db.execute(f"SELECT sum(requests) FROM {t}").fetchone()[0] for t in ("session_sum", "day_all")
        ]
        names = db.execute("SELECT count(DISTINCT response) FROM alias").fetchone()[0]
    db.close()
    return rows, names, *sums


@pytest.mark.parametrize("word", ["models", "sessions"])
def test_a_report_killed_at_any_step_leaves_nothing_doubled_and_nothing_lost(word, home, claude, tmp_path):
    fill(claude, time.time() - 3 * 86_400, sessions=12, responses=40)
    big = transcript(
        claude, [b'{"type":"attachment","x":"' + b"y" * 90_000 + b'"}\n'] * 120, session=name(800)
    )
    append(
        big, assistant("big", time.time() - 90_000, request_id="big", session=name(800))
    )  # enough for helpers
    counts = str(tmp_path / "steps")
    ended, expected = report(f"record {counts}", word)
    assert ended == 0
    expected = json.loads(expected)
    truth = recount(tmp_path)
    with open(counts) as file:
        steps = json.load(file)
    chance, killed, answered_and_killed = random.Random(word), 0, 0
    names = [*WRITING, *sorted(steps)]
    for number in range(KILLS):
        if number % 3 == 0:
            clear(home)  # a first reading again
        step = names[number % len(WRITING)] if number % 2 else chance.choice(names)
        at = chance.randint(max(1, steps[step] - 12) if number % 4 == 1 else 1, steps[step]) * chance.choice(
            [1, -1]
        )
        ended, printed = report(f"kill {step} {at}", word)
        killed += ended == -signal.SIGKILL
        if printed.endswith(b"]\n"):
            assert json.loads(printed) == expected, f"killed at {step} {at}"
            answered_and_killed += ended == -signal.SIGKILL
        copy = str(tmp_path / "copy")
        shutil.copytree(
            home, copy, ignore=lambda _, files: [f for f in files if not f.startswith("history.db")]
        )
        catch_up(copy)
        assert integrity.problem_of(os.path.join(copy, "history.db")) is None
        assert numbers(copy) == truth, f"killed at {step} {at}"
        assert len(set(rows_and_sums(copy))) == 1, f"killed at {step} {at}: {rows_and_sums(copy)}"
        shutil.rmtree(copy)
    assert killed > KILLS // 3
    assert answered_and_killed > 0  # else no kill fell between the answer and its rows
    ended, printed = report(f"record {counts}", word)
    assert (ended, json.loads(printed)) == (0, expected)
