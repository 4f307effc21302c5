"""The one writer that replaces files."""

import os
import stat

import pytest

from aitop.system import atomic_file


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_file_is_replaced_with_its_mode_and_time_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    atomic_file.replace(str(path), b"new", mode=0o640, mtime=1_700_000_000.0)
    assert path.read_bytes() == b"new"
    assert mode_of(path) == 0o640
    assert path.stat().st_mtime == 1_700_000_000.0
    assert [name for name in os.listdir(tmp_path) if "state" in name] == ["state.json"]


def test_the_mode_of_an_existing_file_is_kept_on_request(tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(b"old")
    path.chmod(0o644)
    atomic_file.replace(str(path), b"new", keep_mode=True, fsync=True)
    assert mode_of(path) == 0o644
    atomic_file.replace(str(tmp_path / "fresh"), b"new", keep_mode=True)
    assert mode_of(tmp_path / "fresh") == 0o600


def test_a_wider_umask_does_not_narrow_the_mode_and_a_file_is_never_wider_than_asked(tmp_path):
    before = os.umask(0o777)
    try:
        atomic_file.replace(str(tmp_path / "hook"), b"x", mode=0o700)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "hook") == 0o700


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / f".state.json.{os.getpid()}").symlink_to(victim)
    atomic_file.replace(str(tmp_path / "state.json"), b"new")
    assert victim.read_bytes() == b"mine"
    assert (tmp_path / "state.json").read_bytes() == b"new"


def test_when_writing_fails_the_old_file_stands_and_no_temporary_file_is_left(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    path.write_bytes(b"old")

    def full(fd, data):  # noqa: ARG001
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        atomic_file.replace(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert [name for name in os.listdir(tmp_path) if "state" in name] == ["state.json"]
