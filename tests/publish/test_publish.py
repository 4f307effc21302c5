"""What displays read: whole at every moment, dated, private, and in memory where there is such a folder."""

import json
import os
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
    publisher.state({"n": 0, "body": ""})
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
        publisher.state({"n": n, "body": "x" * (n * 1000)})
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
    publisher.state({})
    publisher.write_segments({"tmux": "a"}, NOW)
    assert mode(os.path.join(home, "state.json")) == mode(os.path.join(home, "segments", "tmux")) == 0o600
    assert mode(os.path.join(home, ".now")) == 0o600
    assert mode(os.path.join(home, "segments")) == 0o700


def test_with_a_runtime_folder_the_home_holds_links(home, runtime):
    publisher = Publisher(home, paths.runtime_folder())
    publisher.state({"n": 1})
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
    Publisher(home, None).state({"n": 0})
    publisher = Publisher(home, paths.runtime_folder())
    assert os.path.islink(os.path.join(home, "segments"))
    publisher.state({"n": 1})
    back = Publisher(home, None)
    back.state({"n": 2})
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
    publisher.state({"n": 1})
    import shutil

    shutil.rmtree(paths.runtime_folder())
    with pytest.raises(OSError, match="No such file"):
        publisher.state({"n": 2})
    Publisher(home, paths.runtime_folder()).state({"n": 3})
    assert orjson.loads(open_text(os.path.join(home, "state.json"))) == {"n": 3}


def test_a_failed_write_leaves_the_old_state_and_no_rubbish(home, monkeypatch):
    publisher = Publisher(home, None)
    publisher.state({"n": 1})

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            publisher.state({"n": 2})
    assert orjson.loads(open_text(os.path.join(home, "state.json"))) == {"n": 1}
    assert sorted(os.listdir(home)) == [".now", "segments", "state.json"]


def test_a_shell_s_own_test_sees_when_a_segment_has_expired(home):
    publisher = Publisher(home, None)
    now = time.time()
    for written, newer in ((now, True), (now - 20, False)):
        publisher.write_segments({"tmux": str(written)}, written)
        os.utime(os.path.join(home, ".now"))
        segment = os.stat(os.path.join(home, "segments", "tmux")).st_mtime_ns
        assert (segment > os.stat(os.path.join(home, ".now")).st_mtime_ns) is newer
