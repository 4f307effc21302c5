"""`aitop guard`: exit codes for scripts, and a hook that stops only on fresh data."""

import json
import os
import subprocess
import sys
import time

import pytest
from golden.home import environment
from support.lines import SESSION

import aitop
from aitop import guard

PACKAGE = os.path.dirname(os.path.abspath(aitop.__file__))


def budget(percent=50.0, **more):
    level = "critical" if percent >= 100 else "warning" if percent >= 80 else "ok"
    return {"name": "b", "scope": "all", "period": "day", "limit_usd": 10.0, "used_usd": percent / 10,
            "percent": percent, "level": level, "over": percent >= 100, "resets_at": None,
            "session_ids": None, **more}  # fmt: skip


def limit(used, **more):
    return {"name": "five_hour", "used_percent": used, "resets_at": 2e9, "estimated": False, **more}


def state(*budgets, limits=(), complete=True, age=0.0, now=None):
    return {"written_at": (now or time.time()) - age, "budgets": list(budgets), "limits": list(limits),
            "scan": {"complete": complete}, "display": {"levels": {"limit": [80, 95]}}}  # fmt: skip


NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("published", "code"),
    [
        (state(budget(50), now=NOW), guard.OK),
        (state(budget(80), now=NOW), guard.NEAR),
        (state(budget(50), budget(100), now=NOW), guard.OVER),
        (None, guard.NOT_RUNNING),
        (state(budget(100), now=NOW, age=11), guard.NOT_RUNNING),
        (state(now=NOW), guard.NO_DATA),
        (state(budget(50), complete=False, now=NOW), guard.NO_DATA),
        (state(budget(100), complete=False, now=NOW), guard.OVER),  # a sum that still grows is over already
        (state(limits=[limit(50)], now=NOW), guard.OK),
        (state(limits=[limit(85)], now=NOW), guard.NEAR),
        (state(limits=[limit(100)], now=NOW), guard.OVER),
        (state(limits=[limit(100, estimated=True)], now=NOW), guard.NO_DATA),
        (state(limits=[limit(100, resets_at=NOW - 1)], now=NOW), guard.NO_DATA),
        (state(limits=[limit(NOW)], now=NOW), guard.NO_DATA),
    ],
)
def test_the_exit_code_says_how_things_stand(published, code):
    assert guard.judge(published, NOW, [])[0] == code


def test_one_budget_can_be_asked_for():
    published = state(budget(100), budget(10, name="other"), limits=[limit(100)], now=NOW)
    assert guard.judge(published, NOW, ["other"])[0] == guard.OK
    assert guard.judge(published, NOW, ["nobody"])[0] == guard.NO_DATA


def publish(home, value):
    with open(os.path.join(home, "state.json"), "w") as file:
        file.write(value if isinstance(value, str) else json.dumps(value))
    if isinstance(value, dict):  # a reader takes the later of the two dates
        os.utime(os.path.join(home, "state.json"), (value["written_at"],) * 2)


def run(home, *words, stdin="{}"):
    return subprocess.run([sys.executable, "-m", "aitop", "guard", *words], input=stdin, capture_output=True, text=True,
                          env=environment(home, PYTHONPATH=os.path.dirname(PACKAGE)), timeout=30)  # fmt: skip


def test_a_script_gets_a_line_for_each_and_the_code(home):
    publish(home, state(budget(85, name="shop")))
    done = run(home)
    assert done.returncode == guard.NEAR
    assert done.stdout == "near  budget shop: $8.50 of $10.00 today (85%)\n"
    assert run(home, "--quiet").stdout == ""
    assert json.loads(run(home, "--json").stdout)["exit_code"] == guard.NEAR


def test_wrong_usage_is_2(home):
    assert run(home, "--nonsense").returncode == 2


PAYLOAD = json.dumps({"session_id": SESSION, "hook_event_name": "UserPromptSubmit"})


def test_the_hook_stops_with_the_reason_when_a_budget_is_over(home):
    publish(home, state(budget(120, name="today")))
    done = run(home, "--hook", stdin=PAYLOAD)
    assert done.returncode == 2
    assert done.stdout == ""
    assert (
        done.stderr == "aitop: budget today is over: $12.00 of $10.00 today; raise [budgets.today] to go on\n"
    )


@pytest.mark.parametrize(
    "publication",
    [lambda: state(budget(99)), lambda: state(budget(120), age=11), lambda: state(budget(120), age=-60),
     lambda: "", lambda: "{", lambda: "[]", lambda: '{"budgets": 3}',
     lambda: state(budget(120, session_ids=["another"])), lambda: state(budget(120, session_ids=3)),
     lambda: state(budget(50, period="session", session_ids=[]))],
)  # fmt: skip
def test_the_hook_allows_the_prompt_otherwise(home, publication):
    publish(home, publication())  # made now: its age counts from the test, not from when pytest collected it
    done = run(home, "--hook", stdin=PAYLOAD)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("stdin", ["", "nonsense", "[1]", '{"session_id": 3}'])
def test_the_hook_understands_no_nonsense_and_lets_go_on(home, stdin):
    publish(home, state(budget(120, session_ids=[SESSION])))
    assert run(home, "--hook", stdin=stdin).returncode == 0


def test_a_project_budget_stops_only_its_sessions(home):
    publish(home, state(budget(120, scope="project", session_ids=[SESSION])))
    assert run(home, "--hook", stdin=PAYLOAD).returncode == 2


def test_a_session_budget_stops_the_session_that_spent_it(home):
    publish(home, state(budget(10, period="session", session_ids=[SESSION])))
    done = run(home, "--hook", stdin=PAYLOAD)
    assert (done.returncode, "this session has spent" in done.stderr) == (2, True)


def test_without_a_listener_the_hook_lets_go_on(home):
    assert run(home, "--hook", stdin=PAYLOAD).returncode == 0


def test_the_hook_does_not_wait_for_a_client_that_never_closes_stdin(home):
    publish(home, state(budget(50)))
    process = subprocess.Popen(
        [sys.executable, "-m", "aitop", "guard", "--hook"], stdin=subprocess.PIPE,
        env=environment(home, PYTHONPATH=os.path.dirname(PACKAGE)),
    )  # fmt: skip
    try:
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.stdin.close()


def test_the_hook_loads_nothing_heavy(home):
    publish(home, state(budget(120)))
    found = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "aitop", "guard", "--hook"], input=PAYLOAD, capture_output=True,
        text=True, env=environment(home, PYTHONPATH=os.path.dirname(PACKAGE)), timeout=30,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in found.stderr.splitlines()}
    assert not loaded & {"click", "orjson", "filelock", "sqlite3", "subprocess", "tomllib", "dataclasses", "asyncio",
                         "aitop.config", "aitop.model", "aitop.money"}  # fmt: skip


def test_a_failing_guard_lets_the_client_go_on(monkeypatch):
    monkeypatch.setattr(guard, "hook", lambda: 1 / 0)
    assert guard.main(["--hook"]) == 0


def test_help_lists_the_codes(capsys):
    assert guard.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(code in out for code in ("10 near", "11 over", "20 no listener", "30 it has no data"))
