"""Every test in a home of its own: nothing of the user's is read, nothing is written outside.

Also here: the real listener as a process, which a test may start, watch, kill, and must leave ended.
"""

import contextlib
import importlib
import itertools
import json
import os
import re
import shutil
import signal as signals
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pytest
from hypothesis import HealthCheck, settings

# Where the tests themselves run in the background, Ctrl-C is ignored, and every child would inherit that.
if signals.getsignal(signals.SIGINT) is signals.SIG_IGN:
    signals.signal(signals.SIGINT, signals.default_int_handler)

# In CI a library that is missing fails its tests instead of skipping them.
if os.environ.get("CI") == "true":
    pytest.importorskip = lambda name, **_: importlib.import_module(name)

# A busy machine must not fail a test: how long an example takes is no property of ours.
settings.register_profile("aitop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("aitop"), max_examples=20)
settings.load_profile("aitop")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEMORY, ROOM_BYTES = "/dev/shm", 1 << 30  # a quick run writes 200 MB
LONGEST_HOME = 80  # bytes: a socket's whole path must stay under 104
PRIVATE = ("AITOP_CONFIG", "AITOP_TAG", "AITOP_LOG_LEVEL", "CLAUDE_CONFIG_DIR", "CLAUDE_PID", "NO_COLOR", "TMUX_PANE",
           "NOTIFY_SOCKET", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CACHE_HOME",
           "XDG_STATE_HOME")  # fmt: skip


# What `--quick` leaves out beside the marks `real` and `slow`: fixtures that start the real listener, and folders and
# files that do, drive other programs, or load a library that costs more than all their tests.
SLOW_FIXTURES = {"listener"}
SLOW_FOLDERS = ("faults", "integrations", "benchmarks", "lives")
SLOW_FILES = (
    "test_advice_cli.py", "test_compare_prices.py", "test_demo.py", "test_fuzz.py", "test_gateway_admission.py",
    "test_gateway_clients.py", "test_gateway_connections.py", "test_gateway_network.py",
    "test_gateway_relay.py", "test_hostile_input.py", "test_hostile_paths.py", "test_install_forwarder.py",
    "test_install_mcp.py", "test_install_otel.py", "test_mcp.py", "test_modes.py", "test_nothing_private.py",
    "test_other_user.py", "test_report_png.py", "test_run.py", "test_top_terminal.py", "test_trailer.py",
)  # fmt: skip


def pytest_addoption(parser):
    parser.addoption(
        "--quick", action="store_true", help="leave out real programs and the listener as a process"
    )


def pytest_configure(config):
    if config.getoption("--quick"):
        settings.load_profile("quick")
        _use_memory()


def _use_memory():
    """Let the tests' folders be in memory: thousands of small databases otherwise wait for the disk."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(MEMORY).free > ROOM_BYTES and os.access(MEMORY, os.W_OK):
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


def pytest_ignore_collect(collection_path, config):
    """A folder or a file of which nothing runs is not read either: some load heavy libraries."""
    if config.getoption("--quick") and _is_left_out(collection_path):
        return True
    return None


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--quick"):
        return
    slow = [item for item in items if _is_slow(item)]
    config.hook.pytest_deselected(items=slow)
    left_out = set(slow)
    items[:] = [item for item in items if item not in left_out]


def _is_left_out(path):
    folder = os.path.relpath(path, os.path.join(ROOT, "tests")).split(os.sep)[0]
    return folder in SLOW_FOLDERS or path.name in SLOW_FILES


def _is_slow(item):
    return (
        item.get_closest_marker("real") is not None
        or item.get_closest_marker("by_hand") is not None
        or item.get_closest_marker("slow") is not None
        or not SLOW_FIXTURES.isdisjoint(item.fixturenames)
    )


_folders = itertools.count()


@pytest.fixture
def tmp_path(request, tmp_path_factory):
    """An empty folder of the test's own, as pytest's: that one lists all before it to find a free number."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{name}-{next(_folders)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    """No test sees this user's home, configuration, clients or time zone."""
    before = set(os.environ)
    user = tmp_path / "user"
    user.mkdir()
    for name in PRIVATE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("AITOP_HOME", str(tmp_path / "h"))
    monkeypatch.setenv("AITOP_PROVIDERS", "builtin")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "no-runtime"))  # else /dev/shm takes the files
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    for name in set(os.environ) - before - {"PYTEST_CURRENT_TEST"}:
        del os.environ[name]  # set by a program that ran in this process
    time.tzset()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """`$AITOP_HOME`: an empty folder with a path short enough for a socket."""
    path, remove = tmp_path / "h", False
    if len(os.fsencode(path)) > LONGEST_HOME:
        path, remove = tempfile.mkdtemp(prefix="aitop-", dir="/tmp"), True
    os.makedirs(path, exist_ok=True)
    monkeypatch.setenv("AITOP_HOME", str(path))
    yield str(path)
    if remove:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def live(home):
    """`live(state)` publishes it each second, as a listener would: no slow machine calls it old in mid-test."""
    over, current, threads = threading.Event(), {}, []

    def publish():
        path = os.path.join(home, "state.json")
        with open(path + ".new", "w") as file:
            json.dump(current["state"] | {"written_at": time.time()}, file)
        os.replace(path + ".new", path)

    def go_on():
        while not over.wait(1):
            publish()

    def start(state):
        current["state"] = state
        if threads:
            return
        publish()
        threads.append(threading.Thread(target=go_on))
        threads[0].start()

    yield start
    over.set()
    for thread in threads:
        thread.join()


class Running:
    """The real listener as a child process."""

    def __init__(self, home):
        self.home = home
        self.process = None
        self.started = []

    def start(self, *, wait=True, read=True, **more):
        """Start it; with `wait` until its first state is there, with `read` until its first reading has ended too."""
        environ = os.environ | {"PYTHONPATH": ROOT, "AITOP_HOME": self.home} | more
        begun = time.time()
        with open(os.path.join(self.home, "listener.out"), "ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "aitop", "listen", "--quiet"],
                env=environ,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.started.append(self.process)
        if wait:
            self.wait_for(
                lambda state: (
                    state["written_at"] >= begun
                    and state["listener"]["pid"] == self.process.pid
                    and (state["scan"]["complete"] or not read)
                )
            )
        return self

    @property
    def pid(self):
        return self.process.pid

    def state(self):
        with contextlib.suppress(OSError), open(os.path.join(self.home, "state.json"), "rb") as file:
            found = json.loads(file.read())
            if isinstance(found.get("written_at"), float):  # readers take the later of the two
                found["written_at"] = max(found["written_at"], os.fstat(file.fileno()).st_mtime)
            return found
        return None

    def wait_for(self, true, seconds=30.0):
        """The first state for which something holds; the test fails when none comes."""
        deadline = time.monotonic() + seconds
        state = None
        while time.monotonic() < deadline:
            state = self.state()
            if state is not None and true(state):
                return state
            if self.process.poll() is not None:
                pytest.fail(f"the listener ended with {self.process.returncode}: {self.output()}")
            time.sleep(0.02)
        pytest.fail(f"not within {seconds} s; the last state: {json.dumps(state)[:4000]} {self.output()}")

    def wait_log(self, text, seconds=30.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if text in self.log():
                return
            time.sleep(0.02)
        pytest.fail(f"{text!r} is not in the log: {self.log()}")

    def log(self):
        with (
            contextlib.suppress(OSError),
            open(os.path.join(self.home, "aitop.log"), encoding="utf-8") as file,
        ):
            return file.read()
        return ""

    def output(self):
        with (
            contextlib.suppress(OSError),
            open(os.path.join(self.home, "listener.out"), encoding="utf-8") as file,
        ):
            return file.read()[-4000:]
        return ""

    def send(self, payload, header=None):
        """One connection to its socket: a payload (JSON unless bytes), after a header line if any."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(os.path.join(self.home, "claudecode.sock"))
            with contextlib.suppress(OSError):
                peer.sendall((header or b"") + data)

    def signal(self, number):
        os.kill(self.pid, number)

    def end(self, number=signals.SIGTERM):
        """End it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


def left_over(group):
    """Processes of the listener's session that are still there."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        with contextlib.suppress(OSError):
            if name.isdigit() and os.getsid(int(name)) == group:
                with open(f"/proc/{name}/stat") as file:
                    if file.read().rpartition(")")[2].split()[0] != "Z":
                        found.append(int(name))
    return found


@pytest.fixture
def noon(monkeypatch):
    """A time zone in which it is about noon: no test runs over midnight."""
    monkeypatch.setenv("TZ", f"NOON{time.gmtime().tm_hour - 12:+d}")
    time.tzset()


@pytest.fixture
def listener(home, noon):
    """Starts the real listener on demand (`listener.start()`); fails when it left a process behind."""
    running = Running(home)
    yield running
    for process in running.started:
        if process.poll() is None:
            process.send_signal(signals.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    deadline = time.monotonic() + 10
    groups = [process.pid for process in running.started]
    while (left := [pid for group in groups for pid in left_over(group)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in left:
        with contextlib.suppress(OSError):
            os.kill(pid, signals.SIGKILL)
    assert not left, f"processes left by the listener: {left}"
