"""Odd surroundings: homes that are none, a terminal without Unicode, folders in folders, commands run anywhere.

Each command works, or says in a plain sentence what to do; it never breaks off and never leaves files where it
happens to be called.
"""

import os
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant, transcript, user

from aitop.ingest.walk import MAX_DEPTH

from .ground import name

pytestmark = pytest.mark.timeout(180)
COMMANDS = [
    ["report", "daily"], ["report", "sessions"], ["report", "projects"], ["status"], ["doctor"], ["config"],
    ["history"], ["top", "--once"], ["advice"], ["forecast"], ["start"], ["stop"],
]  # fmt: skip
DISPLAYS = [["tmux"], ["prompt", "--shell", "zsh"], ["waybar"], ["hook", "Stop"], ["statusline"]]
HOMES = {
    "an empty HOME": {"HOME": ""},
    "a relative HOME": {"HOME": "here"},
    "a relative AITOP_HOME": {"AITOP_HOME": "here"},
    "a home in one that a shell would have filled in": {"AITOP_HOME": "~/here"},
}


def run(words, folder, **more):
    """A whole command, called in a folder: (its exit code, what it printed, its errors)."""
    kept = {name: value for name, value in os.environ.items() if name not in ("AITOP_HOME", "PYTHONUTF8")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "aitop", *words], env=kept | {"PYTHONPATH": ROOT} | more, cwd=folder,
        input=b"{}", capture_output=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


@pytest.mark.parametrize("home", HOMES)
def test_a_home_that_is_none_is_told_with_its_remedy_and_nothing_is_left_in_the_folder_of_the_call(
    home, tally, tmp_path
):
    folder = tmp_path / "called here"
    folder.mkdir()
    for words in COMMANDS:
        with tally.fault():
            code, _, errors = run(words, folder, **HOMES[home])
            assert (code, len(errors.splitlines())) == (1, 1), (words, errors)
            assert "to an absolute path" in errors or "an absolute path" in errors
    for words in DISPLAYS:
        with tally.fault():
            code, printed, errors = run(words, folder, **HOMES[home])
            assert (code, errors) == (0, ""), words
            assert words[0] in ("waybar", "statusline") or printed == b""
    assert os.listdir(folder) == []


@pytest.mark.parametrize("encoding", ["iso-8859-1", "ascii"])
def test_every_command_prints_names_that_the_terminal_cannot_show(
    encoding, listener, claude, tally, tmp_path
):
    place = {"session": name(0), "cwd": "/work/日本語-☃-naïve", "gitBranch": "☃/fix"}
    records = [
        user(at=time.time() - 60, **place),
        assistant("a", time.time() - 50, request_id="ra", **place),
    ]
    transcript(claude, records, session=name(0), slug="-work-snow")
    listener.start().wait_for(lambda s: s["today"]["requests"] == 1)
    plain = {"PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0",
             "AITOP_HOME": listener.home}  # fmt: skip
    for words in [*COMMANDS[:-2], *DISPLAYS, ["report", "sessions", "--json"], ["report", "daily", "--csv"]]:
        with tally.fault():
            _, printed, errors = run(words, tmp_path, **plain)
            assert "Traceback" not in errors, (words, errors)
            assert "codec can't" not in errors, (words, errors)
            assert b"Traceback" not in printed


def test_folders_as_deep_as_clients_make_them_are_read_and_deeper_ones_are_named(listener, claude, tally):
    root = os.path.join(claude, "projects", "-work")
    deep = os.path.join(root, *[f"level-{n}" for n in range(2, MAX_DEPTH + 1)])
    os.makedirs(os.path.join(deep, "too-deep"))
    path = os.path.join(deep, f"{name(0)}.jsonl")
    append(path, assistant("a", time.time() - 60, request_id="ra", session=name(0)))
    append(os.path.join(deep, "too-deep", f"{name(1)}.jsonl"),
           assistant("b", time.time() - 60, request_id="rb", session=name(1)))  # fmt: skip
    with tally.fault():
        listener.start().wait_for(lambda s: s["scan"]["complete"] and s["today"]["requests"] == 1)
        append(path, assistant("c", time.time(), request_id="rc", session=name(0)))
        state = listener.wait_for(lambda s: s["today"]["requests"] == 2)
        assert state["doctor"]["unread_files"] == [os.path.join(deep, "too-deep")]
        assert listener.end() == 0
