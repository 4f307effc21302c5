"""The Waybar module in a real Waybar: drawn, coloured, hovered, clicked, and gone when the numbers are old."""

import os
import subprocess
import sys
import time

import pytest
from golden import states
from golden.home import FRONT, publish
from support import hosts
from support.desktop import Desktop
from support.hosts import seconds

from aitop.install import snippets
from aitop.segments import click

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture
def command(tmp_path):
    return hosts.command_in(tmp_path)


@pytest.fixture
def terminal(tmp_path):
    """A terminal that writes down what it was asked to run."""
    path = tmp_path / "terminal"
    path.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$AITOP_HOME/ran"\n')
    path.chmod(0o755)
    return str(path)


def module_and_style(command):
    module, _, style = snippets.snippet("waybar", "bash", command).partition("\n/*")
    return module.rstrip().rstrip(","), "/*" + style


def clean(desktop):
    log = desktop.log("waybar")
    assert "[error]" not in log, log
    assert "Gtk-WARNING" not in log, log


def critical():
    state = states.with_name(states.HOSTILE + "<b>&")
    state["level"] = "critical"
    return state


def test_the_module_is_drawn_coloured_by_level_and_hidden_when_old(home, command):
    publish(home, states.zero())
    module, style = module_and_style(command)
    with Desktop(home) as desktop:
        desktop.bar(module, style)
        seconds(lambda: not desktop.empty())
        publish(home, critical())
        seconds(lambda: (0xC0, 0x1C, 0x28) in desktop.pixels())
        publish(home, critical(), fresh=False)
        seconds(desktop.empty)
        publish(home, states.zero())
        seconds(lambda: not desktop.empty())
        clean(desktop)


def test_hovering_shows_a_table_whatever_the_names_in_it(home, command):
    publish(home, critical())
    module, style = module_and_style(command)
    with Desktop(home) as desktop:
        desktop.bar(module, style)
        seconds(lambda: not desktop.empty())
        assert desktop.empty(60, 400)
        desktop.x("mousemove", "300", "100", "mousemove", "60", "20", "mousemove", "50", "15")
        desktop.x("mousemove", "53", "16")
        seconds(lambda: not desktop.empty(60, 400))
        if os.environ.get("AITOP_PICTURES"):
            desktop.shot(os.path.join(os.environ["AITOP_PICTURES"], "waybar-hostile.png"))
        clean(desktop)


def test_a_click_opens_the_table_in_the_users_terminal(home, command, terminal):
    publish(home, states.zero())
    module, style = module_and_style(command)
    with Desktop(home, TERMINAL=terminal) as desktop:
        desktop.bar(module, style)
        seconds(lambda: not desktop.empty())
        desktop.click(1)
        ran = os.path.join(home, "ran")
        seconds(lambda: os.path.exists(ran) and os.path.getsize(ran))
        with open(ran) as file:
            assert file.read().split() == [
                "-e",
                os.path.join(os.path.dirname(sys.executable), "aitop"),
                "top",
            ]


def test_a_right_click_shows_the_next_preset(home, command):
    publish(home, states.api())
    module, style = module_and_style(command)
    with Desktop(home) as desktop:
        desktop.bar(module, style)
        seconds(lambda: not desktop.empty())
        time.sleep(0.5)
        before = desktop.pixels()
        publish(home, states.api())
        desktop.click(3)
        assert seconds(click.chosen) == "cost"
        publish(home, states.api())
        seconds(lambda: desktop.pixels() != before)
        clean(desktop)


def test_presets_come_round_to_the_configured_one(home):
    found = []
    for _ in range(6):
        assert click.cycle() == 0
        found.append(click.chosen())
    assert found == ["cost", "burn", "limits", "full", None, "cost"]


def test_a_follower_goes_on_with_the_preset_a_click_chose(home, command):
    publish(home, states.api())
    environment = os.environ | {"AITOP_HOME": home, "PYTHONPATH": os.path.dirname(os.path.dirname(FRONT))}
    with subprocess.Popen([command, "waybar", "--follow"], stdout=subprocess.PIPE, env=environment) as bar:
        assert b"ctx 27%" in bar.stdout.readline()
        publish(home, states.api())
        assert subprocess.run([command, "waybar", "--cycle"], env=environment).returncode == 0
        line = bar.stdout.readline()
        assert "today · $1.20 session" in line.decode()
        assert line.startswith('{"text":"<b>▲</b> $4.21'.encode())
        bar.terminate()


def test_the_terminal_of_the_user_comes_first(monkeypatch):
    monkeypatch.setenv("TERMINAL", "/opt/bin/wezterm")
    assert click.terminals(["aitop", "top"])[0] == ["/opt/bin/wezterm", "start", "--", "aitop", "top"]
    monkeypatch.delenv("TERMINAL")
    assert click.terminals(["x"])[0] == ["xdg-terminal-exec", "x"]


def test_without_any_terminal_it_is_said(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("TERMINAL", raising=False)
    assert click.open_top() == 1
    assert "set TERMINAL" in capsys.readouterr().err
