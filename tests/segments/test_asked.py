"""A display with options is rendered from its second call on, and found by the sh front without a process."""

import os
import subprocess
import sys
import time

import pytest
from golden import states
from golden.home import FRONT as ALONE
from golden.home import environment
from golden.home import publish as publish_state

from aitop import guard
from aitop.publish import asked as published
from aitop.segments import asked

# ALONE is the front without Python beside it: whatever it answers, it answers itself.
FRONT = os.path.join(os.path.dirname(sys.executable), "aitop")
CALLS = [
    ("tmux", "--preset", "burn"),
    ("tmux", "--format", "{cost_today} / {cost_week} #S"),
    ("prompt", "--shell", "zsh", "--format", "{cost_today}{? ctx {context_percent}} %n"),
    ("prompt", "--preset", "cost"),
    ("waybar", "--preset", "limits"),
    ("swiftbar", "--preset=cost"),
    ("guard", "--budget", "shop"),
]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AITOP_HOME", str(tmp_path))
    return str(tmp_path)


def state(**more):
    rows = [
        {
            "name": "shop",
            "percent": 91.0,
            "level": "warning",
            "used_usd": 9.1,
            "limit_usd": 10.0,
            "period": "day",
        }
    ]
    return states.api() | {"budgets": rows, "written_at": time.time()} | more


def call(home, *words, front=FRONT, **more):
    return subprocess.run([front, *words], env=environment(home, **more), cwd=home, capture_output=True, timeout=30,
                          stdin=subprocess.DEVNULL, check=False)  # fmt: skip


def render(home, value):
    """What the listener does each second."""
    publish_state(home, value)
    for name, text in published.texts(value, home, time.time()).items():
        path = os.path.join(home, "segments", name)
        with open(path, "wb") as file:
            file.write(f"1 1 {text}\n".encode())
        os.utime(path, (time.time() + 3600,) * 2)


@pytest.mark.parametrize("colour", ["", "1"])
@pytest.mark.parametrize("words", CALLS)
def test_the_second_call_says_the_same_without_python(home, words, colour):
    value = state()
    publish_state(home, value)
    first = call(home, *words, NO_COLOR=colour)
    assert first.stdout
    assert len(os.listdir(os.path.join(home, "asked"))) == 1
    render(home, value)
    second = call(home, *words, front=ALONE, NO_COLOR=colour)
    assert (second.returncode, second.stdout, second.stderr) == (first.returncode, first.stdout, b"")


@pytest.mark.parametrize("words", [("guard",), ("guard", "--quiet"), ("guard", "--hook")])
def test_guard_answers_without_python_too(home, words):
    value = state()
    render(home, value)
    assert call(home, *words, front=ALONE).stdout == call(home, *words).stdout
    assert call(home, *words, front=ALONE).returncode == call(home, *words).returncode


def test_a_budget_that_blocks_is_left_to_python(home):
    rows = [{"name": "shop", "percent": 120.0, "over": True, "level": "critical", "used_usd": 12.0, "limit_usd": 10.0,
             "period": "day", "session_ids": ["s"]}]  # fmt: skip
    render(home, state(budgets=rows))
    blocked = subprocess.run([FRONT, "guard", "--hook"], env=environment(home), input=b'{"session_id": "s"}',
                             check=False, capture_output=True, timeout=30)  # fmt: skip
    assert blocked.returncode == guard.BLOCK
    assert call(home, "guard", "--hook", front=ALONE).returncode == 1
    assert call(home, "guard", "--quiet", front=ALONE).returncode == guard.OVER


def test_an_old_answer_is_not_given(home):
    render(home, state())
    os.utime(os.path.join(home, "segments", "guard"), (1, 1))
    assert call(home, "guard", "--quiet", front=ALONE).returncode == 1


@pytest.mark.parametrize(
    "argv", [["--format", "a\tb"], ["--format", "a\nb"], ["--format", "x∕y"], ["--format", "x" * 300]]
)
def test_a_command_line_that_makes_no_name_is_not_remembered(argv):
    assert asked.name_of("tmux", argv, plain=False) is None


def test_a_name_leads_to_its_command_line_and_never_out_of_the_folder():
    name = asked.name_of("tmux", ["--format", "../../{burn}"], plain=True)
    assert name is not None
    assert "/" not in name
    assert asked.command_of(name) == ("tmux", ["--format", "../../{burn}"], True)
    assert asked.command_of("tmux") is None
    assert asked.command_of("@rm\t-rf") is None


def test_what_is_remembered_is_bounded_and_expires(home):
    for number in range(asked.MAX_ASKED + 10):
        asked.remember(f"@tmux\t--format\t{number}")
    names = asked.known(home, time.time())
    assert len(names) == len(os.listdir(os.path.join(home, "asked"))) == asked.MAX_ASKED
    assert asked.known(home, time.time() + asked.KEEP_SECONDS + 60) == []
    assert os.listdir(os.path.join(home, "asked")) == []


def test_asking_again_renews_the_mark(home):
    publish_state(home, state())
    call(home, "tmux", "--preset", "burn")
    (name,) = os.listdir(os.path.join(home, "asked"))
    render(home, state())
    mark = os.path.join(home, "asked", name)
    os.utime(mark, (1000, 1000))
    call(home, "tmux", "--preset", "burn")
    assert os.stat(mark).st_mtime > time.time() - 60
