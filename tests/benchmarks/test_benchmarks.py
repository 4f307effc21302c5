"""The benchmarks' own ground: a made-up history holds what it says it holds."""

import json
import os
import subprocess
import sys
import time

import pytest
from golden.home import ROOT, environment

MADE = "import sys, json; from benchmarks import history; print(json.dumps(history.make(sys.argv[1], 0.4, now=1.79e9)))"


@pytest.fixture
def made(tmp_path):
    claude = tmp_path / "claude"
    call = [sys.executable, "-c", MADE, str(claude)]
    found = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    return claude, json.loads(found.stdout)


def test_a_made_up_history_is_counted_as_it_was_made(made, tmp_path):
    claude, truth = made
    environ = environment(tmp_path, CLAUDE_CONFIG_DIR=str(claude), AITOP_HOME=str(tmp_path / "home"))
    call = [sys.executable, "-m", "aitop", "report", "models", "--json"]
    models = json.loads(subprocess.run(call, env=environ, capture_output=True, check=True, timeout=50).stdout)
    assert sum(model["requests"] for model in models) == truth["responses"]
    for ours, theirs in (
        ("input_tokens", "input"),
        ("output_tokens", "output"),
        ("cache_read_tokens", "cache_read"),
    ):
        assert sum(model[ours] for model in models) == truth[theirs]


def test_the_same_seed_makes_the_same_history(made, tmp_path):
    claude, truth = made
    again = tmp_path / "again"
    subprocess.run([sys.executable, "-c", MADE, str(again)], cwd=ROOT, capture_output=True, check=True)
    for folder, _, names in os.walk(claude):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as one, open(str(again) + path.removeprefix(str(claude)), "rb") as other:
                assert one.read() == other.read()
    assert truth["files"] > 0


YEAR = "import sys, json; from benchmarks import year; print(json.dumps(year.make(sys.argv[1], 1200)))"


def test_a_made_up_year_is_reported_as_it_was_made(tmp_path):
    home = tmp_path / "home"
    made = subprocess.run([sys.executable, "-c", YEAR, str(home)], cwd=ROOT, capture_output=True, check=True)
    truth = json.loads(made.stdout)
    assert truth["responses"] == 1200
    environ = environment(tmp_path, CLAUDE_CONFIG_DIR=str(tmp_path / "none"), AITOP_HOME=str(home))
    call = [sys.executable, "-m", "aitop", "report", "sessions", "--json"]
    sessions = json.loads(
        subprocess.run(call, env=environ, capture_output=True, check=True, timeout=50).stdout
    )
    assert len(sessions) == truth["sessions"]
    for ours, made in (("requests", "responses"), ("input_tokens", "input"), ("tool_calls", "tools")):
        assert sum(session[ours] for session in sessions) == truth[made]
    first, last = (pick(session["started_at"] for session in sessions) for pick in (min, max))
    assert last - first > 30 * 86_400


@pytest.fixture
def benchmarks(monkeypatch, tmp_path):
    """The package, keeping what it saves in a folder of its own."""
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import saved

    monkeypatch.setattr(saved, "RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr(saved, "write_readme", lambda _: None)
    return saved


FACTS = {"commit": "abc", "date": "2026-01-01", "aitop": "1", "python": "3", "processor": "p", "cores": 2,
         "memory_gb": 8, "system": "s", "load_before": 0.1}  # fmt: skip


def test_a_part_measured_again_leaves_the_others_as_they_were(benchmarks):
    from benchmarks.harness import Row

    first = benchmarks.part("hooks", [Row("a hook", "≤ 4 ms", "3 ms", within=True)], FACTS, 1)
    benchmarks.keep("hooks", first, quick=False)
    for measured in ("9 ms", "1 ms"):
        made = benchmarks.part("one-shots", [Row("tmux", "", measured)], {**FACTS, "commit": measured}, 1)
        benchmarks.keep("one-shots", made, quick=False)
    found = benchmarks.load()["parts"]
    assert list(found) == ["one-shots", "hooks"]
    assert found["hooks"] == first
    assert [row["measured"] for row in found["one-shots"]["rows"]] == ["1 ms"]
    with open(benchmarks.path(quick=False, suffix="md")) as file:
        page = file.read()
    assert "commit abc" in page
    assert "commit 1 ms" in page
    assert "| a hook | ≤ 4 ms | 3 ms |  |  | yes |  |  |" in page


def test_a_part_that_breaks_keeps_what_it_measured_and_says_so(benchmarks, monkeypatch, capsys):
    from benchmarks import __main__ as command
    from benchmarks.harness import Effort, Row
    from benchmarks.parts import PARTS, Part

    def breaks(_effort):
        yield Row("measured", "", "1 ms")
        raise OSError("the disk is gone")

    monkeypatch.setitem(PARTS, "hooks", Part(breaks, "breaks"))
    assert not command.measure("hooks", Effort(quick=True))
    rows = benchmarks.load(quick=True)["parts"]["hooks"]["rows"]
    assert [row["measured"] for row in rows] == ["1 ms", "not measured: it broke off"]
    assert "the disk is gone" in capsys.readouterr().err


def test_a_command_that_measures_nothing_known_names_the_parts(tmp_path):
    call = [sys.executable, "-m", "benchmarks", "one-shot"]
    found = subprocess.run(call, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 2
    assert "one-shots" in found.stderr


def test_rounds_end_when_their_time_is_used_up(benchmarks):
    from benchmarks.harness import FEWEST, Run, rounds

    calls = {name: lambda: Run(1.0, 1.0, 1, 0) for name in "ab"}
    assert [len(runs) for runs in rounds(calls, 50, seconds=0).values()] == [FEWEST, FEWEST]
    assert [len(runs) for runs in rounds(calls, 50, seconds=60).values()] == [50, 50]


def test_a_failed_run_is_named_beside_its_figure(benchmarks):
    from benchmarks.harness import compared

    row = compared("fails", "", 2.0, ["/bin/sh", "-c", "exit 3"], {"floor": ["/bin/sh", "-c", ":"]}, 2, {})
    assert row.note == "exit codes [3]"


def running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_run_that_does_not_end_is_killed_with_all_it_started(benchmarks, monkeypatch, tmp_path):
    from benchmarks import harness

    if not hasattr(os, "pidfd_open"):
        pytest.skip("this system waits for a process without a limit")
    monkeypatch.setattr(harness, "LONGEST", 0.5)
    told = tmp_path / "pid"
    found = harness.run(["/bin/sh", "-c", f"sleep 50 & echo $! > {told}; wait"], {"PATH": os.environ["PATH"]})
    assert found.code == -9
    while running(int(told.read_text())):  # a moment passes until the signal is there
        time.sleep(0.01)


def test_the_memory_of_a_family_is_summed(benchmarks):
    from benchmarks.harness import run_family

    def peak(children):
        held = f"{sys.executable} -c 'held = bytearray(60_000_000); import time; time.sleep(2)'"
        return run_family(["/bin/sh", "-c", f"{held} & " * children + "wait"], {}).rss

    if not os.path.exists("/proc/self/statm"):
        pytest.skip("the sizes of other processes are read from /proc")
    assert 60e6 < peak(1) < 120e6 < peak(2)


PACE = """
import json, os, sys
from benchmarks.client import Sessions, at_pace
sessions = Sessions(sys.argv[1], 3)
with at_pace(sessions.respond, 200, 0.5) as end:
    sent, _ = end()
lines = []
for path in filter(os.path.exists, sessions.paths):
    with open(path) as file:
        lines += file
print(sent, len(lines), len({json.loads(line)["message"]["id"] for line in lines}))
"""


def test_what_arrives_at_a_pace_is_counted(tmp_path):
    call = [sys.executable, "-c", PACE, str(tmp_path)]
    found = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    sent, lines, different = map(int, found.stdout.split())
    assert sent == lines == different > 0


def test_a_peer_that_no_registry_has_is_named_with_the_reason(benchmarks, monkeypatch, tmp_path):
    from benchmarks.harness import Effort
    from benchmarks.refresh import refreshes

    monkeypatch.setenv("AITOP_PEERS", str(tmp_path / "none"))
    rows = list(refreshes(Effort(quick=True)))
    named = {row.what.removeprefix("one refresh beside "): row.measured for row in rows}
    assert named["ccusage"] == "not measured: not installed yet: ccusage 20.0.24"
    assert named["claudetop"].startswith("not measured: neither npm nor PyPI")
    assert all(row.ahead is None for row in rows)
