"""Another user of the same machine: refused at the socket, told nothing, and never mistaken for this one.

A real second user id, in a fork of the test: the test's own Python may lie where strangers cannot run
it. Only the superuser can become another user, so elsewhere these tests are skipped.
"""

import contextlib
import json
import os
import selectors
import socket
import stat
import subprocess
import tempfile
import time

import pytest
from filelock import FileLock
from support.lines import SESSION, assistant, transcript, user

from aitop import hook, paths
from aitop.install import forwarder
from aitop.listener import lifecycle
from aitop.providers.claude_code import provider
from aitop.publish.files import Publisher
from aitop.receiver.unix_socket import Receiver

STRANGER = 65_534
pytestmark = [
    pytest.mark.skipif(
        os.getuid() != 0, reason="only the superuser can become another user: run these as root"
    ),
    pytest.mark.timeout(60),
]


@contextlib.contextmanager
def stranger(work, *words):
    """`work(say, *words)` as another user, with no group of ours; yields a function that waits for what it says."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reader)
            os.setgroups([])
            os.setresgid(STRANGER, STRANGER, STRANGER)
            os.setresuid(STRANGER, STRANGER, STRANGER)
            os.chdir("/")
            work(lambda said: os.write(writer, json.dumps(said).encode() + b"\n"), *words)
            status = 0
        except BaseException as error:
            os.write(writer, json.dumps(repr(error)).encode() + b"\n")
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader) as said:
        try:
            yield lambda: json.loads(said.readline())
        finally:
            said.read()
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture
def reachable(tmp_path):
    """Every folder above the home lets strangers pass, as `/home/NAME` does on many machines.

    One test at a time, whatever run it belongs to: all runs of a user share the uppermost of these folders.
    """
    above, opened = str(tmp_path), []
    with FileLock(os.path.join(tempfile.gettempdir(), f"aitop-reachable-{os.getuid()}.lock")):
        while above != "/":
            mode = stat.S_IMODE(os.stat(above).st_mode)
            if not mode & 0o001:
                os.chmod(above, mode | 0o011)
                opened.append((above, mode))
            above = os.path.dirname(above)
        yield
        for folder, mode in opened:
            os.chmod(folder, mode)


@pytest.fixture
def busy(listener, reachable, tmp_path):
    """A listener that knows something."""
    transcript(str(tmp_path / "user" / ".claude"), [user("x"), assistant()])
    listener.start()
    listener.send({"session_id": SESSION, "hook_event_name": "Stop"})
    listener.wait_for(lambda state: state["hooks"]["unique"] == 1 and state["scan"]["complete"])
    return listener


def look(say, home, names):
    """Everything a stranger may try on each name, and what came of it but a refusal."""
    learned = []
    ways = {
        "list": os.listdir,
        "see": os.stat,
        "read": lambda path: os.open(path, os.O_RDONLY | os.O_NONBLOCK),
        "write": lambda path: os.open(path, os.O_WRONLY | os.O_NONBLOCK),
        "make": lambda path: os.mkdir(path + "-mine"),
        "rename": lambda path: os.rename(path, path + "-mine"),
        "remove": os.unlink,
    }
    for name in names:
        for way, attempt in ways.items():
            try:
                attempt(os.path.join(home, name))
                learned.append(f"{way} {name}")
            except PermissionError:
                continue
            except OSError as error:
                learned.append(f"{way} {name}: {error.strerror}")
    say(learned)


def test_a_stranger_learns_nothing_of_any_file(busy):
    names = sorted({os.path.relpath(os.path.join(folder, name), busy.home)
                    for folder, folders, files in os.walk(busy.home) for name in [*folders, *files]})  # fmt: skip
    assert {"state.json", "history.db", "aitop.log", "listener.lock", "claudecode.sock", ".now"} <= set(names)
    with stranger(look, busy.home, names) as said:
        assert said() == []
    with stranger(look, busy.home, ["nobody.has.this"]) as said:
        assert said() == []  # nor whether a name exists


def knock(say, path, payload):
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.connect(path)
    except PermissionError:
        say("refused")
        return
    with contextlib.suppress(OSError):
        peer.sendall(payload.encode())
        peer.shutdown(socket.SHUT_WR)
    try:
        say(f"told {peer.recv(100)!r}")
    except ConnectionResetError:
        say("told b''")


def test_a_stranger_cannot_connect(busy):
    with stranger(knock, os.path.join(busy.home, "claudecode.sock"), "{}") as said:
        assert said() == "refused"


def test_a_stranger_who_gets_past_the_modes_is_refused_by_the_listener_and_told_nothing(busy):
    os.chmod(busy.home, 0o711)
    os.chmod(os.path.join(busy.home, "claudecode.sock"), 0o666)
    payload = json.dumps({"session_id": "stranger", "hook_event_name": "SessionStart"})
    with stranger(knock, os.path.join(busy.home, "claudecode.sock"), payload) as said:
        assert said() == "told b''"
    state = busy.wait_for(lambda state: state["hooks"]["rejected"] == 1)
    assert all(session["id"] != "stranger" for session in state["sessions"])
    assert state["hooks"]["received"] == 1


def serve(say, folder):
    selector = selectors.DefaultSelector()
    taken = []
    receiver = Receiver(os.path.join(folder, "s"), selector, [provider], taken.append)
    say("ready")
    end = time.monotonic() + 20
    while receiver.counts.total() == 0 and time.monotonic() < end:
        for key, _ in selector.select(0.1):
            key.data(time.monotonic(), time.time())
    say([receiver.counts.rejected, len(taken)])


def test_the_superuser_is_a_stranger_to_an_ordinary_user_s_listener(reachable, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, STRANGER, STRANGER)
    with stranger(serve, str(theirs)) as said:
        assert said() == "ready"
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(theirs / "s"))
            with contextlib.suppress(BrokenPipeError):  # refused before it could send
                peer.sendall(json.dumps({"session_id": "root", "hook_event_name": "Stop"}).encode())
        assert said() == [1, 0]


def impersonate(say, path, many):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(8)
    listener.settimeout(20)
    say("ready")
    for _ in range(many):
        peer, _ = listener.accept()
        with peer:
            say(peer.recv(1 << 20).decode("latin-1"))


def test_no_forwarder_hands_a_payload_to_a_socket_of_another_user(reachable, tmp_path):
    """Where the home is not there and its folder is shared, a stranger may be first to make it."""
    shared = tmp_path / "h"
    shared.mkdir()
    os.chmod(shared, 0o777)
    kinds = forwarder.candidates()
    with stranger(impersonate, str(shared / paths.SOCKET), len(kinds) + 1) as said:
        assert said() == "ready"
        for kind in kinds:
            script = str(shared / f"hook-{kind}")
            forwarder.write_script(script, forwarder.render(kind, str(shared)))
            done = subprocess.run(
                [script, "Stop"], input=b'{"prompt":"private"}', capture_output=True, timeout=20
            )
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
            assert said() == "", kind
        hook.start_timer(5)
        hook.send(str(shared / paths.SOCKET), b"private")
        hook.stop_timer()
        assert said() == ""


def test_a_home_of_another_user_is_refused(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, STRANGER, STRANGER)
    with pytest.raises(lifecycle.LifeError, match="another user"):
        lifecycle.prepare_home(str(theirs))


def test_a_runtime_folder_of_another_user_is_not_used(home, monkeypatch, tmp_path):
    """`su` leaves $XDG_RUNTIME_DIR as it was: its owner could put a link where root would write and delete."""
    theirs = tmp_path / "run-1000"
    theirs.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(theirs))
    assert paths.runtime_folder() is not None
    os.chown(theirs, STRANGER, STRANGER)
    publisher = Publisher(home, paths.runtime_folder())
    publisher.state({"n": 1}, 1_790_000_000.0)
    assert os.listdir(theirs) == []
    assert not os.path.islink(os.path.join(home, paths.STATE))
