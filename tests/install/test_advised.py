"""One setting in a client's file: written, remembered, taken out byte for byte, and left alone once it is another's."""

import json
import os

import pytest

from aitop import paths
from aitop.install import advised, checks_client, connect, files, record

NAME = "CLAUDE_CODE_SUBAGENT_MODEL"
ENV, PIN = ("env", NAME), ("model",)
NOW = 1_790_000_000.0
ODD = '{\r\n\t"model" : "opus", \r\n\t"env": {"A":"1"},\r\n\t"x": 1.0e3\r\n}'  # spacing that no writer would choose


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "user" / ".claude"
    folder.mkdir(parents=True)
    return str(folder / "settings.json")


def put(path, text):
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write(text)


def bytes_in(path):
    with open(path, "rb") as file:
        return file.read()


def apply(path, keys=ENV, value="sonnet", rule="subagent-model", now=NOW):
    change = advised.plan(rule, path, keys, value)
    advised.write(change, now)
    return advised.load().applied[-1]


@pytest.mark.parametrize(
    "text",
    ["{}", '{"env": {}}', ODD, '{"model": "opus"}\n', f'{{"env": {{"{NAME}": "opus"}}}}', "", "\ufeff{}\n"],
)
def test_what_was_written_comes_back_byte_for_byte(path, text):
    put(path, text)
    entry = apply(path)
    assert json.loads(bytes_in(path).decode("utf-8-sig"))["env"][NAME] == "sonnet"
    assert "byte for byte" in advised.undo(entry, NOW + 1)
    assert bytes_in(path).decode() == text
    assert advised.load().in_force() == []
    assert os.listdir(paths.in_home(paths.BACKUPS)) == []


def test_a_file_that_was_made_for_the_setting_is_removed(path):
    entry = apply(path)
    advised.undo(entry, NOW + 1)
    assert not os.path.exists(path)


@pytest.mark.parametrize("first", [0, 1])
def test_two_settings_of_a_file_go_in_any_order_and_leave_the_original(path, first):
    put(path, ODD)
    entries = [apply(path), apply(path, PIN, "claude-opus-5-5", "older-model", NOW + 1)]
    advised.undo(entries[first], NOW + 2)
    left = json.loads(bytes_in(path))
    assert (left["model"], left["env"].get(NAME)) == (("claude-opus-5-5", None), ("opus", "sonnet"))[first]
    advised.undo(entries[1 - first], NOW + 3)
    assert bytes_in(path).decode() == ODD


def test_what_others_changed_since_stays_and_the_setting_goes(path):
    put(path, '{"model": "opus"}')
    entry = apply(path)
    put(path, json.dumps({**json.loads(bytes_in(path)), "theme": "dark"}, indent=1))
    assert "all else stays" in advised.undo(entry, NOW + 1)
    assert json.loads(bytes_in(path)) == {"model": "opus", "theme": "dark"}


def test_the_value_before_comes_back_in_a_file_that_others_changed(path):
    put(path, json.dumps({"env": {NAME: "opus"}}))
    entry = apply(path)
    put(path, json.dumps({**json.loads(bytes_in(path)), "theme": "dark"}))
    advised.undo(entry, NOW + 1)
    assert json.loads(bytes_in(path)) == {"env": {NAME: "opus"}, "theme": "dark"}


@pytest.mark.parametrize("now_there", [{"env": {NAME: "haiku"}}, {"env": {}}, {}])
def test_a_setting_that_others_changed_is_left_and_forgotten(path, now_there):
    put(path, "{}")
    entry = apply(path)
    put(path, json.dumps(now_there))
    with pytest.raises(files.Refused, match="stays as it is"):
        advised.undo(entry, NOW + 1)
    assert json.loads(bytes_in(path)) == now_there
    assert advised.load().in_force() == []


def test_a_write_between_the_look_and_ours_is_not_lost(path):
    put(path, "{}")
    change = advised.plan("subagent-model", path, ENV, "sonnet")
    put(path, '{"theme": "dark"}')
    with pytest.raises(files.Refused, match="changed it meanwhile"):
        advised.write(change, NOW)
    assert bytes_in(path) == b'{"theme": "dark"}'
    assert advised.load().applied == []
    assert os.listdir(paths.in_home(paths.BACKUPS)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n// mine\n"model": "opus"}', "line 2"),
        ('{"x": NaN}', "NaN is not JSON"),
        ("[1]", "must be an object"),
        ('{"env": "A=1"}', '"env" must be an object'),
        ('{"model": ', "cannot be parsed"),
    ],
)
def test_a_file_that_the_client_itself_would_not_read_is_refused(path, text, said):
    put(path, text)
    with pytest.raises(files.Refused, match=said):
        advised.plan("subagent-model", path, ENV, "sonnet")
    assert bytes_in(path).decode() == text


def test_a_read_only_file_is_refused(path):
    put(path, "{}")
    os.chmod(path, 0o400)
    with pytest.raises(files.Refused, match="read-only"):
        apply(path)
    assert advised.load().applied == []


def test_a_link_stays_a_link_and_the_mode_of_its_file_stays(path, tmp_path):
    real = str(tmp_path / "dotfiles.json")
    put(real, "{}")
    os.chmod(real, 0o640)
    os.symlink(real, path)
    entry = apply(path)
    assert os.path.islink(path)
    assert os.stat(real).st_mode & 0o777 == 0o640
    assert NAME in bytes_in(real).decode()
    advised.undo(entry, NOW + 1)
    assert bytes_in(real) == b"{}"


def test_a_link_to_a_file_that_is_made_for_it_stays(path, tmp_path):
    os.symlink(str(tmp_path / "later.json"), path)
    entry = apply(path)
    advised.undo(entry, NOW + 1)
    assert os.path.islink(path)
    assert not os.path.exists(path)


def test_what_an_organisation_sets_is_not_offered(path, tmp_path, monkeypatch):
    folder = tmp_path / "etc"
    (folder / "managed-settings.d").mkdir(parents=True)
    (folder / "managed-settings.d" / "10.json").write_text(json.dumps({"env": {NAME: "opus"}}))
    monkeypatch.setattr(checks_client, "MANAGED_FOLDERS", (str(folder),))
    with pytest.raises(files.Refused, match="10.json"):
        advised.plan("subagent-model", path, ENV, "sonnet")
    assert advised.plan("older-model", path, PIN, "claude-opus-5-5").diff


def test_a_setting_that_contradicts_another_is_refused(path):
    put(path, json.dumps({"env": {"FORCE_PROMPT_CACHING_5M": "1"}}))
    with pytest.raises(files.Refused, match="FORCE_PROMPT_CACHING_5M"):
        advised.plan("short-cache", path, ("env", "ENABLE_PROMPT_CACHING_1H"), "1", "FORCE_PROMPT_CACHING_5M")


def test_the_record_is_its_owner_s_alone_and_a_damaged_one_is_named(path):
    apply(path)
    kept = paths.in_home(advised.RECORD)
    assert os.stat(kept).st_mode & 0o777 == 0o600
    put(kept, '{"files": 1}')
    with pytest.raises(files.Refused, match="cannot be understood"):
        advised.load()


@pytest.mark.parametrize(
    ("key", "bad"),
    [("at", "z"), ("at", 1e300), ("at", True), ("had", 1), ("keys", [1]), ("keys", "ab"), ("value", 3),
     ("path", None), ("rule", []), ("undone_at", "z"), ("withdrawn", None)],
)  # fmt: skip
def test_a_value_of_the_wrong_type_in_the_record_is_named(path, key, bad):
    apply(path)
    kept = paths.in_home(advised.RECORD)
    data = json.loads(bytes_in(kept))
    data["applied"][0][key] = bad
    put(kept, json.dumps(data))
    with pytest.raises(files.Refused, match=f"cannot be understood .entry 1: {key} is"):
        advised.load()


def test_hooks_installed_before_and_taken_out_after_leave_the_original(path):
    put(path, ODD)
    root = os.path.dirname(path)
    with files.lock():
        connect.write(connect.plan([root], record.load(), statusline=False), record.load())
        entry = apply(path)
        assert "byte for byte" in advised.undo(entry, NOW + 1)
        connect.undo((root,))
    assert bytes_in(path).decode() == ODD


def test_undoing_all_takes_out_what_can_be_taken_out(path):
    put(path, ODD)
    apply(path)
    apply(path, PIN, "claude-opus-5-5", "older-model", NOW + 1)
    lines = advised.undo_all(NOW + 2)
    assert lines == [f"{path}: restored byte for byte"]
    assert bytes_in(path).decode() == ODD
    assert advised.undo_all(NOW + 3) == []
