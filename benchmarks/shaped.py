"""Two made-up histories with costs that few large files hide: many files of real shape, and 20,000 tiny ones.

`shape.txt` has the kind and size of each line of 70 real transcripts; here they are filled with made-up words and
numbers, as often as wanted, each copy with ids and days of its own. What it adds up to is returned.

`python -m benchmarks.shaped FOLDER COPIES` writes a Claude Code folder: 100 copies are 7,000 files, 0.8 GB.
"""

import json
import os
import random
import sys
import time
from collections import deque
from datetime import UTC, datetime

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-4-5-20251001")
DAYS = 25
NEWEST_AGE = 120  # seconds
SESSIONS_TODAY = 3  # of each hundred files
STEP = 5.0  # seconds between two lines


def shapes():
    """(whether it is a sub-agent's, [(kind, bytes)]) of each real file."""
    with open(os.path.join(HERE, "shape.txt")) as file:
        rows = [line.split() for line in file if not line.startswith("#")]
    return [(row[0] == "agent", [(part[0], int(part[1:])) for part in row[1:]]) for row in rows]


class Folder:
    """A Claude Code folder that grows; `truth` is what it adds up to, `today` the responses since midnight."""

    def __init__(self, folder, now=None, seed=1):
        self.projects = os.path.join(folder, "projects")
        self.now = time.time() if now is None else now
        self.midnight = time.mktime((*time.localtime(self.now)[:3], 0, 0, 0, 0, 0, -1))
        self.random = random.Random(seed)
        self.words = "".join(self.random.choices("etaoinshrdlu ", k=400_000))
        self.truth = {"files": 0, "lines": 0, "bytes": 0, "responses": 0, "output": 0, "today": 0}
        self._session = None

    def copy(self, number):
        """Write one more copy of all shapes."""
        for place, (agent, lines) in enumerate(shapes()):
            self.file(f"{number:x}_{place:x}", lines, agent=agent)
        return self.truth

    def tiny(self, count):
        """So many files of one answer each."""
        for number in range(count):
            self.file(f"t_{number:x}", [("p", 400), ("a", 900)], agent=False)
        return self.truth

    def file(self, name, lines, *, agent):
        """One transcript: a session's, or one of a sub-agent of the session before."""
        count = self.truth["files"]
        recent = count % 100 < SESSIONS_TODAY
        age = NEWEST_AGE + (count * 37 % 900 if recent else 3_600 + count * 7_919 % (DAYS * 86_400))
        if not agent or self._session is None:
            self._session = f"be7c{count:04x}-0000-4000-8000-{count:012d}"
        project = os.path.join(self.projects, f"-home-you-project-{count % 200}")
        path = os.path.join(project, f"{self._session}.jsonl")
        if agent:
            path = os.path.join(project, self._session, "subagents", f"agent-{count:x}.jsonl")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = b"".join(self._lines(name, lines, self.now - age - STEP * len(lines), agent))
        with open(path, "wb") as file:
            file.write(data)
        os.utime(path, (self.now - age, self.now - age))
        self.truth["files"] += 1
        self.truth["lines"] += len(lines)
        self.truth["bytes"] += len(data)

    def _lines(self, name, lines, at, agent):
        response, model = 0, MODELS[self.truth["files"] % len(MODELS)]
        calls = deque()  # the ids of tool calls that have no result yet
        for number, (kind, size) in enumerate(lines):
            at += STEP
            if kind == "b":
                yield b"x" * max(0, size - 1) + b"\n"
                continue
            if kind in "atk":
                response += 1
                used = self._usage()
                began = at
            if kind.lower() in "atk" and response:
                body = self._answer(kind.lower(), f"{name}_{response}", model, used)
                if kind.lower() == "t":
                    calls.append(body["message"]["content"][0]["id"])
                if kind.islower():
                    self._count(used, began)
            else:
                body = _other(kind, calls.popleft() if kind == "r" and calls else f"toolu_{name}_{number}")
            yield self._filled(self._record(f"{name}_{number}", at, agent, body), size)

    def _record(self, name, at, agent, body):
        """A record with its keys in the order in which the client writes them."""
        stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "parentUuid": None, "isSidechain": agent, "userType": "external", "cwd": "/home/you/project",
            "sessionId": self._session, "version": "2.1.219", "gitBranch": "main", **body,
            "uuid": name, "timestamp": stamp,
        }  # fmt: skip

    def _usage(self):
        fresh, output = self.random.randrange(3, 900), self.random.randrange(40, 1_500)
        return {"input_tokens": fresh, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 20_000,
                "output_tokens": output, "service_tier": "standard",
                "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 0}}  # fmt: skip

    def _answer(self, kind, name, model, used):
        block = {
            "a": {"type": "text", "text": "FILL"}, "k": {"type": "thinking", "thinking": "FILL"},
            "t": {"type": "tool_use", "id": f"toolu_{name}", "name": "Bash", "input": {"command": "FILL"}},
        }[kind]  # fmt: skip
        message = {"id": f"msg_{name}", "type": "message", "role": "assistant", "model": model, "content": [block],
                   "stop_reason": "tool_use" if kind == "t" else "end_turn", "usage": used}  # fmt: skip
        return {"type": "assistant", "message": message, "requestId": f"req_{name}"}

    def _count(self, used, at):
        self.truth["responses"] += 1
        self.truth["output"] += used["output_tokens"]
        self.truth["today"] += at >= self.midnight

    def _filled(self, record, size):
        """The record as a line of about that size: never shorter than its own fields need."""
        line = json.dumps(record, separators=(",", ":"))
        room = max(0, size - 1 - len(line) + 4)
        start = self.random.randrange(max(1, len(self.words) - room))
        return line.replace("FILL", self.words[start : start + room], 1).encode() + b"\n"


def _other(kind, call):
    """A line that holds no response; a tool's result is that of `call`."""
    if kind in "pr":
        content = "FILL" if kind == "p" else [{"tool_use_id": call, "type": "tool_result", "content": "FILL"}]
        return {"type": "user", "message": {"role": "user", "content": content}}
    kinds = {"s": "system", "g": "progress", "m": "summary"}
    return {"type": kinds.get(kind, "attachment"), "content": "FILL"}


def make(folder, copies):
    """Write them; what they add up to."""
    made = Folder(folder)
    for number in range(copies):
        made.copy(number)
    return made.truth


if __name__ == "__main__":
    print(json.dumps(make(sys.argv[1], int(sys.argv[2]))))
