"""`aitop` alone in a pipe, and the help of the words that answer without the command line."""

import os
import subprocess
import sys

import pytest
from golden import states
from golden.home import environment, publish

from aitop.demo import statusline_preview
from aitop.top import once

FRONT = os.path.join(os.path.dirname(sys.executable), "aitop")


def run(home, *words, **more):
    return subprocess.run([FRONT, *words], env=environment(str(home), **more), cwd=home, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=False)  # fmt: skip


@pytest.mark.parametrize(
    "word", ["hook", "statusline", "guard", "tmux", "prompt", "waybar", "swiftbar", "codex-notify"]
)
def test_every_word_that_is_answered_fast_has_a_help(tmp_path, word):
    done = run(tmp_path, word, "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"Usage: aitop " + word.encode())


def test_the_help_of_the_hook_is_not_sent_to_the_listener(tmp_path):
    script = tmp_path / ".aitop" / "hook"
    script.parent.mkdir(mode=0o700)
    script.write_text("#!/bin/sh\necho sent\n")
    script.chmod(0o755)
    assert b"Usage" in run(tmp_path, "hook", "--help", AITOP_HOME=str(script.parent)).stdout


def test_names_that_a_terminals_encoding_lacks_do_not_end_the_table(tmp_path):
    state = states.with_name("é😀")
    publish(str(tmp_path), state)
    done = run(tmp_path, "top", "--once", PYTHONIOENCODING="iso-8859-1:strict", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "é😀" in done.stdout.decode()


def test_waiting_makes_sense_only_while_a_listener_runs():
    assert once.published_or_starting("Started the listener in the background; `aitop stop` ends it.")
    assert not once.published_or_starting("The listener was stopped with `aitop stop`; …")


def test_the_preview_shows_every_style_of_the_configured_line(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[statusline]\nformat = "{model}\\n{branch} {git_dirty} · {lines}"\n')
    done = run(tmp_path, "statusline", "--preview", AITOP_CONFIG=str(config), NO_COLOR="1")
    lines = done.stdout.decode().splitlines()
    assert lines[:3] == ["plain:", "  Opus 5.5", "  fix-rounding ± · +128 −37"]
    assert [line for line in lines if line.endswith(":")] == ["plain:", "powerline:", "nerd:"]


@pytest.mark.parametrize(("words", "said"), [
    (["--format", "{cost_tody}"], "did you mean {cost_today}?"), (["--style", "loud"], "--style is one of plain"),
    (["--columns", "x"], "--columns is a number"), (["--what"], "unknown option --what"),
])  # fmt: skip
def test_the_preview_says_what_it_does_not_understand(capsys, monkeypatch, tmp_path, words, said):
    monkeypatch.setenv("AITOP_CONFIG", str(tmp_path / "none.toml"))
    assert statusline_preview.main(["--preview", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_made_up_payload_fills_every_placeholder_of_the_status_line_alone():
    now = 1000.0
    from aitop.segments.placeholders import NAMES, Values

    payload, state = statusline_preview.payload(now), statusline_preview.state(now)
    values = Values(state, now, session=state["sessions"][0], payload=payload)
    for name in ("lines", "effort", "cache_left", "context_bar", "git_dirty", "session_name", "limits"):
        assert name in NAMES
        assert not values[name][2], name
