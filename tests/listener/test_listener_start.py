"""What a listener loads: its start and its memory are paid at every login, and for weeks."""

import subprocess
import sys

import pytest

from aitop.listener import lifecycle
from aitop.listener.lock import Held, Lock

# each of these costs more than a hundredth of a second or a megabyte, and has an answer without it
DEAR = {"asyncio", "bz2", "click", "email", "filelock", "importlib.metadata", "logging", "lzma", "shutil",
        "statistics", "tomllib", "urllib.parse", "zipfile"}  # fmt: skip


def loaded(code):
    program = f"{code}\nimport sys; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_listener_loads_nothing_dear():
    found = loaded(
        "import aitop.listener.run, aitop.listener.loop\nfrom aitop.providers import load; load.load()"
    )
    assert "aitop.listener.loop" in found
    assert not found & DEAR


def test_the_lock_is_held_by_one_and_gone_with_its_holder(tmp_path):
    path = str(tmp_path / "listener.lock")
    with Lock(path):
        with pytest.raises(Held):
            Lock(path).acquire(timeout=0.05)
        assert lifecycle.is_locked(str(tmp_path))
    assert not lifecycle.is_locked(str(tmp_path))
    code = f"import os; from aitop.listener.lock import Lock; Lock({path!r}).acquire(); os._exit(1)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1
    with Lock(path):
        assert (tmp_path / "listener.lock").stat().st_mode & 0o777 == 0o600


def test_the_settings_lock_s_library_sees_the_listener_s_lock(tmp_path):
    import filelock

    with Lock(str(tmp_path / "one.lock")), pytest.raises(filelock.Timeout):
        filelock.FileLock(str(tmp_path / "one.lock"), timeout=0.05).acquire()


def test_a_package_that_names_the_group_is_looked_for(tmp_path):
    folder = tmp_path / "stranger-1.0.dist-info"
    folder.mkdir()
    code = f"import sys; sys.path.append({str(tmp_path)!r}); from aitop.providers import load; print(load._others())"

    def others():
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert others() == "False"
    (folder / "entry_points.txt").write_text("[aitop.providers]\nstranger = stranger:provider\n")
    assert others() == "True"
