"""Hooks come all the time while aitop is upgraded: in place, half copied, rolled back, from another folder."""

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

from .conftest import LONG
from .ground import name

pytestmark = pytest.mark.timeout(600)
HOOKS = 3400 if LONG else 250  # in each of the three tests


def install(folder, version=None):
    """A copy of the package; `version`: under another number, and quick to notice the next one."""
    shutil.copytree(os.path.join(ROOT, "aitop"), folder / "aitop", dirs_exist_ok=True)
    maintenance = folder / "aitop" / "listener" / "maintenance.py"
    maintenance.write_text(maintenance.read_text().replace("LOOK_SECONDS = 10.0", "LOOK_SECONDS = 0.3"))
    if version:
        call_it(folder, version)


def call_it(folder, version):
    init = folder / "aitop" / "__init__.py"
    head, _, rest = init.read_text().partition('__version__ = "')
    init.write_text(f'{head}__version__ = "{version}"{rest.partition(chr(34))[2]}')


class Hooks(threading.Thread):
    """Sends hooks one after another, as the forwarder does; `refused` counts those that met no listener."""

    def __init__(self, path):
        super().__init__()
        self.path, self.sent, self.refused, self.enough = path, 0, 0, threading.Event()

    def run(self):
        while not self.enough.is_set():
            payload = {"hook_event_name": "PostToolUse", "session_id": name(0), "tool_name": "Bash",
                       "tool_use_id": f"t{self.sent}", "cwd": "/w"}  # fmt: skip
            with socket.socket(socket.AF_UNIX) as peer:
                try:
                    peer.connect(self.path)
                    peer.sendall(json.dumps(payload).encode())
                except OSError:
                    self.refused += 1
            self.sent += 1
            time.sleep(0.002)


@pytest.fixture
def hooks(listener):
    thread = Hooks(os.path.join(listener.home, "claudecode.sock"))
    yield thread
    thread.enough.set()
    if thread.is_alive():
        thread.join()


def all_counted(hooks, listener, tally):
    while hooks.sent < HOOKS:
        time.sleep(0.05)
    hooks.enough.set()
    hooks.join()
    state = listener.wait_for(lambda s: s["today"]["tool_calls"] >= hooks.sent - hooks.refused)
    tally.same({"refused": hooks.refused, "counted": state["today"]["tool_calls"]},
               {"refused": 0, "counted": hooks.sent})  # fmt: skip


def test_an_upgrade_in_place_and_its_roll_back_refuse_no_hook(listener, hooks, tally, tmp_path):
    install(tmp_path / "here")
    listener.start(PYTHONPATH=str(tmp_path / "here"), PYTHONSAFEPATH="1")
    pid, first = listener.pid, listener.state()["listener"]["version"]
    hooks.start()
    versions = itertools.cycle(("98.0", "99.0", first))
    for turn, version in enumerate(versions):
        with tally.fault():
            call_it(tmp_path / "here", version)
            state = listener.wait_for(lambda s, v=version: s["listener"]["version"] == v)
            assert state["listener"]["pid"] == pid
        if turn >= 2 and hooks.sent >= HOOKS:
            break
    all_counted(hooks, listener, tally)


def test_a_half_copied_upgrade_is_not_started(listener, hooks, tally, tmp_path):
    install(tmp_path / "here")
    listener.start(PYTHONPATH=str(tmp_path / "here"), PYTHONSAFEPATH="1")
    first = listener.state()["listener"]["version"]
    reader = tmp_path / "here" / "aitop" / "listener" / "reader.py"
    whole = reader.read_text()
    hooks.start()
    with tally.fault():
        reader.write_text(whole[: len(whole) // 2] + "\n    def (")
        call_it(tmp_path / "here", "99.0")
        listener.wait_log("version 99.0 is installed but does not start")
        assert listener.state()["listener"]["version"] == first
    with tally.fault():
        reader.write_text(whole)
        listener.wait_for(lambda s: s["listener"]["version"] == "99.0")
    all_counted(hooks, listener, tally)


def test_a_start_from_another_folder_takes_the_place_of_the_old_version(listener, hooks, tally, tmp_path):
    install(tmp_path / "old", "0.0.1")
    install(tmp_path / "new")
    listener.start(PYTHONPATH=str(tmp_path / "old"), PYTHONSAFEPATH="1")
    old = listener.process
    hooks.start()
    with tally.fault():
        listener.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "aitop", "listen", "--quiet", "--replace"],
            env=os.environ | {"PYTHONPATH": str(tmp_path / "new"), "AITOP_HOME": listener.home},
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        listener.started.append(listener.process)
        assert old.wait(30) == 0
        listener.wait_for(lambda s: s["listener"]["pid"] == listener.pid)
    all_counted(hooks, listener, tally)
    assert listener.end() == 0
