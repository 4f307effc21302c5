"""What displays read: whole at every moment, dated, private, and in memory where there is such a folder."""

import json
import os
import shutil
import stat
import threading
import time

import orjson
import pytest

from aitop import paths
from aitop.publish.files import Publisher

NOW = 1_790_000_000.0


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return str(folder)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_whoever_reads_at_any_moment_reads_a_whole_state(home):
    publisher = Publisher(home, None)
    publisher.state({"n": 0, "body": ""}, NOW)
    done, seen, broken = threading.Event(), set(), []

    def read():
        while not done.is_set():
            try:
                with open(os.path.join(home, paths.STATE), "rb") as file:
                    state = json.loads(file.read())
                assert len(state["body"]) == state["n"] * 1000
                seen.add(state["n"])
            except (OSError, ValueError, AssertionError) as error:
                broken.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(400):
        publisher.state({"n": n, "body": "x" * (n * 1000)}, NOW + 60 * n)
    done.set()
    thread.join()
    assert broken == []
    assert len(seen) > 1


def test_a_segment_holds_its_date_and_writer_and_its_time_is_its_expiry(home):
    Publisher(home, None).write_segments({"tmux": "$1.00", "swiftbar": "a\nb"}, NOW + 0.5)
    path = os.path.join(home, "segments", "tmux")
    assert open_text(path) == f"{int(NOW)} {os.getpid()} $1.00\n"
    assert open_text(os.path.join(home, "segments", "swiftbar")) == f"{int(NOW)} {os.getpid()} a\nb\n"
    assert os.stat(path).st_mtime == NOW + 10.5


def open_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_an_unchanged_segment_is_written_again_before_its_life_runs_out(home):
    publisher = Publisher(home, None)
    path = os.path.join(home, "segments", "tmux")
    times = []
    for second in range(13):
        publisher.write_segments({"tmux": "same"}, NOW + second)
        times.append(os.stat(path).st_mtime)
    assert min(expiry - (NOW + second) for second, expiry in enumerate(times)) > 5
    assert len(set(times)) == 4


def test_a_changed_segment_is_written_at_once(home):
    publisher = Publisher(home, None)
    publisher.write_segments({"tmux": "a"}, NOW)
    publisher.write_segments({"tmux": "b"}, NOW + 1)
    assert open_text(os.path.join(home, "segments", "tmux")).endswith(" b\n")


def test_after_the_clock_was_set_back_segments_are_written_again(home):
    publisher = Publisher(home, None)
    publisher.write_segments({"tmux": "a"}, NOW)
    publisher.write_segments({"tmux": "a"}, NOW - 500)
    assert os.stat(os.path.join(home, "segments", "tmux")).st_mtime == NOW - 490


def test_a_segment_nobody_wants_any_more_is_gone(home):
    publisher = Publisher(home, None)
    publisher.write_segments({"tmux": "a", "mine": "b"}, NOW)
    publisher.write_segments({"tmux": "a"}, NOW + 1)
    assert os.listdir(os.path.join(home, "segments")) == ["tmux"]
    Publisher(home, None).tidy(set())
    assert os.listdir(os.path.join(home, "segments")) == []


def test_a_clean_end_takes_the_segments_away(home):
    publisher = Publisher(home, None)
    publisher.write_segments({"tmux": "a"}, NOW)
    publisher.withdraw()
    assert os.listdir(os.path.join(home, "segments")) == []


def test_half_characters_in_a_text_do_not_stop_the_others(home):
    Publisher(home, None).write_segments({"tmux": "a\ud83d", "bash": "b"}, NOW)
    assert open_text(os.path.join(home, "segments", "tmux")).endswith(" a?\n")


def test_everything_is_private(home):
    publisher = Publisher(home, None)
    publisher.state({}, NOW)
    publisher.write_segments({"tmux": "a"}, NOW)
    assert mode(os.path.join(home, "state.json")) == mode(os.path.join(home, "segments", "tmux")) == 0o600
    assert mode(os.path.join(home, ".now")) == 0o600
    assert mode(os.path.join(home, "segments")) == 0o700


def test_with_a_runtime_folder_the_home_holds_links(home, runtime):
    publisher = Publisher(home, paths.runtime_folder())
    publisher.state({"n": 1}, NOW + 60 * 1)
    publisher.write_segments({"tmux": "a"}, NOW)
    for name in (paths.STATE, paths.SEGMENTS, paths.NOW):
        link = os.path.join(home, name)
        assert os.path.islink(link)
        assert os.path.realpath(link).startswith(runtime + os.sep)
        assert os.path.exists(link)
    assert orjson.loads(open_text(os.path.join(home, "state.json"))) == {"n": 1}
    assert mode(paths.runtime_folder()) == 0o700


def test_a_home_moves_into_the_runtime_folder_and_back(home, runtime):
    Publisher(home, None).write_segments({"tmux": "old"}, NOW)
    Publisher(home, None).state({"n": 0}, NOW + 60 * 0)
    publisher = Publisher(home, paths.runtime_folder())
    assert os.path.islink(os.path.join(home, "segments"))
    publisher.state({"n": 1}, NOW + 60 * 1)
    back = Publisher(home, None)
    back.state({"n": 2}, NOW + 60 * 2)
    back.write_segments({"tmux": "new"}, NOW)
    for name in (paths.STATE, paths.SEGMENTS, paths.NOW):
        assert not os.path.islink(os.path.join(home, name))
    assert orjson.loads(open_text(os.path.join(home, "state.json"))) == {"n": 2}


def test_two_homes_never_share_a_runtime_folder(home, runtime, monkeypatch, tmp_path):
    one = paths.runtime_folder()
    monkeypatch.setenv("AITOP_HOME", str(tmp_path / "other"))
    assert paths.runtime_folder() != one


def test_a_runtime_folder_that_vanished_is_made_again(home, runtime):
    publisher = Publisher(home, paths.runtime_folder())
    publisher.state({"n": 1}, NOW + 60 * 1)
    shutil.rmtree(paths.runtime_folder())
    with pytest.raises(OSError, match="No such file"):
        publisher.state({"n": 2}, NOW + 60 * 2)
    Publisher(home, paths.runtime_folder()).state({"n": 3}, NOW + 60 * 3)
    assert orjson.loads(open_text(os.path.join(home, "state.json"))) == {"n": 3}


def test_a_failed_write_leaves_the_old_state_and_no_rubbish(home, monkeypatch):
    publisher = Publisher(home, None)
    publisher.state({"n": 1}, NOW + 60 * 1)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            publisher.state({"n": 2}, NOW + 60 * 2)
    assert orjson.loads(open_text(os.path.join(home, "state.json"))) == {"n": 1}
    assert sorted(os.listdir(home)) == [".now", "segments", "state.json"]


def test_a_home_that_lies_in_shared_memory_itself_holds_no_mark(home, monkeypatch):
    monkeypatch.setattr(paths, "SHARED_MEMORY", os.path.dirname(os.path.dirname(home)))
    Publisher(home, None)
    assert sorted(os.listdir(home)) == [".now", "segments"]


def test_a_shell_s_own_test_sees_when_a_segment_has_expired(home):
    publisher = Publisher(home, None)
    now = time.time()
    for written, newer in ((now, True), (now - 20, False)):
        publisher.write_segments({"tmux": str(written)}, written)
        os.utime(os.path.join(home, ".now"))
        segment = os.stat(os.path.join(home, "segments", "tmux")).st_mtime_ns
        assert (segment > os.stat(os.path.join(home, ".now")).st_mtime_ns) is newer


def size_and_time(home):
    found = os.stat(os.path.join(home, "state.json"))
    return found.st_ino, found.st_mtime


def test_a_state_that_says_the_same_keeps_its_bytes_and_gets_a_new_time(home):
    publisher = Publisher(home, None)
    limit = {"name": "five_hour", "used_percent": 5.0, "age_seconds": 1.0}
    part = {"today": 1, "sparklines": [1]}
    state = {"today": 1, "limits": [limit], "by_provider": {"codex": part}, "written_at": NOW}
    publisher.state(state, NOW)
    number, _ = size_and_time(home)
    for second in range(1, 50):
        drifted = {
            "today": 1, "limits": [limit | {"age_seconds": 1.0 + second}], "written_at": NOW + second,
            "forecast": second, "sparklines": second, "by_provider": {"codex": part | {"sparklines": [second]}},
        }  # fmt: skip
        publisher.state(drifted, NOW + second)
        assert size_and_time(home) == (number, NOW + second)
    publisher.state(state | {"forecast": 99}, NOW + 61)
    assert size_and_time(home)[0] != number


@pytest.mark.parametrize(
    "other",
    [
        {"today": 2},
        {"limits": [{"name": "five_hour", "used_percent": 6.0}]},
        {"by_provider": {"codex": {"today": 2}}},
    ],
)
def test_a_state_that_says_something_else_is_written_at_once(home, other):
    publisher = Publisher(home, None)
    state = {
        "today": 1,
        "limits": [{"name": "five_hour", "used_percent": 5.0}],
        "by_provider": {"codex": {"today": 1}},
    }
    publisher.state(state, NOW)
    publisher.state(state | other, NOW + 1)
    assert json.loads(open_text(os.path.join(home, "state.json"))) == state | other


def test_an_idle_state_of_any_size_costs_a_disk_less_than_a_kilobyte_a_second(home, monkeypatch):
    written = count_bytes(monkeypatch)
    publisher = Publisher(home, None)
    for second in range(3600):
        publisher.state({"today": 1, "body": "x" * 80_000, "forecast": second}, NOW + second)
    assert sum(written) < 3600 * 1000


def test_fifty_working_sessions_cost_a_disk_less_than_twenty_kilobytes_a_second(home, monkeypatch):
    written = count_bytes(monkeypatch)
    publisher = Publisher(home, None)
    for second in range(600):
        publisher.state({"today": second, "body": "x" * 80_000}, NOW + second)
    assert sum(written) < 600 * 20_000
    assert written[:2] == [80_021, 80_021]  # a burst goes at once
    assert len(written) >= 120  # and none is older than five seconds


def test_in_memory_a_state_that_changes_is_written_each_time(home, runtime, monkeypatch):
    written = count_bytes(monkeypatch)
    publisher = Publisher(home, paths.runtime_folder())
    for second in range(20):
        publisher.state({"today": second, "body": "x" * 80_000}, NOW + second)
    assert len(written) == 20


def count_bytes(monkeypatch):
    from aitop.system import atomic_file

    written, replace = [], atomic_file.replace

    def counted(path, data, **more):
        replace(path, data, **more)
        written.append(len(data))

    monkeypatch.setattr(atomic_file, "replace", counted)
    return written


def test_a_state_file_that_was_removed_is_written_again(home):
    publisher = Publisher(home, None)
    publisher.state({"n": 1}, NOW)
    os.unlink(os.path.join(home, "state.json"))
    publisher.state({"n": 1}, NOW + 1)
    assert json.loads(open_text(os.path.join(home, "state.json"))) == {"n": 1}


def test_an_unchanged_segment_keeps_its_bytes(home):
    publisher = Publisher(home, None)
    path = os.path.join(home, "segments", "tmux")
    publisher.write_segments({"tmux": "same"}, NOW)
    before = os.stat(path).st_ino
    publisher.write_segments({"tmux": "same"}, NOW + 5)
    assert (os.stat(path).st_ino, os.stat(path).st_mtime) == (before, NOW + 15)
    os.unlink(path)
    publisher.write_segments({"tmux": "same"}, NOW + 10)
    assert open_text(path).endswith(" same\n")


@pytest.fixture
def shared_memory(tmp_path, monkeypatch):
    folder = tmp_path / "shm"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(paths, "SHARED_MEMORY", str(folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    return folder


def in_shared_memory():
    """The folder in shared memory, on machines that have one of the user's own as well."""
    found = paths._in_shared_memory("0123456789abcdef")
    assert found is not None
    return found


def test_without_a_runtime_folder_a_private_one_in_shared_memory_is_used(home, shared_memory):
    found = in_shared_memory()
    publisher = Publisher(home, found)
    publisher.state({"n": 1}, NOW)
    assert os.path.realpath(os.path.join(home, "state.json")) == os.path.realpath(
        os.path.join(found, "state.json")
    )
    assert mode(found) == 0o700
    assert in_shared_memory() == found


def test_a_folder_in_shared_memory_that_is_not_ours_alone_is_not_used(home, shared_memory):
    found = in_shared_memory()
    os.mkdir(found)
    os.chmod(found, 0o777)
    assert paths._in_shared_memory("0123456789abcdef") is None
    os.rmdir(found)
    os.symlink(str(shared_memory), found)
    assert paths._in_shared_memory("0123456789abcdef") is None


def test_what_removed_homes_left_in_shared_memory_is_removed(home, shared_memory, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    left = paths._in_shared_memory("1" * 16)
    Publisher(str(gone), left).write_segments({"tmux": "a"}, NOW)
    kept = paths._in_shared_memory("2" * 16)
    Publisher(home, kept)
    assert os.path.isdir(left)
    shutil.rmtree(gone)
    Publisher(home, kept)
    assert sorted(os.listdir(shared_memory)) == [os.path.basename(kept)]


def test_a_runtime_folder_that_is_named_and_cannot_be_used_leaves_the_files_in_the_home(monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    assert paths.runtime_folder() is None
