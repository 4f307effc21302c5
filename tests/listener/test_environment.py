"""Which variables reach a listener, and how those of a start by hand reach one that lacks them."""

import json
import os
import stat

import pytest

from aitop import hook
from aitop.listener import environment
from aitop.providers.load import load

CODEX = {"CODEX_HOME": "/cx", "SECRET": "s", "HOME": "/h", "HTTPS_PROXY": "http://p"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AITOP_HOME", str(tmp_path))
    return tmp_path


def test_every_variable_that_a_built_in_provider_names_passes_a_hook_too():
    named = {name for provider in load()[0] if provider.trusted for name in provider.environment}
    assert named >= {"CODEX_HOME", "GEMINI_CLI_HOME", "COPILOT_HOME", "OPENCODE_DB", "CLAUDE_CONFIG_DIR"}
    assert named <= set(hook.KEPT)


@pytest.mark.parametrize("name", sorted({*hook.KEPT, "XDG_DATA_HOME", "AITOP_CONFIG"}))
def test_a_listed_variable_reaches_the_listener(name):
    assert environment.allowed({name: "/x"}) == {name: "/x"}


def test_a_folder_is_that_of_the_command_and_not_of_the_listener(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/h")
    given = {
        "CODEX_HOME": "cx",
        "CLAUDE_CONFIG_DIR": "~/a, b",
        "AITOP_CONFIG": "c.toml",
        "OPENCODE_DB": "x.db",
    }
    assert environment.allowed(given) == {
        "CODEX_HOME": f"{tmp_path}/cx", "CLAUDE_CONFIG_DIR": f"/h/a,{tmp_path}/b", "AITOP_CONFIG": f"{tmp_path}/c.toml",
        "OPENCODE_DB": "x.db",
    }  # fmt: skip
    environment.remember(given, by_hand=True)
    assert environment.remembered()["CODEX_HOME"] == f"{tmp_path}/cx"


@pytest.mark.parametrize(
    "name", ["ANTHROPIC_API_KEY", "PYTHONPATH", "LD_PRELOAD", "SSH_AUTH_SOCK", "CODEX_HOMES"]
)
def test_no_other_variable_does(name):
    assert environment.allowed({name: "x"}) == {}


def test_what_a_start_by_hand_had_is_remembered_privately(home):
    assert environment.remember(CODEX, by_hand=True) == ["CODEX_HOME", "HTTPS_PROXY"]
    assert environment.remembered() == {"CODEX_HOME": "/cx", "HTTPS_PROXY": "http://p"}
    assert stat.S_IMODE(os.stat(home / environment.FILE).st_mode) == 0o600
    assert environment.remember(CODEX, by_hand=True) == []


def test_a_hook_adds_and_takes_nothing_away():
    environment.remember(CODEX, by_hand=True)
    assert environment.remember({"GEMINI_CLI_HOME": "/g"}, by_hand=False) == ["GEMINI_CLI_HOME"]
    assert environment.remembered() == {
        "CODEX_HOME": "/cx",
        "HTTPS_PROXY": "http://p",
        "GEMINI_CLI_HOME": "/g",
    }


def test_a_start_by_hand_without_a_variable_forgets_it(home):
    environment.remember(CODEX, by_hand=True)
    assert environment.remember({}, by_hand=True) == ["CODEX_HOME", "HTTPS_PROXY"]
    assert not (home / environment.FILE).exists()


def test_a_listener_started_without_them_gets_them_and_keeps_its_own():
    environment.remember(CODEX, by_hand=True)
    found = {"HTTPS_PROXY": "http://other"}
    environment.restore(found)
    assert found == {"HTTPS_PROXY": "http://other", "CODEX_HOME": "/cx"}


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "{}", '{"environment": 3}', json.dumps({"environment": {"A": 1}})]
)
def test_a_damaged_file_is_none(home, text):
    (home / environment.FILE).write_text(text)
    assert environment.remembered() == {}
