"""A made-up year of responses, written straight into a `history.db` by the product's own writer.

It serves reports and forecasts over histories too large for transcripts on a disk. No file is read. Each session goes
through `History.packed` and `History.take`, as a helper of a first read sends it, so the product itself computes sums,
days and prices.
The same seed makes the same year. `grow` adds to it, each time over the whole year, so
one file is measured at several sizes.

`python -m benchmarks.year FOLDER [RESPONSES]` writes FOLDER/history.db (2 million: a minute or two)
and prints what it holds.
"""

import json
import os
import random
import sys
import time

from aitop.history import schema
from aitop.history.store import History
from aitop.model.events import Response, SessionInfo, ToolUse, Usage
from aitop.pricing import table

DAYS = 365
PER_SESSION = 250  # responses
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-sonnet-4-5-20250929")
TOOLS = ("Bash", "Read", "Edit", "Grep", "Write", "Task")
BRANCHES = ("main", "fix/login", "release", None)
COMMIT_AT = 40  # sessions


class Year:
    """A year that ends at `now` (epoch seconds). `truth` is what its history holds."""

    def __init__(self, path, now, seed=1):
        self.db = schema.connect(path)
        self.db.execute("PRAGMA synchronous = OFF")  # made again when lost
        self.db.execute("PRAGMA cache_size = -262144")  # ids have no order: their tree is kept in memory
        end = float("inf")
        self.history = History(self.db, table.load(), floor=end, exact=end)  # the changes are not used
        self.history.priced_otherwise()  # from now on it counts as priced by this table
        self.now, self.random, self.sessions = now, random.Random(seed), 0
        self.truth = {"responses": 0, "sessions": 0, "tools": 0, "input": 0, "output": 0}

    def grow(self, responses):
        """Add sessions all over the year until it holds that many responses."""
        missing = responses - self.truth["responses"]
        count = -(-missing // PER_SESSION)
        for number, begins in enumerate(sorted(self._begins() for _ in range(count))):
            self._session(begins, min(PER_SESSION, responses - self.truth["responses"]))
            if number % COMMIT_AT == COMMIT_AT - 1:
                self.history.commit()
        self.history.commit()
        return self.truth

    def _begins(self):
        """A moment of work by day: on weekends a fifth as often, at the end of the year twice as often as at first."""
        while True:
            day = self.random.randrange(DAYS)
            midnight = self.now // 86_400 * 86_400 - (DAYS - 1 - day) * 86_400
            weekend = time.gmtime(midnight).tm_wday >= 5
            begins = midnight + 3600 * self.random.triangular(7, 19, 10)
            often = (0.5 + 0.5 * day / DAYS) * (0.2 if weekend else 1.0)
            if begins < self.now - 3600 and self.random.random() < often:
                return begins

    def settle(self):
        """Move everything into one file, as a listener does at its end."""
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self):
        self.settle()
        self.db.close()

    def _session(self, begins, responses):
        """One session of some hours, in one of forty folders."""
        number = self.sessions
        name = f"{number:08x}-0000-4000-8000-{number:012d}"
        folder = f"/home/you/project-{number * 7 % 40}"
        model, at, context = self.random.choice(MODELS), begins, 9_000
        facts = SessionInfo(name, begins, cwd=folder, branch=BRANCHES[number % len(BRANCHES)], model=model)
        events = [facts]
        pace = min(60.0, max(0.1, (self.now - begins) / responses / 2))
        for count in range(responses):
            at = min(at + self.random.expovariate(1 / pace), self.now)
            events += self._response(name, f"{number:x}_{count:x}", at, model, context, count)
            context = 9_000 if context > 180_000 else context + self.random.randrange(300, 2_500)
        file = self.history.file("claude-code", f"{folder}/{name}.jsonl")
        self.history.touch(file)
        self.history.take("claude-code", self.history.packed(events, self.now), self.now, file)
        self.sessions += 1
        self.truth["sessions"] += 1
        self.truth["responses"] += responses

    def _response(self, session, name, at, model, context, count):
        written, output = self.random.randrange(300, 2_500), self.random.randrange(40, 1_500)
        usage = Usage(3, output, context, written)
        tool = self.random.random() < 0.5
        yield Response(session, at, model, usage, f"msg_{name}", f"req_{name}", stop_reason="tool_use" if tool else
                       "end_turn", offset=count * 2_000, end=count * 2_000 + 1_500)  # fmt: skip
        if tool:
            called, failed = self.random.choice(TOOLS), self.random.random() < 0.03
            ended = min(at + 2, self.now)
            yield ToolUse(session, at, f"toolu_{name}", called, None, ended, failed)
            self.truth["tools"] += 1
        self.truth["input"] += usage.input_tokens
        self.truth["output"] += output


def make(folder, responses=2_000_000, now=None):
    """Write a year into `folder`/history.db; what it holds."""
    os.makedirs(folder, exist_ok=True)
    year = Year(os.path.join(folder, "history.db"), time.time() if now is None else now)
    truth = year.grow(responses)
    year.close()
    return truth


if __name__ == "__main__":
    print(json.dumps(make(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2_000_000)))
