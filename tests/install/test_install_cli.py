"""`aitop install` and `uninstall` on real files: every fault leaves the user's settings whole."""

import json
import os
import shutil
import stat
import subprocess

import pytest
from click.testing import CliRunner

from aitop import paths
from aitop.install import apply, cli, connect, files, forwarder, record, roots, settings, uninstall
from aitop.listener import lifecycle

MINE = (
    b'{\n\t"model": "opus",\n\t"hooks": {"Stop": [{"hooks": [{"type":"command","command":"say done"}]}]},\n'
    b'\t"statusLine": {"type":"command","command":"echo \\"it\'s $0\\"","padding":0}\n}'
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A user's home of its own; forwarders count as proved, which a test of its own does for real."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(forwarder, "choose", lambda: [forwarder.Proof("python", 1.0)])
    for name in ("AITOP_HOME", "AITOP_CONFIG", "CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def mine(home):
    """The user's settings before aitop."""
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_bytes(MINE)
    path.chmod(0o640)
    return path


def aitop(command, *arguments, code=0, **more):
    done = CliRunner().invoke(command, arguments, **more)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def install(*arguments, code=0):
    return aitop(cli.install, *arguments, code=code)


def test_without_write_it_shows_a_diff_and_changes_nothing(home, mine):
    said = install()
    assert f"+++ {mine}" in said
    assert f'+\t\t\t\t\t\t"command": "{home}/.aitop/hook",' in said
    assert "-\t" not in said.replace('-\t"hooks": {"Stop": [{"hooks"', "")
    assert mine.read_bytes() == MINE
    assert not (home / ".aitop").exists()


def test_write_connects_and_uninstall_restores_byte_for_byte(home, mine):
    install("--write", "--statusline")
    data = json.loads(mine.read_bytes())
    assert settings.events_of_ours(data, [f"{home}/.aitop/hook"]) == set(settings.EVENTS)
    assert data["statusLine"]["command"].startswith(f"{home}/.aitop/statusline -- ")
    assert stat.S_IMODE(mine.stat().st_mode) == 0o640
    assert "byte for byte" in install("--uninstall")
    assert mine.read_bytes() == MINE
    assert stat.S_IMODE(mine.stat().st_mode) == 0o640
    assert record.load().settings == {}


def test_the_commands_that_settings_name_exist_and_run(home, mine):
    install("--write", "--statusline")
    data = json.loads(mine.read_bytes())
    command = data["hooks"]["Stop"][1]["hooks"][0]
    done = subprocess.run(
        [command["command"], *command["args"]], input=b"{}", capture_output=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    line = subprocess.run(
        ["/bin/sh", "-c", data["statusLine"]["command"]],
        input=b"{}",
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert (line.returncode, line.stdout) == (0, b"it's sh\n")


def test_installing_twice_is_installing_once(mine):
    install("--write", "--statusline")
    first = mine.read_bytes()
    assert "connected already" in install("--write")
    assert mine.read_bytes() == first
    assert "nothing to change" in install()
    install("--uninstall")
    assert mine.read_bytes() == MINE


def test_a_status_line_added_later_still_comes_back_exactly(mine):
    install("--write")
    install("--write", "--statusline")
    install("--uninstall")
    assert mine.read_bytes() == MINE


def test_settings_we_created_are_removed_again(home):
    install("--write")
    assert (home / ".claude" / "settings.json").exists()
    assert "aitop had created it" in install("--uninstall")
    assert not (home / ".claude").exists()


def test_after_the_client_rewrote_the_file_only_our_entries_go(home, mine):
    install("--write", "--statusline")
    data = json.loads(mine.read_bytes())
    mine.write_text(json.dumps({**data, "theme": "dark"}, indent=2))
    assert "only our entries were removed" in install("--uninstall")
    assert json.loads(mine.read_bytes()) == {**json.loads(MINE), "theme": "dark"}
    assert any((home / ".aitop" / "backups").iterdir())


def test_settings_created_by_us_and_changed_since_are_kept(home):
    install("--write")
    path = home / ".claude" / "settings.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "theme": "dark"}))
    install("--uninstall")
    assert json.loads(path.read_bytes()) == {"theme": "dark"}


def test_a_change_between_two_installs_is_not_undone_with_ours(mine):
    install("--write")
    mine.write_bytes(mine.read_bytes().replace(b'"opus"', b'"sonnet"'))
    install("--write", "--statusline")
    install("--uninstall")
    assert json.loads(mine.read_bytes()) == {**json.loads(MINE), "model": "sonnet"}


def test_uninstalling_what_was_never_installed_says_so(mine):
    assert "no entries of ours" in install("--uninstall")
    assert mine.read_bytes() == MINE


def test_a_lost_record_still_finds_our_entries(home, mine):
    install("--write", "--statusline")
    (home / ".aitop" / "installed.json").write_text("{broken")
    install("--uninstall")
    assert json.loads(mine.read_bytes()) == json.loads(MINE)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b'{\n  "a": 1\n  "b": 2\n}', "line 3"),
        (b'{\n // note\n "a": 1}', "line 2"),
        (b"\xff\xfe", "UTF-8"),
        (b"[]", "object"),
    ],
)
def test_settings_that_cannot_be_parsed_are_refused(home, mine, text, line):
    mine.write_bytes(text)
    for arguments in ((), ("--write",)):
        said = install(*arguments, code=1)
        assert str(mine) in said
        assert line in said
    assert mine.read_bytes() == text
    assert not (home / ".aitop" / "hook").exists()


def test_one_bad_file_among_several_changes_none(home, mine):
    other = home / "other"
    other.mkdir()
    (other / "settings.json").write_bytes(b"{")
    install("--write", "--config-dir", str(mine.parent), "--config-dir", str(other), code=1)
    assert mine.read_bytes() == MINE


def test_a_read_only_file_is_somebodys_will(mine):
    mine.chmod(0o444)
    assert "read-only" in install("--write", code=1)
    assert mine.read_bytes() == MINE
    assert stat.S_IMODE(mine.stat().st_mode) == 0o444
    assert record.load().settings == {}


def test_a_linked_file_is_changed_where_it_really_is(home, mine):
    real = home / "dotfiles" / "claude.json"
    real.parent.mkdir()
    shutil.move(mine, real)
    mine.symlink_to("../dotfiles/claude.json")
    install("--write")
    assert mine.is_symlink()
    assert real.read_bytes() != MINE
    assert [path.name for path in real.parent.iterdir()] == ["claude.json"]
    install("--uninstall")
    assert mine.is_symlink()
    assert real.read_bytes() == MINE


def test_a_byte_order_mark_and_line_ends_stay(mine):
    original = b"\xef\xbb\xbf" + MINE.replace(b"\n", b"\r\n")
    mine.write_bytes(original)
    install("--write")
    now = mine.read_bytes()
    assert now.startswith(b"\xef\xbb\xbf{\r\n\t")
    assert now.count(b"\n") == now.count(b"\r\n")
    mine.write_bytes(now + b"\r\n")
    install("--uninstall")
    assert json.loads(mine.read_bytes().decode("utf-8-sig")) == json.loads(MINE)
    assert mine.read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_file_changed_after_it_was_read_is_not_overwritten(home, mine):
    files.ensure_home()
    step = apply.plan(str(mine.parent), connect.entries(statusline=False))
    changed = MINE.replace(b"opus", b"sonnet")
    mine.write_bytes(changed)
    with pytest.raises(files.Refused, match="changed it meanwhile"):
        apply.write(step, record.load())
    assert mine.read_bytes() == changed
    assert record.load().settings == {}
    assert [path.name for path in mine.parent.iterdir()] == ["settings.json"]


def test_a_file_that_appeared_after_it_was_missing_is_not_overwritten(home):
    files.ensure_home()
    step = apply.plan(str(home / ".claude"), connect.entries(statusline=False))
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_bytes(MINE)
    with pytest.raises(files.Refused):
        apply.write(step, record.load())
    assert (home / ".claude" / "settings.json").read_bytes() == MINE


def test_a_full_disk_leaves_the_file_whole(mine, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(files.Refused, match="No space left"):
        files.replace(str(mine), MINE, b"{}")
    assert mine.read_bytes() == MINE
    assert [path.name for path in mine.parent.iterdir()] == ["settings.json"]


def test_a_second_installer_waits_its_turn(home):
    with files.lock():
        held = files.FileLock(str(home / ".aitop" / "install.lock"))
        with pytest.raises(files.Timeout):
            held.acquire(timeout=0)


class TestRoots:
    def test_the_usual_folders_need_no_configuration(self, home, mine):
        (home / ".config" / "claude").mkdir(parents=True)
        install("--write")
        assert (home / ".config" / "claude" / "settings.json").exists()
        assert not (home / ".config" / "aitop").exists()

    def test_the_environments_folders_are_served_and_recorded(self, home, monkeypatch):
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{home}/a, {home}/b,")
        install("--write")
        for name in "ab":
            assert (home / name / "settings.json").exists()
        assert not (home / ".claude").exists()
        text = (home / ".config" / "aitop" / "config.toml").read_text()
        assert text == f'[claude]\nconfig_dirs = ["{home}/a", "{home}/b"]\n'
        monkeypatch.delenv("CLAUDE_CONFIG_DIR")
        assert roots.chosen(()) == [f"{home}/a", f"{home}/b"]
        install("--uninstall")
        assert not (home / "a").exists()
        assert not (home / ".config" / "aitop" / "config.toml").exists()

    def test_a_users_configuration_keeps_every_other_byte(self, home):
        config = home / ".config" / "aitop" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(
            '# mine\nbilling = "api"  # yes\n\n[claude] # here\n# roots\n\n[alerts]\nburn_warning = 3\n'
        )
        before = config.read_text()
        install("--write", "--config-dir", str(home / "x"))
        assert config.read_text() == before.replace("# here\n", f'# here\nconfig_dirs = ["{home}/x"]\n')
        install("--uninstall", "--config-dir", str(home / "x"))
        assert config.read_text() == before

    def test_a_key_the_user_changed_since_is_left(self, home):
        install("--write", "--config-dir", str(home / "x"))
        config = home / ".config" / "aitop" / "config.toml"
        config.write_text('[claude]\nconfig_dirs = ["/mine"]\n')
        assert "left as it is" in install("--uninstall", "--config-dir", str(home / "x"))
        assert config.read_text() == '[claude]\nconfig_dirs = ["/mine"]\n'


class TestUninstall:
    def test_everything_goes_but_the_history(self, home, mine):
        install("--write", "--statusline")
        (home / ".aitop" / "history.db").write_bytes(b"")
        said = aitop(uninstall.uninstall)
        for name in ("hook", "statusline", "installed.json"):
            assert not (home / ".aitop" / name).exists()
        assert f"{home}/.aitop/hook: removed" in said
        assert "--purge" in said
        assert (home / ".aitop" / "history.db").exists()
        assert mine.read_bytes() == MINE

    def test_purge_lists_and_asks_first(self, home, mine):
        install("--write", "--config-dir", str(home / "x"))
        said = aitop(uninstall.uninstall, "--purge", input="n\n")
        assert f"  {home}/.aitop" in said
        assert (home / ".aitop").exists()

    def test_purge_leaves_nothing(self, home, mine, monkeypatch):
        runtime = home / "run"
        runtime.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        install("--write")
        os.makedirs(paths.runtime_folder())
        (home / ".config" / "aitop").mkdir(parents=True)
        (home / ".config" / "aitop" / "config.toml").write_text("")
        aitop(uninstall.uninstall, "--purge", "--yes")
        assert not (home / ".aitop").exists()
        assert not (home / ".config" / "aitop").exists()
        assert list(runtime.iterdir()) == []
        assert mine.read_bytes() == MINE

    def test_a_running_listener_is_stopped(self, mine, monkeypatch):
        stopped = []
        monkeypatch.setattr(lifecycle, "running", lambda: {"pid": 1})
        monkeypatch.setattr(lifecycle, "stop", lambda timeout: stopped.append(timeout) or True)
        assert "listener: stopped" in aitop(uninstall.uninstall)
        assert stopped


class TestScripts:
    def test_starting_the_listener_can_be_switched_off(self, home, mine):
        install("--write")
        assert "--from-hook" in (home / ".aitop" / "hook").read_text()
        config = home / ".config" / "aitop" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("[listener]\nautostart = false\n")
        install("--write")
        assert "--from-hook" not in (home / ".aitop" / "hook").read_text()

    def test_hooks_of_running_sessions_find_their_script_after_uninstall(self, home, mine):
        install("--write")
        install("--uninstall")
        assert os.access(home / ".aitop" / "hook", os.X_OK)


class TestWhatOthersFilesKeep:
    def test_a_comment_of_the_configuration_survives_install_and_uninstall(self, home):
        (home / "a").mkdir()
        config = home / ".config" / "aitop" / "config.toml"
        config.parent.mkdir(parents=True)
        before = f'[claude] # two machines\nconfig_dirs = [\n  "{home}/a",   # work\n]  # keep in step\n'
        config.write_text(before)
        install("--write", "--config-dir", str(home / "b"))
        assert config.read_text() == before.replace("# work\n", f'# work\n  "{home}/b",\n')
        install("--uninstall", "--config-dir", str(home / "b"))
        assert config.read_text() == before

    @pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
    def test_settings_with_a_constant_that_the_client_refuses_are_refused_and_named(self, mine, constant):
        text = f'{{\n  "model": "opus",\n  "cleanupPeriodDays": {constant}\n}}\n'
        mine.write_text(text)
        said = install("--write", code=1)
        assert f"line 3: {constant} is not JSON" in said
        assert mine.read_text() == text

    def test_a_file_with_two_names_keeps_both(self, home, mine):
        other = home / "dotfiles.json"
        os.link(mine, other)
        install("--write")
        assert "SessionStart" in other.read_text()
        install("--uninstall")
        assert other.read_bytes() == MINE
        assert mine.stat().st_ino == other.stat().st_ino

    def test_a_file_with_two_names_keeps_its_bytes_when_the_disk_is_full(self, home, monkeypatch):
        path, other = home / "a", home / "b"
        path.write_bytes(b"old")
        os.link(path, other)
        real, calls = os.pwrite, []

        def full(descriptor, data, at):
            calls.append(at)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")
            return real(descriptor, data[:2], at)

        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(files.Refused, match="No space left"):
            files.replace(str(path), b"old", b"newer")
        assert other.read_bytes() == b"old"

    @pytest.mark.skipif(not hasattr(os, "setxattr"), reason="extended attributes by Python on Linux alone")
    def test_extended_attributes_and_mode_stay(self, home, mine):
        try:
            os.setxattr(mine, "user.note", b"mine")
        except OSError:
            pytest.skip("this file system has none")
        install("--write")
        assert os.getxattr(mine, "user.note") == b"mine"
        assert stat.S_IMODE(mine.stat().st_mode) == 0o640

    def test_nothing_is_written_when_one_of_several_files_cannot_be(self, home, mine, monkeypatch):
        config = home / ".config" / "aitop" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("billing = 'api'\n")
        real = files.replace

        def refuses(path, expected, new, **more):
            if path == str(config) and b"config_dirs" in new:
                raise files.Refused("no")
            real(path, expected, new, **more)

        monkeypatch.setattr(files, "replace", refuses)
        install("--write", "--config-dir", str(mine.parent), "--config-dir", str(home / "x"), code=1)
        assert mine.read_bytes() == MINE
        assert not (home / "x" / "settings.json").exists()
        assert not (home / ".aitop" / "hook").exists()
        assert record.load() == record.Installed()

    def test_a_configuration_that_is_no_toml_stops_install_before_it_writes(self, home, mine):
        config = home / ".config" / "aitop" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("a = [\n")
        assert "cannot be parsed" in install("--write", "--config-dir", str(home / "x"), code=1)
        assert not (home / "x").exists()
        assert not (home / ".aitop" / "hook").exists()


def test_our_own_status_line_is_drawn_each_second_and_a_wrapped_one_as_the_user_has_it():
    alone = settings.merge({}, settings.Entries("/h", "/s"))["statusLine"]
    assert alone["refreshInterval"] == 1
    wrapped = settings.merge(
        {"statusLine": {"type": "command", "command": "x"}}, settings.Entries("/h", "/s")
    )
    assert "refreshInterval" not in wrapped["statusLine"]
