"""Claude Code's settings while somebody else has them: broken, read-only, edited at the same time.

Whatever `install --write` meets, the file stays one that its client can read, and nobody's edit is undone.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

from .conftest import LONG
from .ground import aitop

pytestmark = pytest.mark.timeout(600 if LONG else 90)
ROUNDS = 12 if LONG else 4


@pytest.fixture
def settings(claude):
    os.makedirs(claude, exist_ok=True)
    return os.path.join(claude, "settings.json")


class Editor:
    """A client that writes its settings anew all the time, as Claude Code does: the whole file, by a rename."""

    def __init__(self, path, pause):
        self.path, self.pause = path, pause
        self.number, self.lost, self.broken = 0, 0, []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._edit)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _edit(self):
        while not self._over.wait(self.pause):
            try:
                with open(self.path, "rb") as file:
                    found = json.loads(file.read())
            except FileNotFoundError:
                found = {}
            except ValueError as error:
                self.broken.append(str(error))
                return
            self.lost += found.get("number", 0) < self.number
            self.number += 1
            fresh = f"{self.path}.editor"
            with open(fresh, "w") as file:
                json.dump(found | {"number": self.number}, file, indent=2)
            os.replace(fresh, self.path)


@pytest.mark.parametrize("pause", [0.3, 0.01], ids=["now and then", "all the time"])
def test_an_editor_at_work_and_an_installation_undo_nothing_of_each_other(pause, home, settings, tally):
    done = []
    for _ in range(ROUNDS):
        with tally.fault(2), Editor(settings, pause) as editor:
            time.sleep(0.1)
            written, removed = aitop("install", "--write"), aitop("install", "--uninstall")
            assert "Traceback" not in written.stderr + removed.stderr
            done.append((written.returncode, removed.returncode))
        assert not editor.broken
        with open(settings) as file:
            number = json.loads(file.read())["number"]
        # Between the last look and the rename lies an instant: who writes all the time may hit it
        if pause > 0.1 and (editor.lost or number < editor.number):
            tally.lost += 1
            pytest.fail(f"an edit was undone: {number} of {editor.number}")
        os.unlink(settings)
    assert {code for codes in done for code in codes} <= {0, 1}


def test_two_installations_at_once_leave_one_entry_for_each_hook(home, settings, tally):
    with tally.fault(3):
        running = [subprocess.Popen([sys.executable, "-m", "aitop", "install", "--write"], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": ROOT})
                   for _ in range(3)]  # fmt: skip
        for process in running:
            _, said = process.communicate(timeout=60)
            assert "Traceback" not in said
            assert process.returncode in (0, 1)
        with open(settings) as file:
            hooks = json.loads(file.read())["hooks"]
        assert {len(entries) for entries in hooks.values()} == {1}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"hooks": 3}', "\ufeff{", '{"a": 1} trailing', "\x00" * 40, '{"hooks": {"Stop": "x"}}'],
)
def test_broken_settings_are_refused_by_name_and_keep_every_byte(text, home, settings, tally):
    with open(settings, "w") as file:
        file.write(text)
    with tally.fault():
        found = aitop("install", "--write")
        assert found.returncode == 1
        assert "settings.json" in found.stderr
        assert "Traceback" not in found.stderr
        with open(settings) as file:
            assert file.read() == text


def test_read_only_settings_and_a_read_only_folder_are_refused(home, settings, claude, tally):
    with open(settings, "w") as file:
        file.write('{"model": "opus"}')
    plain = [] if os.getuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if plain and not shutil.which("setpriv"):
        pytest.skip("taking root's privileges away needs setpriv")
    for path, mode in ((settings, 0o400), (claude, 0o500)):
        before = os.stat(path).st_mode
        os.chmod(path, mode)
        with tally.fault():
            found = subprocess.run([*plain, sys.executable, "-m", "aitop", "install", "--write"], text=True,
                                   capture_output=True, timeout=60, env=os.environ | {"PYTHONPATH": ROOT})  # fmt: skip
            assert found.returncode == 1, found.stdout
            assert "Traceback" not in found.stderr
            with open(settings) as file:
                assert file.read() == '{"model": "opus"}'
        os.chmod(path, before)
