"""In a real terminal every number is that of `aitop top --once --json` of the same second: demo and real client."""

import contextlib
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest
from golden.home import ROOT, environment, need
from support.claude_client import Claude, script, whole
from support.messages_api import Api
from support.top_app import stopped
from support.top_tmux import Tmux

from aitop.segments import humanize, money
from aitop.top import plain

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
PERIODS = (("today", "today"), ("week", "week"), ("month", "month"), ("since_start", "this run"))


def windows(state, rows):
    """What each line of the rolling windows must say."""
    kinds = {key: kind for key, _, kind in plain.METRICS}
    return {
        row["label"]: [
            plain.shown(state, state["windows"][name], row["metric"], kinds[row["metric"]]) for name in plain.WINDOWS
        ]
        for row in rows if row["metric"] in kinds
    }  # fmt: skip


def boxes(text):
    """The words in each frame of each line."""
    return [cell.split() for line in text.splitlines() for cell in line.split("│")[1::2]]


def says(text, label, values):
    words = [*label.split(), *values]
    return any(box[: len(words)] == words for box in boxes(text))


def missing(text, state, rows):
    """The numbers of the overview that the screen does not say."""
    found = [
        (label, values) for label, values in windows(state, rows).items() if not says(text, label, values)
    ]
    for key, label in PERIODS:
        sums = state[key]
        many = humanize.count(sums["requests"])
        row = [money.of(state, money.spent(sums), sums), many, humanize.count(sums["input_tokens"]),
               humanize.count(sums["output_tokens"])]  # fmt: skip
        if not says(text, label, row):
            found.append((label, row))
    return found


def beside(text, state):
    """The same on a wide screen, where periods stand beside each other."""
    found = []
    for label, key, kind in (("spent", "cost_usd", "exact"), ("requests", "requests", "count"),
                             ("input", "input_tokens", "count"), ("output", "output_tokens", "count"),
                             ("tool calls", "tool_calls", "count")):  # fmt: skip
        values = [plain.shown(state, state[name], key, kind) for name, _ in PERIODS]
        if not says(text, label, values):
            found.append((label, values))
    return found


def once(home):
    """`aitop top --once --json`: (state, rows); the state is None when it is too old."""
    call = [sys.executable, "-m", "aitop", "top", "--once", "--json"]
    found = json.loads(subprocess.run(call, env=environment(home), capture_output=True, timeout=30).stdout)
    return found["state"], found["rows"]


def compared(window, home, pid, wrong):
    """Hold the listener in one second and compare the screen of that second; again where that took too long."""
    end = time.monotonic() + 100
    while True:
        os.kill(pid, signal.SIGSTOP)
        try:
            state, rows = once(home)
            if state is not None:
                clock = time.strftime("%H:%M:%S", time.localtime(state["written_at"]))
                for _ in range(40):
                    text = window("capture-pane", "-p")
                    if clock in text and "OLD NUMBERS" not in text and not wrong(text, state, rows):
                        return state
                    time.sleep(0.1)
                if time.monotonic() > end:
                    pytest.fail(f"{clock}: {wrong(text, state, rows)}\n{text}")
        finally:
            os.kill(pid, signal.SIGCONT)
        time.sleep(1.2)


def lists(text, state, _rows):
    """The numbers of the sessions that the screen does not say."""
    return [
        wanted
        for session in state["sessions"]
        if session["status"] in ("working", "waiting")
        for wanted in ([humanize.count(session["requests"]), humanize.count(session["input_tokens"]),
                        humanize.count(session["output_tokens"])],)
        if not any(" ".join(wanted) in " ".join(line.split()) for line in text.splitlines())
    ]  # fmt: skip


def tools(text, state, _rows):
    lines = [line.split() for line in text.splitlines()]
    return [
        name
        for name, row in state["tools"].items()
        if not any(
            line[:2] == [name, humanize.count(row["calls"])]
            and line[-2:] == [humanize.took(row["p50_ms"]), humanize.took(row["p95_ms"])]
            for line in lines
        )
    ]


def every_number(home, pid):
    """All views that show published numbers, narrow and wide."""
    for size in ((120, 46), (200, 50)):
        window = Tmux(home, *size)
        try:
            window.until("Quit")
            if size[0] < 150:
                state = compared(window, home, pid, missing)
            else:
                state = compared(window, home, pid, lambda text, state, rows: [
                    (label, values) for label, values in windows(state, rows).items() if not says(text, label, values)
                ] + beside(text, state))  # fmt: skip
                window("send-keys", "2")
                compared(window, home, pid, lists)
            window("send-keys", "3")
            compared(window, home, pid, tools)
        finally:
            window.close()
    return state


@contextlib.contextmanager
def demo(folder):
    """A playing demo: its home and its listener's pid."""
    environ = environment(folder, TMPDIR=folder)
    call = [sys.executable, "-m", "aitop", "demo", "--seconds", "600", "--speed", "10"]
    process = subprocess.Popen(call, env=environ, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        end = time.monotonic() + 60
        states = os.path.join(folder, "*", "aitop", "state.json")
        while not (
            found := list(filter(os.path.exists, glob.glob(states)))
        ):  # a link is there before its target
            assert time.monotonic() < end
            time.sleep(0.05)
        with open(found[0]) as file:
            yield os.path.dirname(found[0]), json.load(file)["listener"]["pid"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_against_the_demo():
    need("tmux")
    with tempfile.TemporaryDirectory(prefix="aitop-", dir="/tmp") as folder, demo(folder) as (home, pid):
        state = every_number(home, pid)
    assert state["today"]["requests"] > 0


def test_against_the_real_client(tmp_path, home, listener):
    need("tmux")
    api = Api(script())
    try:
        client = Claude(tmp_path / "user", home, api)
        listener.start(CLAUDE_CONFIG_DIR=f"{client.folder}/.claude", PYTHONPATH=ROOT)
        client.go()
        listener.wait_for(whole)
        stopped(home)
        state = every_number(home, listener.pid)
    finally:
        api.close()
    assert whole(state)
