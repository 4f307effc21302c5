"""Claude Code's own word on which session a process works on."""

import json

import pytest

from aitop.providers.claude_code import session_registry

BEGAN = 1_790_000_000.0


@pytest.fixture
def config(tmp_path):
    (tmp_path / "sessions").mkdir()
    return tmp_path


def write(config, pid=77, **changes):
    record = {"pid": pid, "sessionId": "s-1", "startedAt": int(BEGAN * 1000), "status": "idle"} | changes
    (config / "sessions" / "77.json").write_text(json.dumps(record))


def session(config, began=BEGAN):
    return session_registry.session_of(77, began, {"CLAUDE_CONFIG_DIR": str(config)})


def test_the_session_is_the_one_that_the_process_names(config):
    write(config)
    assert session(config) == "s-1"


def test_without_a_configuration_folder_it_is_below_the_home(tmp_path):
    (tmp_path / ".claude" / "sessions").mkdir(parents=True)
    write(tmp_path / ".claude")
    assert session_registry.session_of(77, BEGAN, {"HOME": str(tmp_path)}) == "s-1"


def test_a_file_of_an_earlier_process_of_that_number_says_nothing(config):
    write(config)
    assert session(config, began=BEGAN + 60) is None


@pytest.mark.parametrize("changes", [{"pid": 78}, {"sessionId": None}, {"sessionId": 3}, {"startedAt": "x"}])
def test_a_file_that_does_not_fit_says_nothing(config, changes):
    write(config, **changes)
    assert session(config) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_damaged_file_says_nothing(config, content):
    (config / "sessions" / "77.json").write_text(content)
    assert session(config) is None


def test_no_file_says_nothing(config):
    assert session(config) is None
