"""The home a command would work in: root in another's, a relative one, an empty HOME. The words say what to do."""

import os
import pathlib
import subprocess

import pytest
from golden.home import FRONT, environment
from support import in_process

from aitop.cli import COMMANDS
from aitop.system import home_check

USER = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="root alone can make another's home")
WORDS = {
    "top": ["--once", "--plain"], "config": [], "install": ["--write"], "uninstall": [], "gateway": [], "energy": [],
    "tag": ["x", "y"], "service": ["install"], "init": ["bash", "--write"], "prices": ["update"], "report": ["daily"],
}  # fmt: skip


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".bashrc").write_text("")
    for path in [tmp_path, *tmp_path.rglob("*")]:
        os.chown(path, USER, USER)
    return tmp_path


def run(home, *words):
    return in_process.run(str(home), *words, AITOP_HOME=f"{home}/.aitop")


def owned_by_root(home):
    return [str(path) for path in pathlib.Path(home).rglob("*") if path.lstat().st_uid == 0]


@root_only
@pytest.mark.parametrize("ready", [False, True], ids=["before the install", "after it"])
@pytest.mark.parametrize("command", sorted(set(COMMANDS) - home_check.HARMLESS))
def test_root_leaves_nothing_in_the_home_of_another(home, command, ready):
    if ready:
        (home / ".aitop").mkdir(mode=0o700)
        os.chown(home / ".aitop", USER, USER)
    found = run(home, command, *WORDS.get(command, []))
    assert found.returncode == 1
    assert f"Run it as {home_check._name(USER)}, without sudo: aitop {command}" in found.stderr.decode()
    assert owned_by_root(home) == []


@root_only
@pytest.mark.parametrize("word", ["tmux", "prompt", "waybar", "swiftbar", "hook", "statusline"])
def test_a_display_of_root_leaves_nothing_either(home, word):
    (home / ".aitop" / "segments").mkdir(parents=True)
    for path in (home / ".aitop", home / ".aitop" / "segments"):
        os.chown(path, USER, USER)
    subprocess.run([FRONT, word], env=environment(str(home), AITOP_HOME=f"{home}/.aitop"), input=b"{}",
                   capture_output=True, timeout=30)  # fmt: skip
    assert owned_by_root(home) == []


@root_only
@pytest.mark.parametrize(
    "words", [["--help"], ["version"], ["report", "--help"], ["completions", "bash"], ["install", "-h"]]
)
def test_what_writes_no_file_is_answered_to_root(home, words):
    assert run(home, *words).returncode == 0


@root_only
def test_root_is_free_in_its_own_home(tmp_path):
    assert run(tmp_path, "config", "--path").returncode == 0


@pytest.mark.parametrize("command", ["report", "start", "install", "listen", "top", "doctor"])
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AITOP_HOME": "~/x"}, "Set it to an absolute path, such as "), ({"AITOP_HOME": "x"}, "such as /"),
        ({"AITOP_HOME": "", "HOME": ""}, "HOME is empty: set it"),
        ({"AITOP_HOME": "", "HOME": "x"}, "HOME is x: set it"),
    ],
)  # fmt: skip
def test_an_unclear_home_is_an_error_with_the_remedy_and_nothing_is_made(tmp_path, command, variables, said):
    here = tmp_path / "here"
    here.mkdir()
    found = in_process.run(str(here), command, **variables)
    assert found.returncode == 1
    assert said in found.stderr.decode()
    assert "Traceback" not in found.stderr.decode()
    assert list(here.iterdir()) == []


def test_nobody_else_is_asked(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("AITOP_HOME", "/")
    assert home_check.refusal(["install", "--write"]) is None


def test_a_home_that_is_not_there_belongs_to_whoever_has_the_folder_above(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(home_check, "_owner", {str(tmp_path): 0}.get)
    monkeypatch.setenv("AITOP_HOME", str(tmp_path))
    assert home_check.refusal(["report"]) is None
