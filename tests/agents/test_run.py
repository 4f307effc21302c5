"""`aitop run` around any command: exit codes, streams, output, and what is said where nothing is known."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

AITOP = os.path.join(os.path.dirname(sys.executable), "aitop")


@pytest.fixture
def environment(tmp_path, home):
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AITOP_HOME": home}


def run(environment, *words, **how):
    return subprocess.run(
        [AITOP, "run", *words], env=environment, capture_output=True, text=True, timeout=60, **how
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -TERM $$"], 128 + signal.SIGTERM),
        (["no-such-command"], 127),
        (["/"], 126),
    ],
)
def test_the_exit_code_is_the_commands_own_as_a_shell_has_it(environment, command, code):
    assert run(environment, "--", *command).returncode == code


@pytest.mark.parametrize("words", [["--budgt", "3", "--", "true"], ["--budgt=3", "true"]])
def test_a_mistyped_option_is_no_command(environment, words):
    done = run(environment, *words)
    assert done.returncode == 2
    assert "No such option '--budgt'. Did you mean `--budget`?" in done.stderr


@pytest.mark.parametrize("words", [["-x", "true"], ["--json", "-9", "--", "true"]])
def test_an_option_that_nothing_is_near_is_refused_too(environment, words):
    done = run(environment, *words)
    assert done.returncode == 2
    assert "No such option" in done.stderr


@pytest.mark.parametrize("before", [[], ["--"]])
def test_the_options_of_the_command_are_its_own(environment, before):
    done = run(environment, *before, "sh", "-c", 'echo "$@"', "sh", "--budgt", "-x")
    assert (done.returncode, done.stdout) == (0, "--budgt -x\n")


def test_the_command_keeps_its_input_and_output(environment):
    done = run(environment, "--", "cat", input="seen\n")
    assert done.stdout == "seen\n"
    assert done.stderr.startswith("aitop run: cost unknown: no session of a known client was seen (")


def test_what_is_unknown_is_null_and_never_zero(environment):
    found = json.loads(run(environment, "--json", "--", "true").stdout)
    assert found["spent_usd"] is None
    assert found["requests"] is None
    assert (found["sessions"], found["models"], found["over"]) == ([], [], False)


def test_the_result_can_be_kept_in_a_file(environment, tmp_path):
    done = run(environment, "--output", str(tmp_path / "r.json"), "--", "sh", "-c", "exit 3")
    assert done.returncode == 3
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == 3


def test_a_result_that_cannot_be_kept_is_named_and_costs_no_exit_code(environment, tmp_path):
    done = run(environment, "--output", str(tmp_path / "none" / "r.json"), "--", "true")
    assert done.returncode == 0
    assert "none/r.json: No such file or directory" in done.stderr


def test_a_home_that_cannot_be_used_costs_no_exit_code_and_the_money_is_null(environment, tmp_path):
    (tmp_path / "file").write_text("")
    done = run(
        environment | {"AITOP_HOME": str(tmp_path / "file")}, "--json", "--", "sh", "-c", "touch ran; exit 7",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 7
    assert (tmp_path / "ran").exists()
    assert json.loads(done.stdout)["spent_usd"] is None
    assert "the cost is unknown" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_newer_history_costs_no_exit_code(environment, home):
    with sqlite3.connect(os.path.join(home, "history.db")) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    done = run(environment, "--", "sh", "-c", "exit 7")
    assert done.returncode == 7
    assert "newer aitop" in done.stderr


def test_options_of_the_command_are_its_own(environment):
    assert run(environment, "--", "printf", "%s", "--json").stdout == "--json"


def test_a_client_that_shows_no_session_makes_the_cost_unknown(environment, tmp_path):
    program = shutil.copy(shutil.which("sleep"), tmp_path / "opencode")
    found = json.loads(run(environment, "--json", "--", str(program), "1").stdout)
    assert (found["unattributed"], found["at_least"], found["spent_usd"]) == (["opencode"], True, None)


def test_a_signal_reaches_the_command_and_the_result_is_still_given(environment):
    process = subprocess.Popen(
        [AITOP, "run", "--json", "--", "sh", "-c", "echo up; exec sleep 60"],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert json.loads(out)["exit_code"] == 128 + signal.SIGTERM


def test_a_budget_is_a_sum_above_zero(environment):
    done = run(environment, "--budget", "0", "--", "true")
    assert done.returncode == 2
    assert "--budget" in done.stderr


def test_a_command_is_needed(environment):
    assert run(environment).returncode == 2


@pytest.mark.slow
def test_a_process_that_left_its_parent_still_belongs_to_the_command():
    psutil = pytest.importorskip("psutil")
    from aitop.agents.processes import MARK, Tree

    line = "setsid sh -c 'sleep 20 & echo $!'"
    child = subprocess.Popen(["sh", "-c", f"({line} &); sleep 3"], env=os.environ | {MARK: "outer:m1"},
                             stdout=subprocess.PIPE, text=True)  # fmt: skip
    orphan = int(child.stdout.readline())
    stranger = subprocess.Popen(["sleep", "20"], env=os.environ | {MARK: "m2"})
    tree = Tree(child.pid, "m1", [])
    try:
        deadline = time.monotonic() + 10
        while orphan not in {p.pid for p in tree.alive()} and time.monotonic() < deadline:
            tree.look({})
        members = {process.pid for process in tree.alive()}
        assert orphan in members
        assert stranger.pid not in members
        tree.end()
        assert not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        child.kill()
        child.communicate()
