"""A made-up history of any size with the shape of real ones: line sizes, sessions, responses per line.

`python -m benchmarks.history FOLDER MEGABYTES [FILES]` writes a Claude Code folder. The same seed gives the
same history. What it holds is returned, so that a reader can be checked against it.
"""

import json
import os
import random
import sys
import time
from datetime import UTC, datetime

MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-sonnet-4-5-20250929")
DAYS = 25
# Of real lines: the median has 980 bytes, one in ten over 4,160, one in a hundred over 31,498.
MEDIAN_BYTES, SIGMA, TAIL, TAIL_BYTES, MOST_BYTES = 330, 1.6, 0.02, 30_000, 2_200_000
# Of real sessions: the median has 119 lines, one in ten over 979.
MEDIAN_LINES, LINES_SIGMA, MOST_LINES = 119, 1.64, 4_892


class Writer:
    """One history being written, and what it adds up to."""

    def __init__(self, seed=1):
        self.random = random.Random(seed)
        words = [f"{self.random.getrandbits(40):x}" for _ in range(4000)]
        self.filler = " ".join(self.random.choices(words, k=260_000))
        self.truth = {"files": 0, "lines": 0, "bytes": 0, "responses": 0, "input": 0, "output": 0,
                      "cache_read": 0, "cache_write": 0, "tools": 0, "today": 0}  # fmt: skip
        self.midnight = time.mktime((*time.localtime()[:3], 0, 0, 0, 0, 0, -1))

    def text(self, most=MOST_BYTES):
        size = self.random.lognormvariate(0, SIGMA) * MEDIAN_BYTES
        if self.random.random() < TAIL:
            size = self.random.lognormvariate(0, 1.2) * TAIL_BYTES
        size = min(int(size), most)
        start = self.random.randrange(max(1, len(self.filler) - size))
        return self.filler[start : start + size]

    def session(self, folder, number, lines, now, age):
        """One transcript of about so many lines, its last one `age` seconds old."""
        identity = f"be7c0000-0000-4000-8000-{number:012d}"
        model = MODELS[number % len(MODELS)]
        path = os.path.join(folder, f"-home-you-project-{number % 12}", f"{identity}.jsonl")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        at, written, context, parts = now - age - lines * 4, 0, 9_000, []
        common = {"isSidechain": False, "userType": "external", "cwd": f"/home/you/project-{number % 12}",
                  "sessionId": identity, "version": "2.1.219", "gitBranch": "main"}  # fmt: skip
        while written < lines:
            tool = self.random.random() < 0.8
            made = self.response(common, f"{number:x}_{written:x}", model, at, context, tool)
            parts += made
            written += len(made)
            context = 9_000 if context > 180_000 else context + self.random.randrange(300, 2_500)
            at += len(made) * 4
        data = "".join(parts).encode()
        with open(path, "wb") as file:
            file.write(data)
        os.utime(path, (now - age, now - age))
        self.truth["files"] += 1
        self.truth["lines"] += written
        self.truth["bytes"] += len(data)
        return path

    def response(self, common, name, model, at, context, tool):
        """One response as its lines, with the prompt or the tool result and the client's notes around it."""
        output = self.random.randrange(40, 1_500)
        fresh = self.random.randrange(300, 2_500)
        usage = {"input_tokens": 3, "cache_creation_input_tokens": fresh, "cache_read_input_tokens": context,
                 "output_tokens": output, "service_tier": "standard",
                 "cache_creation": {"ephemeral_5m_input_tokens": fresh, "ephemeral_1h_input_tokens": 0},
                 "server_tool_use": {"web_search_requests": 0}}  # fmt: skip
        lines, count = [], self.random.choice((1, 2, 2, 3, 3))
        for part in range(count):
            last = part == count - 1
            block = {"type": "text", "text": self.text(20_000)}
            if last and tool:
                name_of_tool = self.random.choice(("Bash", "Read", "Edit"))
                block = {"type": "tool_use", "id": f"toolu_{name}", "name": name_of_tool,
                         "input": {"command": self.text(6_000)}}  # fmt: skip
            stop = "tool_use" if tool else "end_turn"
            message = {"id": f"msg_{name}", "type": "message", "role": "assistant", "model": model,
                       "content": [block], "stop_reason": stop, "usage": usage}  # fmt: skip
            lines.append(self.line(common, "assistant", f"{name}_{part}", at + part, message=message,
                                   requestId=f"req_{name}"))  # fmt: skip
        if tool:
            self.truth["tools"] += 1
            content = [{"type": "tool_result", "tool_use_id": f"toolu_{name}", "content": self.text()}]
            shown = {"toolUseResult": {"stdout": self.text(), "stderr": "", "interrupted": False}}
        else:
            content, shown = self.text(9_000), {}
        message = {"role": "user", "content": content}
        lines.append(self.line(common, "user", f"{name}_u", at + count, message=message, **shown))
        for note in range(self.random.choice((1, 2, 3, 4, 5))):
            attachment = {"type": "hook_success", "content": self.text()}
            lines += [self.line(common, "attachment", f"{name}_n{note}", at + count, attachment=attachment)]
        for key, value in (("responses", 1), ("input", 3 + fresh + context), ("output", output),
                           ("cache_read", context), ("cache_write", fresh),
                           ("today", at >= self.midnight)):  # fmt: skip
            self.truth[key] += value
        return lines

    def line(self, common, kind, uuid, at, **fields):
        stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {"parentUuid": None, **common, "type": kind, "uuid": uuid, "timestamp": stamp, **fields}
        return json.dumps(record, separators=(",", ":")) + "\n"


class History:
    """A made-up client's folder that can grow. `truth` is what it adds up to."""

    def __init__(self, folder, now=None):
        self.projects = os.path.join(folder, "projects")
        self.now = time.time() if now is None else now
        self.writer = Writer()
        self.truth = self.writer.truth

    def grow(self, megabytes):
        """Add sessions until it has that size."""
        while self.truth["bytes"] < megabytes * 1_000_000:
            length = MEDIAN_LINES * self.writer.random.lognormvariate(0, LINES_SIGMA)
            self.session(min(int(length) + 2, MOST_LINES))
        return self.truth

    def session(self, lines):
        """One more session, some hours to some weeks old."""
        number = self.truth["files"]
        age = 7_200 + (number * 7_919) % (DAYS * 86_400)
        self.writer.session(self.projects, number, lines, self.now, age)


def make(folder, megabytes, now=None, files=None):
    """Write a history under `folder`/projects; what it adds up to. `files`: so many small files instead."""
    made = History(folder, now)
    while files and made.truth["files"] < files:
        made.session(6)
    return made.truth if files else made.grow(megabytes)


if __name__ == "__main__":
    print(
        json.dumps(
            make(sys.argv[1], float(sys.argv[2]), files=int(sys.argv[3]) if len(sys.argv) > 3 else None)
        )
    )
