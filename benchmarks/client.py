"""A client at work: transcripts that grow and hooks that arrive, at a pace.

The writers are processes of their own, which end by themselves after some seconds, so a measurement
that fails leaves nothing running.
"""

import contextlib
import json
import os
import select
import socket
import time
import traceback

STEP = 0.02  # seconds between two writes at a high pace
USAGE = {"input_tokens": 100, "output_tokens": 4000, "cache_read_input_tokens": 50_000,
         "cache_creation_input_tokens": 0}  # fmt: skip


class Sessions:
    """A client's folder with some sessions that grow by new responses."""

    def __init__(self, root, count=1):
        folder = os.path.join(root, "projects", "-work")
        os.makedirs(folder)
        self.ids = [f"{number:08x}-2222-4333-8444-555555555555" for number in range(count)]
        self.paths = [os.path.join(folder, f"{identity}.jsonl") for identity in self.ids]
        self.count = 0

    @property
    def path(self):
        return self.paths[0]

    def line(self, session, name, at):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"
        message = {"id": f"msg_{name}", "type": "message", "role": "assistant", "model": "claude-opus-4-6",
                   "content": [{"type": "text", "text": "fine"}], "stop_reason": "end_turn",
                   "usage": USAGE}  # fmt: skip
        record = {"type": "assistant", "uuid": f"u{name}", "timestamp": stamp, "message": message,
                  "requestId": f"req_{name}", "sessionId": self.ids[session], "cwd": "/work/shop"}  # fmt: skip
        return json.dumps(record) + "\n"

    def respond(self, count=1, at=None):
        """So many responses more, to each session in turn."""
        parts = {}
        for _ in range(count):
            session = self.count % len(self.ids)
            parts.setdefault(session, []).append(
                self.line(session, self.count, time.time() if at is None else at)
            )
            self.count += 1
        for session, lines in parts.items():
            with open(self.paths[session], "a") as file:
                file.write("".join(lines))


def stopped(home, sessions):
    """Send a home's listener the hook of a finished turn."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(os.path.join(home, "claudecode.sock"))
        payload = {"hook_event_name": "Stop", "session_id": sessions.ids[0], "transcript_path": sessions.path}
        peer.sendall(b"aitop/1\tprovider=claude-code\tevent=Stop\n" + json.dumps(payload).encode())


@contextlib.contextmanager
def at_pace(act, rate, seconds):
    """A process that calls act(n) so that n things happen `rate` times a second; for `seconds` at most.

    Yields a function that ends the process and returns (number of calls, seconds).
    """
    told, tell = os.pipe()
    go_on, ended = os.pipe()  # no signal ends it: one in the middle of a `connect` leaves a socket half made
    pid = os.fork()
    if not pid:
        os.close(ended)
        _pace(act, rate, seconds, go_on, tell)
    os.close(tell)
    os.close(go_on)
    result = []

    def end():
        if not result:
            os.close(ended)
            with os.fdopen(told) as file:
                result.extend(json.loads(file.read()))
            os.waitpid(pid, 0)
        return tuple(result)

    try:
        yield end
    finally:
        end()


def _pace(act, rate, seconds, go_on, tell):
    """In the new process: act until the pipe `go_on` closes, then report and exit."""
    done, began = 0, time.monotonic()
    most = max(1, int(rate * STEP))  # per step, even when it is late
    try:
        while time.monotonic() - began < seconds:
            due = min(int((time.monotonic() - began) * rate) + 1 - done, most)
            if due > 0:
                act(due)
                done += due
            if select.select([go_on], [], [], max(STEP, min(1 / rate, 0.5)) if due < most else 0)[0]:
                break
    except Exception:
        traceback.print_exc()
    finally:
        os.write(tell, json.dumps([done, time.monotonic() - began]).encode())
        os._exit(0)


class Hooks:
    """Sends hooks of finished tool calls to a home's socket, each over a new connection."""

    HEAD = b"aitop/1\tprovider=claude-code\tevent=PostToolUse\n"

    def __init__(self, home, sessions=8):
        self.address = os.path.join(home, "claudecode.sock")
        self.ids = [f"{number:08x}-2222-4333-8444-555555555555" for number in range(sessions)]
        self.count = 0

    def send(self, count=1):
        for _ in range(count):
            payload = {"hook_event_name": "PostToolUse", "session_id": self.ids[self.count % len(self.ids)],
                       "tool_name": "Bash", "tool_use_id": f"toolu_{self.count}", "duration_ms": 40,
                       "tool_response": "x" * 400}  # fmt: skip
            self.count += 1
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(self.address)
                peer.sendall(self.HEAD + json.dumps(payload).encode())
