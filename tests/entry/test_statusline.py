"""Claude Code's status line: our own line, the user's command passed through, and the feed."""

import json
import os
import shlex
import subprocess
import sys
import time

import pytest
from support import socket_peer

from aitop import statusline
from aitop.install import forwarder

SAID = {
    "session_id": "5f0c",
    "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
    "cost": {"total_cost_usd": 1.234},
    "context_window": {"context_window_size": 1_000_000, "used_percentage": 42.4},
}
LIMITED = SAID | {
    "rate_limits": {
        "five_hour": {"used_percentage": 23.5, "resets_at": 1000 + 4200},
        "seven_day": {"used_percentage": 90, "resets_at": 1000 + 90_000},
        "leaked": {"used_percentage": 1_795_300_000, "resets_at": 9000},
        "over": {"used_percentage": 50, "resets_at": 900},
    }
}
FRESH = {
    "written_at": 1000.0,
    "display": {
        "billing": "api",
        "symbol": "$",
        "rate": 1.0,
        "levels": {"burn": [5, 20], "context": [40, 95]},
    },
    "today": {"cost_usd": 7.5, "estimated_requests": 1},
    "windows": {"1m": {"cost_usd_per_hour": 6.0}},
}
SECONDS = 20


@pytest.fixture
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("s")


def run(home, *arguments, payload=b"", script=False, **environment):
    start = [sys.executable, "-I", "-S", statusline.__file__, "--home", str(home)]
    if script:
        forwarder.write_script(str(home / "statusline"), forwarder.render_statusline(str(home)))
        start = [str(home / "statusline")]
    return subprocess.run(
        [*start, *arguments], input=payload, capture_output=True, timeout=SECONDS, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **environment},
    )  # fmt: skip


def shown(said, fresh=None, preset="full"):
    return [text for text, _ in statusline.pieces(said, fresh, 1000.0, preset)]


def test_a_line_says_model_context_and_the_clients_cost():
    assert shown(SAID) == ["Opus 5.5", "ctx 42%", "$1.23"]


def test_a_fresh_state_adds_today_and_the_burn_rate():
    assert shown(SAID, FRESH) == ["Opus 5.5", "ctx 42%", "$1.23", "~$7.50 today", "$6.00/h"]


def test_a_subscription_shows_its_limits_first_and_dollars_as_equivalents():
    assert shown(LIMITED) == ["Opus 5.5", "5h 24% ↻1h10", "7d 90% ↻1d1h", "ctx 42%", "≈$1.23"]


def test_the_configured_way_of_paying_outranks_what_limits_suggest():
    assert shown(LIMITED, FRESH)[:3] == ["Opus 5.5", "ctx 42%", "$1.23"]


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("cost", ["Opus 5.5", "$1.23", "~$7.50 today"]),
        ("burn", ["Opus 5.5", "$6.00/h", "~$7.50 today"]),
        ("limits", ["Opus 5.5", "5h 24% ↻1h10", "7d 90% ↻1d1h", "ctx 42%"]),
    ],
)
def test_presets_choose_the_parts(preset, expected):
    assert shown(LIMITED, FRESH, preset) == expected


def test_a_budget_and_what_no_other_part_shows_stand_at_the_end():
    fresh = FRESH | {
        "budgets": [
            {"name": "shop", "percent": 91.0, "level": "warning"},
            {"name": "month", "percent": 20.0},
        ],
        "alerts": [{"id": "burn", "level": "critical"}, {"id": "runaway:1f0c", "level": "warning"}],
    }
    levels = dict(statusline.pieces(SAID, fresh, 1000.0, "full")[-2:])
    assert levels == {"shop 91%": "warning", "runaway": "warning"}


def test_levels_follow_the_thresholds_in_force():
    levels = dict(statusline.pieces(SAID, FRESH, 1000.0, "full"))
    assert levels["ctx 42%"] == "warning"
    assert levels["$6.00/h"] == "warning"


@pytest.mark.parametrize(
    "said",
    [{}, {"model": None, "cost": [], "context_window": 3}, {"rate_limits": {"five_hour": 3}},
     {"context_window": {"used_percentage": None}, "cost": {"total_cost_usd": "1"}},
     {"model": {"display_name": 7}, "rate_limits": [1]}],
)  # fmt: skip
def test_what_the_client_leaves_out_or_changes_is_left_out(said):
    assert shown(said) == []


def test_a_hostile_model_name_cannot_speak_to_the_terminal():
    (text,) = shown({"model": {"display_name": "a\x1b]0;x\x07\r\nb\u202ec"}})
    assert text.isprintable()


def test_the_line_is_cut_to_the_columns():
    parts = [("Opus 5.5", ""), ("ctx 42%", "warning"), ("$1.23", "")]
    assert statusline.compose(parts, 0, colour=False) == "Opus 5.5 · ctx 42% · $1.23"
    assert statusline.compose(parts, 20, colour=False) == "Opus 5.5 · ctx 42%"
    assert statusline.compose(parts, 5, colour=False) == "Opus…"
    assert "\x1b[33mctx 42%\x1b[0m" in statusline.compose(parts, 0, colour=True)


@pytest.mark.parametrize("script", [False, True])
def test_it_prints_its_line_and_feeds_the_listener(home, script):
    payload = json.dumps(SAID).encode()
    with socket_peer.answering(home / "claudecode.sock") as peer:
        done = run(home, payload=payload, script=script, NO_COLOR="1", CLAUDE_PID="7")
        head, _, body = peer.wait()[0].partition(b"\n")
    assert done.stdout.decode() == "Opus 5.5 · ctx 42% · $1.23\n"
    assert (done.returncode, done.stderr) == (0, b"")
    assert head == b"aitop/1\tprovider=claude-code\tevent=StatusLine\tpid=7"
    assert body == payload


def test_an_old_state_is_not_shown(home):
    old, new = FRESH | {"written_at": time.time() - 60}, FRESH | {"written_at": time.time()}
    for state, expected in ((old, False), (new, True)):
        (home / "state.json").write_text(json.dumps(state))
        assert (b"today" in run(home, payload=json.dumps(SAID).encode()).stdout) is expected


@pytest.mark.parametrize("payload", [b"", b"garbage", b"[]", b"\xff\x00", b"[" * 100_000, b'{"a":'])
def test_garbage_prints_nothing_and_is_no_error(home, payload):
    (home / "state.json").write_text("{broken")
    done = run(home, payload=payload)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("listener", ["none", "answering", "hanging", "dripping"])
@pytest.mark.parametrize("script", [False, True])
def test_the_users_command_keeps_its_input_output_and_exit_code(home, listener, script):
    payload = bytes(range(256)) * 2000
    command = f"cat; printf '%s' \"$0 $# ok\"; printf err >&2; exit 3; # {shlex.quote('it is')}"
    if listener == "none":
        done = run(home, "--", command, payload=payload, script=script)
    else:
        with getattr(socket_peer, listener)(home / "claudecode.sock") as peer:
            done = run(home, "--", command, payload=payload, script=script)
            if listener == "answering":
                assert peer.wait()[0].endswith(b"event=StatusLine\n" + payload)
    assert done.returncode == 3
    assert done.stdout == payload + b"sh 0 ok"
    assert done.stderr == b"err"


def test_several_words_are_a_command_and_its_arguments(home):
    done = run(home, "--", "printf", "%s|", "a b", "$HOME", "--")
    assert done.stdout == b"a b|$HOME|--|"


def test_a_command_that_ignores_its_input_is_not_waited_for(home):
    done = run(home, "--", "echo quick", payload=b"x" * 3_000_000)
    assert (done.returncode, done.stdout) == (0, b"quick\n")


def test_a_command_ends_by_a_broken_pipe_as_it_would_alone(home):
    done = run(home, "--", "yes | head -1; exit 0")
    assert (done.stdout, done.stderr) == (b"y\n", b"")


def test_a_missing_command_is_127(home):
    assert run(home, "--", "/no/such/command", "x").returncode == 127


def test_once_the_package_is_gone_the_users_command_runs_alone(home):
    text = forwarder.render_statusline(str(home)).replace(forwarder.package_folder(), str(home / "gone"))
    forwarder.write_script(str(home / "statusline"), text)

    def alone(*words):
        return subprocess.run(
            [home / "statusline", *words], input=b"in", capture_output=True, timeout=SECONDS, check=False
        )

    assert (alone("--", "cat; exit 4").stdout, alone("--", "cat; exit 4").returncode) == (b"in", 4)
    assert alone("--", "printf", "%s", "a b").stdout == b"a b"
    assert (alone().stdout, alone().returncode) == (b"", 0)


def test_help_is_for_people(capsys):
    assert statusline.main(["--help"]) == 0
    assert "aitop statusline -- COMMAND" in capsys.readouterr().out


def test_passing_through_loads_neither_json_nor_the_displays(home):
    code = (
        "import os, sys; sys.path.append(sys.argv[1]); from aitop import statusline;"
        "statusline.forward(b'{}', sys.argv[2]); print(*sorted(sys.modules))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, forwarder.package_folder(), str(home)]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"json", "re", "enum", "signal", "socket", "subprocess", "aitop.segments", "click"}
