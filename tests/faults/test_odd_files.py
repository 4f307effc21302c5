"""FIFOs, devices, folders, links and sockets where a file is expected: nothing blocks, nothing is followed.

A FIFO is the worst of them: opening one waits for a writer that never comes.
"""

import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant

from .ground import fill, name, numbers, recount

pytestmark = pytest.mark.timeout(90)
FRONT = os.path.join(os.path.dirname(sys.executable), "aitop")


def fifo(path):
    os.mkfifo(path)


def folder(path):
    os.mkdir(path)


def endless(path):
    os.symlink("/dev/zero", path)


def to_itself(path):
    os.symlink(path, path)


def to_nowhere(path):
    os.symlink(path + ".missing", path)


def a_socket(path):
    here = os.getcwd()
    os.chdir(os.path.dirname(path))
    with socket.socket(socket.AF_UNIX) as peer:
        peer.bind(os.path.basename(path))
    os.chdir(here)


ODD = [fifo, folder, endless, to_itself, to_nowhere, a_socket]


def put(odd, path):
    """An odd thing in a file's place."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    remove(path)
    odd(path)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def run(*words, **more):
    """A command that must end, without a traceback."""
    found = subprocess.run(words, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL,
                           env=os.environ | {"PYTHONPATH": ROOT} | more)  # fmt: skip
    assert "Traceback" not in found.stderr, found.stderr
    return found


def test_where_clients_write_they_are_passed_by_and_the_rest_is_read(listener, claude, tally, tmp_path):
    paths = fill(claude, time.time())
    around = os.path.dirname(paths[0])
    for number, odd in enumerate(ODD):
        odd(os.path.join(around, f"{name(500 + number)}.jsonl"))
        odd(os.path.join(around, f"odd-{number}"))
    with tally.fault(2 * len(ODD)):
        listener.start().wait_for(lambda s: s["scan"]["complete"])
        for odd in ODD:  # a hook's word makes them no better
            path = os.path.join(around, f"{name(500 + ODD.index(odd))}.jsonl")
            listener.send({"hook_event_name": "Stop", "session_id": name(0), "transcript_path": path})
        append(paths[0], assistant("late", time.time(), request_id="late", session=name(0)))
        listener.wait_for(lambda s: s["since_start"]["requests"] == 1 and s["hooks"]["unique"] == len(ODD))
        listener.end()
        for number in range(len(ODD)):
            for odd in (f"{name(500 + number)}.jsonl", f"odd-{number}"):
                remove(os.path.join(around, odd))
        tally.same(numbers(listener.home), recount(tmp_path))


@pytest.mark.parametrize(
    "place", ["config.toml", "prices.json", "tags.json", "notified.json", "alerts.jsonl", "history.damaged"]
)
def test_in_the_place_of_a_file_of_ours_the_listener_starts_all_the_same(place, listener, tmp_path, tally):
    path = str(tmp_path / place) if place == "config.toml" else os.path.join(listener.home, place)
    for odd in ODD:
        with tally.fault():
            put(odd, path)
            state = listener.start(**({"AITOP_CONFIG": path} if place == "config.toml" else {})).wait_for(
                lambda s: s["scan"]["complete"]
            )
            assert state["listener"]["pid"] == listener.pid
            assert listener.end() == 0


@pytest.mark.parametrize("place", ["segments", "aitop.log", ".now"])
def test_in_the_place_of_what_is_published_the_listener_goes_on(place, listener, tally):
    for odd in ODD:
        with tally.fault():
            put(odd, os.path.join(listener.home, place))
            listener.start()
            assert listener.end() == 0


def test_a_folder_in_the_place_of_the_state_stops_the_publishing_and_nothing_else(
    listener, claude, tally, tmp_path
):
    fill(claude, time.time())
    path = os.path.join(listener.home, "state.json")
    with tally.fault():
        folder(path)
        listener.start(wait=False)
        listener.wait_log("cannot publish")
        os.rmdir(path)
        listener.wait_for(lambda s: s["scan"]["complete"])
        assert listener.end() == 0
        tally.same(numbers(listener.home), recount(tmp_path))


@pytest.mark.parametrize("odd", ODD)
def test_commands_and_displays_end_whatever_stands_in_a_file_s_place(odd, home, tmp_path, tally):
    config = str(tmp_path / "config.toml")
    for place in ("state.json", "segments/tmux", "segments/zsh", "installed.json", "tags.json", "prices.json",
                  "hook", "config.toml"):  # fmt: skip
        path = config if place == "config.toml" else os.path.join(home, place)
        put(odd, path)
    with tally.fault(8):
        for words in (("tmux",), ("prompt", "--shell", "zsh"), ("tmux", "--preset", "cost"), ("waybar",)):
            found = run(FRONT, *words, AITOP_CONFIG=config)
            assert found.returncode == 0
            assert found.stderr == ""
        assert run(FRONT, "statusline", AITOP_CONFIG=config).returncode == 0
        for words in (
            ("status",),
            ("doctor",),
            ("top", "--once"),
            ("config",),
            ("prices",),
            ("guard", "--json"),
        ):
            run(sys.executable, "-m", "aitop", *words, AITOP_CONFIG=config)


@pytest.mark.parametrize("odd", ODD)
def test_what_stands_in_the_place_of_settings_is_refused_and_left(odd, home, claude, tally):
    path = os.path.join(claude, "settings.json")
    put(odd, path)
    before = os.lstat(path)
    with tally.fault():
        found = run(sys.executable, "-m", "aitop", "install", "--write")
        after = os.lstat(path) if os.path.lexists(path) else None
        if odd is to_nowhere:  # a link that somebody made for a file to come
            assert found.returncode in (0, 1)
        else:
            assert found.returncode == 1, found.stdout
            assert after is not None
            assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)


def test_a_history_that_is_no_file_is_told(home, tally):
    path = os.path.join(home, "history.db")
    for odd in ODD:
        with tally.fault():
            put(odd, path)
            found = run(sys.executable, "-m", "aitop", "listen", "--quiet")
            assert found.returncode == 1
            assert path in found.stderr
