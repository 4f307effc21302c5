"""The demo: goes through the real thing, says what it is, and leaves nothing behind."""

import contextlib
import glob
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import types

import pytest
from golden.home import environment

import aitop
from aitop.demo import cli, past_days, script
from aitop.pricing import table

PARENT = os.path.dirname(os.path.dirname(os.path.abspath(aitop.__file__)))
MADE_UP = "made-up numbers"


@pytest.fixture
def stage():
    """A home without any data, and a folder for the demo's own. Short: a socket's address may not be long."""
    with tempfile.TemporaryDirectory(prefix="aitop-") as folder:
        yield prepare(pathlib.Path(folder))


def prepare(tmp_path):
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    more = {
        "AITOP_HOME": str(tmp_path / "home" / "aitop"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONPATH": PARENT,
    }
    return environment(tmp_path / "home", **more), tmp_path


def command(*words):
    return [sys.executable, "-P", "-m", "aitop", *words]


def left(folder):
    """What is left of the demo and of the user's home."""
    return os.listdir(folder / "tmp"), os.listdir(folder / "home")


def listener(folder):
    """The pid of the demo's listener, once it publishes."""
    for _ in range(400):
        for path in glob.glob(str(folder / "tmp" / "*" / "aitop" / "state.json")):
            with contextlib.suppress(OSError), open(path) as file:  # a link is there before its target
                return json.load(file)["listener"]["pid"]
        time.sleep(0.05)
    pytest.fail("the demo's listener never published")


def is_gone(pid):
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def made():
    return script.beats(table.load())


def records(kind):
    return [
        b.action.record
        for b in made()
        if isinstance(b.action, script.Line) and b.action.record["type"] == kind
    ]


def requests():
    return {record["message"]["id"] for record in records("assistant")}


def test_the_script_shows_every_kind_of_thing():
    lines = records("assistant")
    assert len({record["sessionId"] for record in lines}) == 2
    assert any(record["isSidechain"] for record in lines)
    assert {record["subtype"] for record in records("system")} == {"api_error", "compact_boundary"}
    usages = [record["message"]["usage"] for record in lines]
    assert all(u["cache_creation_input_tokens"] and u["cache_read_input_tokens"] for u in usages)
    events = {beat.action.event for beat in made() if isinstance(beat.action, script.Hook)}
    assert {"PostToolUse", "PostToolUseFailure", "PermissionRequest", "SessionEnd"} <= events
    assert any(isinstance(beat.action, script.FeedPayload) for beat in made())


def test_a_responses_output_grows_over_its_lines():
    one = min(requests())
    grown = [
        r["message"]["usage"]["output_tokens"] for r in records("assistant") if r["message"]["id"] == one
    ]
    assert grown == sorted(grown)
    assert len(set(grown)) == 3


def test_the_script_is_over_within_its_time():
    assert 40 < made()[-1].at <= script.SECONDS


def test_the_demo_counts_what_the_script_says_and_leaves_nothing(stage):
    environ, folder = stage
    call = command("demo", "--seconds", "4", "--speed", "30")
    found = subprocess.run(
        call, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=50
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("DEMO: made-up numbers")
    last = found.stdout.rpartition(MADE_UP)[2]
    fifteen = re.search(r"^requests +\S+ +\S+ +(\d+)$", last, re.MULTILINE)
    assert int(fifteen[1]) == len(requests())
    for wanted in ("checkout-api (fix-rounding)", "docs-site (main)", "compactions: 1", "Limit 5h:", "≈$"):
        assert wanted in last
    assert left(folder) == ([], [])


def test_a_display_that_takes_longer_than_the_time_left_costs_no_beat(monkeypatch):
    now, played = [100.0], []

    class Slow:
        def wait(self, left, next_beat):
            now[0] += 10
            return True

        def last(self):
            played.append("last")

    stage = types.SimpleNamespace(play=lambda beat, _now: played.append(beat.at))
    monkeypatch.setattr(cli, "time", types.SimpleNamespace(monotonic=lambda: now[0], time=lambda: 0.0))
    cli._follow(stage, [script.Beat(at, None) for at in (0, 6, 8, 8.5)], 4, 2, Slow())
    assert played == [0, 6, 8, "last"]


def test_a_demo_that_is_killed_outright_leaves_nothing_either(stage):
    environ, folder = stage
    process = subprocess.Popen(
        command("demo"), env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    pid = listener(folder)
    process.kill()
    process.wait()
    assert is_gone(pid)
    for _ in range(100):
        if left(folder) == ([], []):
            return
        time.sleep(0.05)
    pytest.fail(f"left behind: {left(folder)}")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_an_interrupted_demo_leaves_neither_folder_nor_listener(stage, name):
    environ, folder = stage
    process = subprocess.Popen(
        command("demo"), env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        pid = listener(folder)
        process.send_signal(getattr(signal, name))
        assert process.wait(timeout=30) == 128 + getattr(signal, name)
    finally:
        process.kill()
        process.wait()
    assert is_gone(pid)
    assert left(folder) == ([], [])


class Terminal:
    """A command on a terminal of its own, and what it has shown so far."""

    def __init__(self, environ, *words):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command(*words), env=environ, stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True)  # fmt: skip
        os.close(slave)
        self.shown = ""

    def until(self, wanted):
        end = time.monotonic() + 30
        while wanted not in self.shown:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, self.shown
            try:
                self.shown += os.read(self.master, 65536).decode("utf-8", "replace")
            except OSError:
                pytest.fail(f"ended without {wanted!r}: {self.shown}")

    def leave(self):
        """Press q until it is heard: keys typed before the table has taken the terminal are thrown away."""
        end = asked = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:
            if time.monotonic() > asked - 30:
                os.write(self.master, b"q")
                asked += 1
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    os.read(self.master, 65536)
                except OSError:
                    break
        self.process.wait(timeout=10)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def on_terminal(environ, *words):
    return Terminal(environ | {"COLUMNS": "120", "LINES": "60"}, *words)


def test_on_a_terminal_the_full_table_shows_it_with_a_badge_and_thirty_days(stage):
    environ, folder = stage
    terminal = on_terminal(environ | {"LINES": "24", "COLUMNS": "80"}, "demo")
    try:
        terminal.until("DEMO")
        terminal.until("checkout-api")
        os.write(terminal.master, b"5")
        terminal.until("30 days")
        terminal.until("spent by day")
        terminal.leave()
        assert terminal.process.returncode == 0
    finally:
        terminal.close()
    assert left(folder) == ([], [])


def test_the_days_before_are_the_same_each_time_and_hold_what_they_say():
    found = past_days.beats(weekday=6)
    assert found == past_days.beats(weekday=6)
    assert len({int(-beat.at // past_days.DAY) for beat in found}) > 20
    assert all(-(past_days.DAYS + 1) * past_days.DAY < beat.at < 0 for beat in found)
    names = [beat.action.record["message"]["id"] for beat in found]
    assert len(names) == len(set(names))


def test_where_the_table_cannot_be_drawn_it_plays_in_plain_lines_and_q_leaves(stage):
    environ, folder = stage
    terminal = on_terminal(environ | {"TERM": "dumb"}, "demo")
    try:
        terminal.until("DEMO: made-up numbers")
        terminal.until("checkout-api")
        terminal.until("Claude Code  Opus 5.5")
        terminal.leave()
        assert terminal.process.returncode == 0
    finally:
        terminal.close()
    assert left(folder) == ([], [])


def test_aitop_alone_plays_the_demo_while_there_is_no_data_and_says_so(stage):
    environ, folder = stage
    terminal = on_terminal(environ)
    try:
        terminal.until("No Claude Code data on this machine yet")
        terminal.until("DEMO: made-up numbers")
        terminal.leave()
    finally:
        terminal.close()
    assert left(folder) == ([], [])


def test_with_data_of_the_users_own_no_demo_is_played(stage):
    environ, folder = stage
    projects = folder / "home" / ".claude" / "projects" / "-p"
    projects.mkdir(parents=True)
    (projects / "d3300000-0000-4000-8000-000000000001.jsonl").write_text("{}\n")
    home = folder / "home" / "aitop"
    home.mkdir()
    (home / "stopped").write_text("")  # no listener of its own either
    terminal = on_terminal(environ)
    try:
        terminal.until("Waiting")
        terminal.leave()
    finally:
        terminal.close()
    assert "DEMO" not in terminal.shown
