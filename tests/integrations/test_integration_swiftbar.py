"""The menu against the bars' documented grammar, read here the way SwiftBar reads it."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from golden import states
from golden.home import FRONT, ROOT, publish
from hypothesis import given
from hypothesis import strategies as st

from aitop import segments
from aitop.install import snippets
from aitop.segments import swiftbar

# Parameters SwiftBar and xbar document; Argos adds useMarkup and unescape.
PARAMETERS = set(
    shlex.split(
        "color sfcolor font size md sfsize length trim ansi emojize symbolize dropdown alternate image templateImage "
        "sfimage sfconfig checked tooltip badge webview webvieww webviewh refresh href bash shell terminal stdin "
        "shortcut param0 param1 param2 useMarkup unescape"
    )
)
METADATA = set(
    shlex.split(
        "xbar.title xbar.version xbar.author xbar.author.github xbar.desc xbar.image xbar.dependencies xbar.abouturl "
        "swiftbar.hideAbout swiftbar.hideRunInTerminal swiftbar.hideLastUpdated swiftbar.hideDisablePlugin "
        "swiftbar.hideSwiftBar swiftbar.refreshOnOpen swiftbar.runInBash swiftbar.type swiftbar.schedule "
        "swiftbar.environment swiftbar.persistentWebView swiftbar.useTrailingStreamSeparator swiftbar.alwaysVisible"
    )
)
NAMES = st.text(max_size=60) | st.sampled_from(
    [states.HOSTILE, states.NASTY, "a | bash=/bin/sh terminal=true", "---"]
)


def item(line):
    """(depth, title, parameters) of one line; the first | splits, values may be quoted."""
    text, _, options = line.partition("|")
    depth = (len(text) - len(text.lstrip("-"))) // 2
    pairs = [word.partition("=") for word in shlex.split(options)]
    assert all(equals for _, equals, _ in pairs), line
    return depth, text[2 * depth :].strip(), {key: value for key, _, value in pairs}


def menu(text):
    """The header lines, and the groups of items between separators."""
    header, *groups = re.split(r"^---$", text, flags=re.MULTILINE)
    return [item(line) for line in header.split("\n") if line.strip()], [
        [item(line) for line in group.split("\n") if line.strip()] for group in groups
    ]


def drawn(state, **more):
    return segments.render(state, "swiftbar", now=states.NOW, **more)


@pytest.mark.parametrize("case", states.ALL)
def test_every_menu_is_of_the_grammar(case):
    header, groups = menu(drawn(states.ALL[case]()))
    assert len(header) == 1  # several would take turns
    for depth, title, options in [*header, *(entry for group in groups for entry in group)]:
        assert title
        assert depth <= 1
        assert set(options) <= PARAMETERS
    for group in groups:
        assert group
        assert group[0][0] == 0  # a submenu needs something to hang from
    assert [entry[1] for entry in groups[-1]] == ["Open the table", "Refresh"]


@given(NAMES)
def test_no_name_adds_an_action_a_colour_or_a_line(name):
    plain = menu(drawn(states.with_name("shop"), template="{cost_today}"))[1]
    odd = menu(drawn(states.with_name(name), template="{cost_today}"))[1]
    for group in odd[:-1]:
        for _, _, options in group:
            assert not {"bash", "shell", "href", "refresh", "webview", "image"} & set(options)
    assert [entry[1:] for entry in odd[-1]] == [entry[1:] for entry in plain[-1]]


def test_colours_come_for_light_and_dark_and_symbols_are_sf_symbols():
    (header,), groups = menu(drawn(states.api()))
    light, dark = header[2]["color"].split(",")
    assert re.fullmatch("#[0-9a-f]{6}", light)
    assert re.fullmatch("#[0-9a-f]{6}", dark)
    assert header[2]["sfimage"] == "exclamationmark.triangle"
    assert {"calendar", "timer", "tablecells"} <= {
        entry[2].get("sfimage") for group in groups for entry in group
    }


def test_the_menu_has_sessions_windows_limits_and_today_by_project():
    state = states.subscription()
    state["projects_today"] = [
        {"project": "shop", "cost_usd": 3.0, "requests": 70, "unpriced_requests": 1},
        {"project": "--docs|x", "cost_usd": 1.21, "requests": 22},
    ]
    text = drawn(state)
    titles = [line.partition("|")[0].strip() for line in text.split("\n")]
    today = titles.index("Today · ≈$4.21 · 92 requests")
    assert titles[today + 1 : today + 3] == [
        "--shop · ≥≈$3.00 · 70 requests",
        "--‐-docs¦x · ≈$1.21 · 22 requests",
    ]
    assert "5 min · ≈$0.50 · ≈$6.00/h · 105.4k tok/min" in titles
    assert "Limit 7d · 81% · resets in 3d4h" in titles
    assert "● shop · ≈$1.20 · ctx 27% · opus-4-6 · now" in titles
    assert "--Branch main" in titles


def test_the_off_menu_is_of_the_grammar_too():
    header, groups = menu(swiftbar.off())
    assert header[0][1] == "aitop off"
    assert groups[0][1][2] | {"bash": ""} == {
        "bash": "",
        "param1": "start",
        "terminal": "false",
        "refresh": "true",
    }


@pytest.mark.parametrize("name", ["swiftbar", "swiftbar-stream"])
def test_the_plugin_files_carry_metadata_the_bars_know(name):
    text = snippets.snippet(name, "bash", "/usr/local/bin/aitop")
    tags = re.findall(r"<((?:xbar|swiftbar)[.\w]*)>(.*?)</\1>", text)
    assert len(tags) == text.count("</")
    assert {tag for tag, _ in tags} <= METADATA
    known = dict(tags)
    assert known["swiftbar.runInBash"] == "false"  # else the user's profile runs at each refresh
    assert (known.get("swiftbar.type") == "streamable") == (name == "swiftbar-stream")
    assert (known.get("swiftbar.useTrailingStreamSeparator") == "true") == (name == "swiftbar-stream")


@pytest.fixture
def plugins(tmp_path):
    """The plugin files as installed, calling a front with its Python beside it."""
    front = tmp_path / "bin" / "aitop"
    front.parent.mkdir()
    shutil.copy(FRONT, front)
    front.chmod(0o755)
    beside = front.with_name("aitop-py")
    beside.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aitop "$@"\n')
    beside.chmod(0o755)
    found = {}
    for name in ("swiftbar", "swiftbar-stream", "argos"):
        path = tmp_path / os.path.basename(snippets.FILES[name][0])
        path.write_text(snippets.snippet(name, "bash", str(front)))
        path.chmod(0o755)
        found[name] = str(path)
    return found


@pytest.mark.parametrize("name", ["swiftbar", "argos"])
def test_the_polling_plugin_prints_one_menu_and_ends(plugins, home, name):
    publish(home, states.subscription())
    found = subprocess.run(
        [plugins[name]], env={"AITOP_HOME": home, "PATH": os.environ["PATH"]}, capture_output=True
    )
    assert (found.returncode, found.stderr) == (0, b"")
    menu(found.stdout.decode())


def test_the_streaming_plugin_commits_each_menu_whole(plugins, home):
    publish(home, states.api())
    environment = {"AITOP_HOME": home, "PATH": os.environ["PATH"], "PYTHONPATH": ROOT}
    call = [plugins["swiftbar-stream"]]
    with subprocess.Popen(call, env=environment, stdout=subprocess.PIPE, text=True) as stream:
        shown = []
        for state in (states.api(), states.zero()):
            publish(home, state)
            lines = iter(stream.stdout.readline, "~~~\n")
            shown.append("".join(lines))
        stream.terminate()
    for text in shown:
        menu(text)
    assert shown[0].startswith("$4.21")
    assert shown[1].startswith("$0.00")
