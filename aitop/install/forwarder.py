"""Which forwarder this machine deserves: each candidate is run against hostile peers, the fastest wins.

A hook runs several times a minute inside somebody's work, so nothing is believed about a machine's
Perl, its socket constants or its `select`: a candidate must deliver every byte, keep silent, exit 0
and end in time when the listener hangs, drips or is not there, and when stdin never ends.
Uses scratch sockets only; starts no listener.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import aitop
from aitop import paths
from aitop.install import scripts
from aitop.system import atomic_file

LIMIT = 0.2  # seconds a hook may take, whatever happens
ATTEMPTS = 3  # a busy machine may spoil one
BIG = b'{"hook_event_name":"Stop","filler":"' + b"\x00\xff" * 250_000 + b'"}'
SMALL = b'{"hook_event_name":"Stop"}'


@dataclass(frozen=True, slots=True)
class Proof:
    """What a candidate showed: its usual time, or what it failed at."""

    kind: str
    milliseconds: float
    problem: str | None = None


def package_folder() -> str:
    """The folder that holds the package `aitop`."""
    return os.path.dirname(os.path.dirname(os.path.abspath(aitop.__file__)))


def render(kind: str, home: str, launch: list[str] | None = None) -> str:
    environment = {"AITOP_HOME": home}
    if os.environ.get("AITOP_CONFIG"):
        environment["AITOP_CONFIG"] = paths.config_file()
    return scripts.hook(
        kind,
        home=home,
        python=sys.executable,
        package=package_folder(),
        perl=shutil.which("perl") or "",
        launch=launch,
        environment=environment,
    )


def render_statusline(home: str, kind: str | None = None) -> str:
    """The status line's script. `kind` is the forwarder that the hook uses; None: Perl where there is one."""
    perl = shutil.which("perl") or ""
    return scripts.statusline(
        kind or (scripts.PERL if perl else scripts.PYTHON),
        home=home,
        python=sys.executable,
        package=package_folder(),
        perl=perl,
    )


def candidates() -> list[str]:
    return [scripts.PERL, scripts.PYTHON] if shutil.which("perl") else [scripts.PYTHON]


def choose() -> list[Proof]:
    """Every candidate's proof, the one to use first: the fastest that passed, else Python all the same."""
    proofs = [prove_kind(kind) for kind in candidates()]
    return sorted(proofs, key=lambda proof: (proof.problem is not None, proof.milliseconds))


def prove_kind(kind: str) -> Proof:
    with _scratch() as home:
        path = os.path.join(home, paths.HOOK)
        write_script(path, render(kind, home))
        return prove(path, kind)


def prove(path: str, kind: str = "") -> Proof:
    """Run the forwarder script at `path` through every trial. Its home must be the folder it lies in."""
    home = os.path.dirname(path)
    times = []
    for trial, setting in TRIALS.items():
        problem: str | None = "nothing tried"
        for _ in range(ATTEMPTS):
            problem, seconds = setting(path, os.path.join(home, paths.SOCKET))
            if problem is None:
                break
        if problem is not None:
            return Proof(kind, 0.0, f"{trial}: {problem}")
        times.append(seconds)
    _, *more = (_answering(path, os.path.join(home, paths.SOCKET), SMALL)[1] for _ in range(8))
    return Proof(kind, sorted(more)[len(more) // 2] * 1000)


def write_script(path: str, text: str) -> None:
    """Replace an executable script in one step: a hook may be running it right now."""
    atomic_file.replace(path, text.encode(), mode=0o700)


def _run(path: str, payload: bytes, *, hold_stdin: bool = False) -> tuple[str | None, float]:
    """Run once; the problem if it spoke, failed or was late, and how long it took."""
    started = time.monotonic()
    process = subprocess.Popen(
        [path, "Stop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/"
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with contextlib.suppress(OSError):  # it may well leave without reading everything
            process.stdin.write(payload)
            process.stdin.flush()
        if not hold_stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "does not end", 5.0
        seconds = time.monotonic() - started
        output = process.stdout.read()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        with contextlib.suppress(OSError):
            process.stdin.close()
    if output or code:
        return f"exit code {code}, said {output[:80]!r}", seconds
    return (None if seconds <= LIMIT else f"took {seconds * 1000:.0f} ms"), seconds


def _answering(path: str, address: str, payload: bytes = BIG) -> tuple[str | None, float]:
    received = bytearray()

    def serve(listener: socket.socket) -> None:
        listener.settimeout(5)
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(5)
            while part := peer.recv(1 << 20):
                received.extend(part)

    with _listener(address, 8) as listener:
        thread = threading.Thread(target=_quietly, args=(serve, listener))
        thread.start()
        problem, seconds = _run(path, payload)
        thread.join()
    head, _, body = bytes(received).partition(b"\n")
    if problem is None and (
        body != payload or not head.startswith(b"aitop/1\tprovider=claude-code\tevent=Stop")
    ):
        problem = "what arrived is not what was sent"
    return problem, seconds


def _hanging(path: str, address: str) -> tuple[str | None, float]:
    with _listener(address, 0), contextlib.ExitStack() as others:
        for _ in range(64):  # until the backlog is full
            other = others.enter_context(socket.socket(socket.AF_UNIX))
            other.setblocking(False)
            try:
                other.connect(address)
            except OSError:
                break
        return _run(path, SMALL)


def _dripping(path: str, address: str) -> tuple[str | None, float]:
    done = threading.Event()

    def drip(listener: socket.socket) -> None:
        listener.settimeout(5)
        peer, _ = listener.accept()
        with peer:
            while not done.wait(0.02):
                peer.recv(1)

    with _listener(address, 8) as listener:
        thread = threading.Thread(target=_quietly, args=(drip, listener))
        thread.start()
        problem, seconds = _run(path, BIG)
        done.set()
        thread.join()
    return problem, seconds


def _absent(path: str, address: str) -> tuple[str | None, float]:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(address)
    return _run(path, SMALL)


def _endless_stdin(path: str, address: str) -> tuple[str | None, float]:
    with _listener(address, 8):
        return _run(path, SMALL, hold_stdin=True)


TRIALS: dict[str, Callable[[str, str], tuple[str | None, float]]] = {
    "500 KB to a listener": _answering,
    "a full backlog": _hanging,
    "a listener that reads a byte at a time": _dripping,
    "no listener": _absent,
    "a stdin that never ends": _endless_stdin,
}


def _quietly(work: Callable[[socket.socket], None], listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        work(listener)


@contextlib.contextmanager
def _listener(address: str, backlog: int) -> Iterator[socket.socket]:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(address)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(backlog)
        yield listener


@contextlib.contextmanager
def _scratch() -> Iterator[str]:
    """A short-named folder of our own: a socket's address may not be long."""
    with tempfile.TemporaryDirectory(prefix="aitop-", ignore_cleanup_errors=True) as folder:
        yield folder
