"""The short recipes: those whose program is here run in it, the others are at least what their host can read."""

import json
import os
import subprocess
import tomllib

import pytest
from golden import states
from golden.home import ROOT, need, publish
from support import hosts
from support.desktop import Desktop
from support.hosts import seconds

from aitop.install import snippets

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture
def command(tmp_path):
    return hosts.command_in(tmp_path)


def test_i3blocks_shows_a_line_for_each_change(tmp_path, home, command):
    need("i3blocks")
    publish(home, states.api())
    config = tmp_path / "config"
    config.write_text(snippets.snippet("i3blocks", "bash", command))
    environment = {"PATH": os.environ["PATH"], "AITOP_HOME": home, "HOME": str(tmp_path), "PYTHONPATH": ROOT}
    shown = tmp_path / "shown"

    def told(text):
        """The newest line with this text."""
        return next((line for line in reversed(shown.read_text().splitlines()) if text in line), None)

    with open(shown, "w") as out:
        bar = subprocess.Popen(
            ["i3blocks", "-c", str(config)], stdin=subprocess.DEVNULL, stdout=out, env=environment
        )
    try:
        line = seconds(lambda: told("$4.21"))
        block = json.loads(line.removeprefix(","))[-1]
        assert block["full_text"].startswith("$4.21 · $7.20/h · ctx 27%")
        publish(home, states.zero())
        seconds(lambda: told("$0.00"))
    finally:
        bar.kill()  # asked kindly, it waits for its block to end
        bar.wait()


def test_polybar_draws_the_module(home, command):
    need("polybar")
    publish(home, states.api())
    with Desktop(home, sway=False) as desktop:
        with open(desktop.file("config.ini"), "w") as file:
            file.write(
                "[bar/test]\nheight = 24\nwidth = 100%\nmodules-left = aitop\nfont-0 = DejaVu Sans:size=10\n"
            )
            file.write(
                "background = #313244\nforeground = #ffffff\n" + snippets.snippet("polybar", "bash", command)
            )
        desktop.start("polybar", "polybar", "-c", desktop.file("config.ini"), "test")
        picture = desktop.file("bar.xwd")
        seconds(lambda: _white(desktop, picture))
        publish(home, states.api(), fresh=False)
        seconds(lambda: not _white(desktop, picture))
        assert "error" not in desktop.log("polybar")


def _white(desktop, picture):
    """How many pixels of the screen are nearly white: those of a text."""
    subprocess.run(["xwd", "-root", "-silent", "-out", picture], env=desktop.environment, check=True)
    with open(picture, "rb") as file:
        data = file.read()
    head, colours = int.from_bytes(data[:4], "big"), int.from_bytes(data[76:80], "big")
    pixels = data[head + colours * 12 :]  # blue, green, red, nothing
    return sum(min(pixels[at : at + 3]) > 0xC0 for at in range(0, 1000 * 4 * 30, 4))


def test_i3status_rusts_recipe_is_toml():
    (block,) = tomllib.loads(snippets.snippet("i3status-rust", "bash", "/it's/aitop"))["block"]
    assert block["command"] == "exec '/it'\\''s/aitop' prompt --shell plain --follow"
    assert block["persistent"]


def test_oh_my_poshs_segment_is_json():
    text = snippets.snippet("oh-my-posh", "bash", "/usr/bin/aitop").partition("# 2.")[0]
    segment = json.loads("\n".join(line for line in text.splitlines() if not line.startswith("//")))
    assert segment["type"] == "text"


def test_wezterms_recipe_runs_in_lua_and_shows_no_old_number(tmp_path, home):
    need("lua5.4")
    publish(home, states.api())
    frame = """
wezterm = { home_dir = '/nowhere', on = function(_, fn) handler = fn end }
dofile(arg[1])
handler({ set_right_status = function(_, text) io.write('<' .. text .. '>') end })
"""
    path = tmp_path / "frame.lua"
    path.write_text(frame)
    recipe = os.path.join(ROOT, "integrations", "wezterm", "aitop.lua")
    call = ["lua5.4", str(path), recipe]
    environment = {"PATH": os.environ["PATH"], "AITOP_HOME": home}
    found = subprocess.run(call, env=environment, capture_output=True, text=True)
    assert found.stdout.startswith("<$4.21 · $7.20/h"), found.stderr
    publish(home, states.api(), fresh=False)
    assert subprocess.run(call, env=environment, capture_output=True, text=True).stdout == "<>"


# What is no display is not set up by `aitop init`.
OTHER_WAYS_IN = {
    "grafana": "aitop export dashboard",
    "prometheus": "aitop export rules",
    "github-actions": "uses:",
}


@pytest.mark.parametrize("name", sorted(os.listdir(os.path.join(ROOT, "integrations"))))
def test_each_integration_has_a_readme_of_about_ten_lines(name):
    with open(os.path.join(ROOT, "integrations", name, "README.md")) as file:
        lines = [line for line in file.read().splitlines() if line.strip()]
    assert 3 <= len(lines) <= 30
    way_in = OTHER_WAYS_IN.get(name, f"aitop init {name}")
    assert way_in in "\n".join(lines)
