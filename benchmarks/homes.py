"""Throw-away homes for the measurements, and a real listener in one of them."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from aitop.install import forwarder, scripts

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BESIDE = os.path.join(os.path.dirname(sys.executable), "aitop")
FRONT = BESIDE if os.path.exists(BESIDE) else os.path.join(HERE, "bin", "aitop")


@contextlib.contextmanager
def folder():
    """A folder with a short name, because the address of a socket must be short."""
    with tempfile.TemporaryDirectory(prefix="aitop-bench-", ignore_cleanup_errors=True) as path:
        yield path


def environment(home, claude=None):
    """Only what a listener needs: no runtime folder, so that the published files lie in `home`."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": home, "AITOP_HOME": home, "AITOP_CONFIG": os.path.join(home, "config.toml"), "LC_ALL": "C.UTF-8",
        "CLAUDE_CONFIG_DIR": claude or os.path.join(home, "claude"), "CODEX_HOME": os.path.join(home, "codex"),
    }  # fmt: skip


def scripts_in(home, kind=scripts.PERL):
    """The hook and the status line as `aitop install` writes them; the hook's path and the other's."""
    forwarder.write_script(os.path.join(home, "hook"), forwarder.render(kind, home))
    forwarder.write_script(os.path.join(home, "statusline"), forwarder.render_statusline(home))
    return os.path.join(home, "hook"), os.path.join(home, "statusline")


@contextlib.contextmanager
def reader(home):
    """A process that reads and drops all that is sent to the home's socket."""
    path = os.path.join(home, "claudecode.sock")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(128)

    def serve():
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                while peer.recv(65_536):
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
        os.unlink(path)


def state(home):
    """The published state, or None."""
    try:
        with open(os.path.join(home, "state.json"), "rb") as file:
            return json.loads(file.read())
    except (OSError, ValueError):
        return None


def written_at(home):
    """When the state was published last (epoch seconds): a quiet second only renews the file's own time."""
    return max(
        os.stat(os.path.join(home, "state.json")).st_mtime, (state(home) or {"written_at": 0})["written_at"]
    )


def caught_up(requests):
    """Whether a state holds so many requests of the last minutes, and nothing waits to be read."""
    return lambda state: state["scan"]["complete"] and state["windows"]["15m"]["requests"] == requests


class Listener:
    """A real listener from `start` to `stop`."""

    def __init__(self, home, claude=None, **more):
        self.home = home
        self.started = time.time()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aitop", "listen", "--quiet"], env=environment(home, claude) | more, cwd=HERE,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def until(self, wanted, seconds=120.0, every=0.002):
        """Wait until the state it publishes is `wanted`; that state and how long it took."""
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            found = state(self.home)
            if found and found["written_at"] >= self.started and wanted(found):
                return found, time.perf_counter() - began
            if self.process.poll() is not None:
                raise RuntimeError(f"the listener ended with {self.process.returncode}")
            time.sleep(every)
        raise TimeoutError("the listener never published what was waited for")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def account(self):
        """The result of `account` for the listener's process."""
        return account(self.process.pid)


def account(pid):
    """(processor seconds, resident bytes, bytes read) of a process so far; None where the system has no /proc.

    Processes it started count once they ended.
    """
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        with open(f"/proc/{pid}/statm") as file:
            pages = int(file.read().split()[1])
        with open(f"/proc/{pid}/io") as file:
            read = int(file.readline().split()[1])
    except OSError:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    own, children = (sum(map(int, fields[start : start + 2])) / ticks for start in (11, 13))
    return (_on_processor(pid) or own) + children, pages * os.sysconf("SC_PAGE_SIZE"), read


def _on_processor(pid):
    """Seconds of all its threads to a billionth, where the kernel keeps them: ticks are too coarse for a tick."""
    total = 0
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
    except OSError:
        return 0
    return total / 1e9


@contextlib.contextmanager
def listening(home, claude=None, **more):
    """A running listener; `more` goes into its environment."""
    listener = Listener(home, claude, **more)
    try:
        yield listener
    finally:
        listener.stop()


def clear(home):
    """Delete all content of the home, and keep the folder."""
    for name in os.listdir(home):
        path = os.path.join(home, name)
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
