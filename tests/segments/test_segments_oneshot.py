"""One-shots with options, and the streams."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from golden import states
from golden.home import ROOT, environment, publish, python

from aitop import state

LIGHT = {
    "aitop",
    "os",
    "stat",
    "_stat",
    "posixpath",
    "genericpath",
    "abc",
    "_abc",
    "_collections_abc",
    "time",
    "unicodedata",
    "select",
    "errno",
    "_signal",
    "__future__",
}


@pytest.fixture
def home(tmp_path):
    return str(tmp_path)


def test_a_preset_a_format_and_a_named_segment_print_one_line(home):
    publish(home, states.api(), own=[("mine", "plain", None, "{requests_today} calls")])
    assert python(home, "tmux", "--preset", "cost").stdout.decode() == "$4.21 today · $1.20 session\n"
    assert python(home, "prompt", "--format={model} {context}").stdout == b"opus-4-6 53K/200K\n"
    assert python(home, "tmux", "--segment", "mine").stdout == b"92 calls\n"
    shown = python(home, "prompt", "--shell", "zsh", "--format", "{cost_today} 100%").stdout
    assert shown == b"$%{%}4.21 100%%\n"


def test_no_color_holds_for_a_format_too(home):
    publish(home, states.api())
    assert python(home, "tmux", "--format", "{burn}", NO_COLOR="1").stdout == b"$7.20/h\n"
    assert (
        python(home, "tmux", "--format", "{burn}").stdout
        == b"#[push-default]#[fg=yellow]$7.20/h#[default]#[pop-default]\n"
    )


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b'{"written_at":"x"}', b"[" * 100_000])
def test_trouble_at_run_time_is_silence(home, content):
    if content is not None:
        with open(os.path.join(home, "state.json"), "wb") as file:
            file.write(content)
    found = python(home, "tmux", "--preset", "cost")
    assert (found.stdout, found.stderr, found.returncode) == (b"", b"", 0)
    assert json.loads(python(home, "waybar", "--preset", "cost").stdout)["class"] == "off"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nope"], "--nope"),
        (["--preset", "x"], "cost, burn, limits, full"),
        (["--format"], "needs a value"),
        (["--format", "{cost_toda}"], "did you mean {cost_today}?"),
        (["--shell", "zsh"], "--shell is for prompt"),
        (["--segment", "../state.json"], "--segment is a name"),
        (["--preset=cost", "--segment=x"], "exclude"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(home, words, said):
    found = python(home, "tmux", *words)
    assert (found.stdout, found.returncode) == (b"", 2)
    assert said in found.stderr.decode()
    assert found.stderr.count(b"\n") == 1


def test_freshness_is_ten_seconds_both_ways():
    for age, fresh in ((0, True), (10, True), (10.5, False), (-10, True), (-11, False)):
        assert state.is_fresh({"written_at": 1000.0}, 1000.0 + age) is fresh
    assert not state.is_fresh(None, 0)
    assert not state.is_fresh({}, 0)


def follow(home, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "aitop", *words, "--follow"],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_stream_prints_a_line_for_each_change_and_the_off_line_once(home):
    publish(home, states.api())
    with follow(home, "waybar") as stream:
        assert json.loads(stream.stdout.readline())["percentage"] == 27
        publish(home, states.subscription())
        assert json.loads(stream.stdout.readline())["percentage"] == 42
        publish(home, states.api(), fresh=False)
        assert json.loads(stream.stdout.readline())["class"] == "off"
        publish(home, states.subscription())
        assert json.loads(stream.stdout.readline())["percentage"] == 42
        stream.send_signal(signal.SIGTERM)
        assert stream.wait(30) == -signal.SIGTERM
        assert stream.stderr.read() == b""


def test_a_swiftbar_stream_ends_each_menu_with_its_separator(home):
    publish(home, states.zero())
    with follow(home, "swiftbar") as stream:
        shown = b""
        while not shown.endswith(b"~~~\n"):
            shown += stream.stdout.readline()
        assert shown.startswith(b"$0.00 |")
        assert shown.count(b"~~~") == 1
        stream.kill()


def test_a_stream_ends_when_its_reader_has_gone(home):
    publish(home, states.zero())
    stream = follow(home, "tmux", "--preset", "cost")
    stream.stdout.readline()
    stream.stdout.close()
    assert stream.wait(20) == 0
    assert stream.stderr.read() == b""
    stream.stderr.close()


@pytest.mark.slow
def test_a_stream_ends_when_its_parent_has_gone(home):
    publish(home, states.zero())
    script = f'"{sys.executable}" -m aitop tmux --follow >"{home}/out" & echo $!; sleep 1.5'
    child = int(
        subprocess.run(["sh", "-c", script], check=False, env=environment(home), capture_output=True).stdout
    )
    for _ in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the follower outlived its parent")


def test_the_light_path_loads_only_light_modules(home):
    publish(home, states.api())
    code = (
        "import sys; before = set(sys.modules); from aitop.segments import oneshot, follow; "
        "oneshot.main('tmux', []); print(sorted(set(sys.modules) - before))"
    )
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {ROOT!r}); {code}"],
        check=False,
        env=environment(home),
        capture_output=True,
        text=True,
    )
    loaded = set(eval(found.stdout.splitlines()[-1]))
    assert {name.split(".")[0] for name in loaded} - LIGHT == set(), (
        "see which file of aitop/segments imports one of them; what types alone need stands below `TYPE_CHECKING`"
    )
