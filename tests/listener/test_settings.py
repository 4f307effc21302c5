"""The settings in force, and the folders that hooks name."""

import json
import os

import pytest

from aitop.config import Config
from aitop.listener import lifecycle
from aitop.listener.reload import Settings
from aitop.log import Log


def settings(home):
    return Settings(home, Config(), Log(os.path.join(home, "aitop.log"), debug=False, echo=False))


def test_a_folder_that_a_hook_names_is_read_now_and_after_a_restart(home, tmp_path):
    (tmp_path / "cc").mkdir()
    one = settings(home)
    assert one.add_config_dir("claude-code", str(tmp_path / "cc"))
    assert not one.add_config_dir("claude-code", str(tmp_path / "cc"))  # known
    folder = str(tmp_path / "cc" / "projects")
    assert folder in one.roots()["claude-code"]
    assert folder in settings(home).roots()["claude-code"]


def test_a_folder_that_a_hook_names_is_followed_only_where_it_is_this_user_s(home, tmp_path, monkeypatch):
    (tmp_path / "cc").mkdir()
    one = settings(home)
    for folder in ("relative", "", str(tmp_path / "none"), "\0", str(tmp_path / "cc") + "\0"):
        assert not one.add_config_dir("claude-code", folder)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert not one.add_config_dir("claude-code", str(tmp_path / "cc"))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"claude-code": 3}', '{"claude-code": [1, "relative"]}'])
def test_a_damaged_list_of_folders_is_passed_by(home, text):
    with open(os.path.join(home, "config_dirs.json"), "w") as file:
        file.write(text)
    assert settings(home).roots()["claude-code"]


def test_a_bounded_number_of_folders_is_remembered(home, tmp_path):
    one = settings(home)
    for number in range(40):
        (tmp_path / str(number)).mkdir()
        one.add_config_dir("claude-code", str(tmp_path / str(number)))
    with open(os.path.join(home, "config_dirs.json")) as file:
        assert len(json.load(file)["claude-code"]) == 20


def test_a_relative_home_is_refused_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("AITOP_HOME", "here")
    with pytest.raises(lifecycle.LifeError, match="set it to an absolute path"):
        lifecycle.prepare_home(str(tmp_path / "here"))


def test_a_home_with_a_tilde_and_an_empty_home_are_the_user_s_own(monkeypatch):
    import pwd

    from aitop import paths

    monkeypatch.setenv("HOME", "/h/u")
    monkeypatch.setenv("AITOP_HOME", "~/x")
    assert paths.home() == "/h/u/x"
    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("AITOP_HOME")
    assert paths.home() == os.path.join(pwd.getpwuid(os.getuid()).pw_dir, ".aitop")
