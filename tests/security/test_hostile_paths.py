"""Paths that point elsewhere: in a hook's payload, and inside a client's own folders.

Anybody who reaches the socket may name any file. Nothing outside the client's folders is opened, or even
looked at; nothing inside blocks; the listener goes on. What is touched is seen from outside, by strace.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from support.desk import Desk, write
from support.gemini_records import header, message
from support.lines import SESSION, assistant, encode, transcript
from support.opencode_records import TABLES

from aitop.providers import files
from aitop.providers.gemini import provider as gemini
from aitop.providers.opencode import provider as opencode

pytestmark = pytest.mark.timeout(60)
SIGHT = r'(?:openat2?|open|stat|lstat|newfstatat|statx|readlink|readlinkat|access|faccessat2?|chdir)\b[^"]*"([^"]*)"'


def outside(tmp_path):
    """A folder full of what a hostile payload might name."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "x.jsonl").write_bytes(encode([assistant("outside", request_id="o")]))
    (folder / "rollout-x.jsonl").write_bytes(encode([assistant("outside", request_id="o")]))
    (folder / "opencode.db").write_bytes(b"SQLite format 3\0")
    (folder / "chats").mkdir()
    (folder / "chats" / "session-1.json").write_bytes(b"{}")
    os.mkfifo(folder / "pipe.jsonl")
    return folder


def hostile(root, folder):
    """Paths as a payload may hold them; `root` is the client's own folder."""
    return [
        f"{folder}/x.jsonl", f"{folder}/rollout-x.jsonl", f"{folder}/opencode.db", f"{folder}/chats/session-1.json",
        f"{folder}/pipe.jsonl", f"{root}/../../../outside/x.jsonl", f"{root}/-w/../../../../outside/x.jsonl",
        f"{root}/way/x.jsonl", f"{root}/zero.jsonl", f"{root}/pipe.jsonl", f"{root}/deep.jsonl", f"{root}x/x.jsonl",
        "/dev/zero", "/dev/stdin", "/dev/tty.jsonl", "/proc/self/environ", "/proc/self/fd/0", "/proc/self/root/x.jsonl",
        "/proc/self/cwd/x.jsonl", "/proc/1/root/etc/passwd.jsonl", "/net/nowhere/x.jsonl", "~/x.jsonl", "x.jsonl",
        "../x.jsonl", "", ".", "/", "//", "\0", f"{root}/\0x.jsonl", "/tmp/\udcff.jsonl", f"{root}/\ud800.jsonl",
        "/" * 5000, "a/" * 500_000 + "x.jsonl", f"{root}/" + "a" * 1_000_000 + ".jsonl",
        f"{root}/" + "b/" * 2000 + "x.jsonl",
        "file:///etc/passwd", "\\\\server\\share\\x.jsonl", "$(touch owned).jsonl", "-rf", 5, None, ["x"], {"a": 1},
    ]  # fmt: skip


def test_no_path_in_a_payload_makes_the_listener_look_outside_or_wait(home, noon, tmp_path, monkeypatch):
    if not shutil.which("strace"):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("strace is missing: install strace")
    root = tmp_path / "user" / ".claude" / "projects"
    own = transcript(str(root.parent), [assistant()])
    folder = outside(tmp_path)
    os.symlink(folder, root / "way")
    os.symlink("/dev/zero", root / "zero.jsonl")
    os.symlink(folder / "x.jsonl", root / "deep.jsonl")
    os.mkfifo(root / "pipe.jsonl")
    log = tmp_path / "calls"
    environ = os.environ | {
        "PYTHONPATH": os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    }
    traced = subprocess.Popen(
        ["strace", "-f", "-qq", "-s", "5000", "-e", "trace=%file", "-o", log, sys.executable, "-m", "aitop", "listen"],
        env=environ, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        state = wait(home, lambda state: state["scan"]["complete"] and state["today"] is not None)
        sent = 0
        for path in hostile(root, folder):
            for key in ("transcript_path", "agent_transcript_path"):
                payload = {"session_id": SESSION, "hook_event_name": "Stop", "n": sent, key: path}
                send(home, json.dumps(payload).encode("utf-8", "surrogatepass"))
                sent += 1
        send(
            home,
            json.dumps({"session_id": SESSION, "hook_event_name": "Stop", "transcript_path": own}).encode(),
        )
        state = wait(home, lambda state: state["hooks"]["received"] + state["hooks"]["rejected"] == sent + 1)
        assert state["hooks"]["rejected"] == 0
        time.sleep(3.5)  # a path is looked at again for some seconds after a turn's end
        state = wait(home, lambda new: new["written_at"] > state["written_at"] + 3)
        os.kill(state["listener"]["pid"], signal.SIGTERM)
        assert traced.wait(20) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(traced.pid, signal.SIGKILL)
        traced.wait(20)
    seen = set(re.findall(SIGHT, log.read_text(errors="replace")))
    assert own in seen
    away = (str(folder), "/net/", "/dev/zero", "/dev/tty", "/dev/stdin", f"{root}/way/", f"{root}x/")
    odd = re.compile(r"/proc/(self|1)/(root|cwd|fd)|environ(?!ment)|etc/passwd|.{5000}")
    strange = [path for path in seen if path.startswith(away) or odd.search(path)]
    assert strange == []
    with sqlite3.connect(os.path.join(home, "history.db")) as db:
        assert [path for (path,) in db.execute("SELECT path FROM file")] == [own]


def send(home, data):
    import socket

    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(os.path.join(home, "claudecode.sock"))
        peer.sendall(data)


def wait(home, true, seconds=30):
    deadline = time.monotonic() + seconds
    state = None
    while time.monotonic() < deadline:
        try:
            with open(os.path.join(home, "state.json"), "rb") as file:
                state = json.load(file)
                state["written_at"] = max(state["written_at"], os.fstat(file.fileno()).st_mtime)
        except (OSError, ValueError):
            state = None
        if state is not None and true(state):
            return state
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s; the last state: {json.dumps(state)[:2000]}")


# -- inside a client's folders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["fifo", "link", "device", "folder"])
def test_a_project_file_that_is_none_neither_blocks_nor_is_published(tmp_path, kind):
    """Gemini keeps a project's folder in a file beside its chats."""
    chats = tmp_path / "tmp" / "shop" / "chats"
    write(str(chats / "session-1.jsonl"), header(), message())
    secret = tmp_path / "id_rsa"
    secret.write_text("PRIVATE KEY")
    make(kind, chats.parent / ".project_root", secret)
    desk = Desk(gemini, *gemini.folders([str(tmp_path)], {}))
    desk.read()
    assert desk.db.execute("SELECT sum(requests), max(cwd) FROM session").fetchone() == (1, None)


@pytest.mark.parametrize("kind", ["fifo", "link", "device", "folder"])
@pytest.mark.parametrize("beside", ["-wal", "-journal", "-shm"])
def test_a_file_beside_a_database_that_is_none_does_not_block(tmp_path, beside, kind):
    path = tmp_path / "opencode.db"
    db = sqlite3.connect(path)
    db.executescript(TABLES)
    db.close()
    make(kind, tmp_path / f"opencode.db{beside}", tmp_path / "elsewhere")
    desk = Desk(opencode, str(path))
    desk.read()
    assert "not a regular file" in desk.ingest.unreadable[str(path)]


@pytest.mark.parametrize("kind", ["fifo", "link", "device", "folder"])
def test_a_document_that_turns_into_something_else_is_not_read(tmp_path, kind):
    """After it was looked at, before it is opened by its name."""
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    path = tmp_path / "session-1.json"
    make(kind, path, secret)
    with pytest.raises(OSError):
        files.read_regular(str(path), 1 << 20)
    with pytest.raises(OSError):
        list(gemini.read(str(path), gemini.identify(str(tmp_path / "chats" / "session-1.json"))))


def test_a_document_beyond_its_size_is_not_read(tmp_path):
    (tmp_path / "x.json").write_bytes(b"x" * 100)
    with pytest.raises(OSError, match="larger"):
        files.read_regular(str(tmp_path / "x.json"), 99)
    assert files.read_regular(str(tmp_path / "x.json"), 100) == b"x" * 100


def make(kind, path, target):
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        os.mkdir(path)
    else:
        os.symlink("/dev/zero" if kind == "device" else target, path)
