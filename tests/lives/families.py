"""Eight families as their clients write: grow, fork, compress, reset, delete. Each call is noted as it is made.

`python -m tests.lives.families` makes 1,000 steps of each and compares; the tests run a short form.
"""

import argparse
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # for `support`

from support import client_samples as made
from support.client_samples import MODEL, write_document
from support.desk import PRICES, START

from aitop.history import schema
from aitop.history.store import History
from aitop.ingest.queue import Ingest
from aitop.model.sums import MICRO, ZERO, plus
from aitop.providers import cline, crush, droid, goose, hermes, kimi, pi

PAUSES = (1, 7, 60, 600)
READS = 0.35  # of the steps, each with as many slices as come
DIES = 0.08


class Family:
    """What all families share: a folder, a chance, and the calls that were really made."""

    def __init__(self, folder, chance):
        self.folder, self.chance = str(folder), chance
        self.calls = {}  # name → (fresh, read, output): every call once
        self.credits = 0  # millionths, where the client bills in them
        self.before_deleting = lambda: None  # what a listener does: it has read what is there
        self.number = 0

    def call(self):
        self.number += 1
        n = self.chance.randrange
        self.calls[self.number] = used = (n(1, 900), n(5000), n(1, 400))
        return self.number, used

    def path(self, *parts):
        path = os.path.join(self.folder, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def close(self):
        pass


class Pi(Family):
    """Sessions of OpenClaw's: lines that grow in parts, forks, compactions, resets and deletions."""

    provider = pi.openclaw

    def __init__(self, folder, chance):
        super().__init__(folder, chance)
        self.sessions = {}  # path → its lines

    def step(self, at):
        deed = self.chance.random()
        if not self.sessions or deed < 0.08:
            self.begin(at, [])
            return
        path = self.chance.choice(list(self.sessions))
        if deed < 0.16:
            self.begin(at, self.sessions[path][1:])  # a fork
        elif deed < 0.22:
            os.rename(path, f"{path}.{self.chance.choice(('reset', 'deleted'))}.2026-{self.number}")
            del self.sessions[path]
        elif deed < 0.26:
            shutil.copyfile(path, path + ".bak")
        elif deed < 0.3:
            self.append(
                path,
                {"type": "compaction", "id": f"c{self.number}", "timestamp": made.stamp(at), "summary": "x"},
            )
        else:
            number, (fresh, read, output) = self.call()
            self.append(path, made.pi_answer(number, at - START, fresh, output, read))

    def begin(self, at, lines):
        session = f"01a22592-abea-722d-828d-{len(os.listdir(self.path('s', 'x', ''))):012d}"
        path = self.path("s", "x", f"{session}.jsonl")
        self.sessions[path] = [made.pi_head(session, at - START), *lines]
        with open(path, "wb") as file:
            file.writelines(json.dumps(one).encode() + b"\n" for one in self.sessions[path])

    def append(self, path, record):
        self.sessions[path].append(record)
        data = json.dumps(record).encode() + b"\n"
        cut = self.chance.randrange(len(data)) if self.chance.random() < 0.2 else 0
        with open(path, "ab") as file:
            file.write(data[:cut])
            file.flush()
            file.write(data[cut:])

    def folders(self):
        return [os.path.join(self.folder, "s")]

    # Only files whose folder is `sessions` count.
    def path(self, *parts):
        return super().path(*(part if part != "x" else "sessions" for part in parts))


class OpenClaw(Family):
    """The database of an agent: rows that grow, are copied by forks, packed, written anew and deleted."""

    provider = pi.openclaw

    def __init__(self, folder, chance):
        super().__init__(folder, chance)
        self.db = sqlite3.connect(self.path("main", "agent", "openclaw-agent.sqlite"), isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.executescript(made.OPENCLAW_TABLES)
        self.sessions = {}  # name → its lines
        self.begun = 0

    def step(self, at):
        deed = self.chance.random()
        if not self.sessions or deed < 0.08:
            self.begin(at, [])
            return
        name = self.chance.choice(list(self.sessions))
        if deed < 0.16:
            self.begin(at, self.sessions[name][1:])  # a fork
        elif deed < 0.2:
            self.before_deleting()
            self.db.execute("DELETE FROM transcript_events WHERE session_id = ?", (name,))
            del self.sessions[name]
        elif deed < 0.28:  # written anew: other row numbers
            self.db.execute("DELETE FROM transcript_events WHERE session_id = ?", (name,))
            lines, self.sessions[name] = self.sessions[name], []
            for line in lines:
                self.append(name, line)
        else:
            number, (fresh, read, output) = self.call()
            self.append(name, made.pi_answer(number, at - START, fresh, output, read))

    def begin(self, at, lines):
        self.begun += 1
        name = f"01a22592-abea-722d-828d-{self.begun:012d}"
        self.sessions[name] = []
        for line in (made.pi_head(name, at - START), *lines):
            self.append(name, line)

    def append(self, name, record):
        self.db.execute(*made.openclaw_row(name, len(self.sessions[name]), record))
        self.sessions[name].append(record)

    def folders(self):
        return [self.folder]

    def close(self):
        self.db.close()


class Cline(Family):
    """Tasks that are rewritten, copied to another editor, and deleted."""

    provider = cline.cline

    def __init__(self, folder, chance):
        super().__init__(folder, chance)
        self.tasks = {}

    def step(self, at):
        deed = self.chance.random()
        if not self.tasks or deed < 0.1:
            self.tasks[f"{1795926803906 + self.number}-{len(self.tasks)}"] = []
        name = self.chance.choice(list(self.tasks))
        file = self.path("Code", "tasks", name, "ui_messages.json")
        if deed < 0.15 and os.path.exists(file):
            shutil.copytree(os.path.dirname(file), self.path("VSCodium", "tasks", name), dirs_exist_ok=True)
        elif deed < 0.18 and os.path.exists(file):
            self.before_deleting()
            shutil.rmtree(os.path.dirname(file))
            del self.tasks[name]
        else:
            number, (fresh, read, output) = self.call()
            request = made.cline_request(0, tokensIn=fresh, tokensOut=output, cacheReads=read, cacheWrites=0)
            request["ts"] = int(at * 1000) + number
            request["modelInfo"]["modelId"] = MODEL
            self.tasks[name].append(request)
            write_document(file, self.tasks[name])

    def folders(self):
        return [os.path.join(self.folder, editor, "tasks") for editor in ("Code", "VSCodium")]


class Kimi(Family):
    """Wire logs with mirrored usage, cumulative records, sub-agents and forks."""

    provider = kimi.provider

    def __init__(self, folder, chance):
        super().__init__(folder, chance)
        self.logs = {}

    def step(self, at):
        deed = self.chance.random()
        if not self.logs or deed < 0.08:
            self.logs[self.path("wd", f"session_{len(self.logs)}", "agents", "main", "wire.jsonl")] = []
        path = self.chance.choice(list(self.logs))
        if deed < 0.14 and self.logs[path]:
            self.fork(path, at)
            return
        if deed < 0.2:
            agent = os.path.join(os.path.dirname(os.path.dirname(path)), f"agent-{self.number}", "wire.jsonl")
            os.makedirs(os.path.dirname(agent), exist_ok=True)
            self.logs[agent] = []
            path = agent
        number, (fresh, read, output) = self.call()
        since = at - START + number / 1000
        usage = made.kimi_usage(since, fresh, output, read)
        told = [made.kimi_request(since), usage, made.kimi_event(since, "step.end", usage=usage["usage"])]
        if self.chance.random() < 0.2:  # a running sum
            told.append(made.kimi_usage(since, 10 * fresh, output, read, scope="session"))
        self.logs[path] += told
        with open(path, "ab") as file:
            file.writelines(json.dumps(one).encode() + b"\n" for one in told)

    def fork(self, path, at):
        session = os.path.dirname(os.path.dirname(os.path.dirname(path)))
        other = self.path(
            "wd",
            f"session_f{self.number}-{len(self.logs)}",
            "agents",
            os.path.basename(os.path.dirname(path)),
            "wire.jsonl",
        )  # noqa: E501
        if other in self.logs:
            return
        write_document(os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(other))), "state.json"),
                       {"forkedFrom": os.path.basename(session), "createdAt": int(at * 1000)})  # fmt: skip
        shutil.copyfile(path, other)
        self.logs[other] = list(self.logs[path])

    def folders(self):
        return [self.folder]


class Goose(Family):
    """A ledger beside its writer, a database that is compacted and begun again."""

    provider = goose.provider

    def __init__(self, folder, chance):
        super().__init__(folder, chance)
        self.generation = 0
        self.open()

    def open(self):
        self.file = self.path("sessions.db")
        self.db = sqlite3.connect(self.file, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.executescript(made.GOOSE_TABLES)

    def step(self, at):
        deed = self.chance.random()
        if deed < 0.02:
            self.db.execute("VACUUM")
        elif deed < 0.04:
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            number, (fresh, read, output) = self.call()
            session = f"s{self.chance.randrange(9)}"
            self.db.execute(*made.goose_row(at - START + number, fresh + read, output, read, session=session))

    def folders(self):
        return [self.file]

    def close(self):
        self.db.close()


class Hermes(Family):
    """Running sums by model, a gateway's sums of sessions alone, side calls, and sessions that are compressed."""

    provider = hermes.provider

    def __init__(self, folder, chance):
        super().__init__(folder, chance)
        self.file = self.path("state.db")
        self.db = sqlite3.connect(self.file, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.executescript(made.HERMES_TABLES + made.HERMES_BY_MODEL)
        self.sums = {}  # session → [calls, fresh, output, read] of itself; its rows likewise by task

    def step(self, at):
        deed = self.chance.random()
        if not self.sums or deed < 0.08:
            name = f"h{len(self.sums)}"
            parent = self.chance.choice([None, *self.sums]) if self.sums else None
            source = "subagent" if parent and deed < 0.04 else "cli"
            self.db.execute(*made.hermes_session(name, source, parent, at - START))
            self.sums[name] = {"own": [0, 0, 0, 0], "": [0, 0, 0, 0], "title": [0, 0, 0, 0]}
            return
        name = self.chance.choice(list(self.sums))
        _, (fresh, read, output) = self.call()
        sums = self.sums[name]
        task = "title" if deed < 0.15 else ""
        alone = deed > 0.8  # a gateway sets the session's own sums, and no row
        for part in (task,) if task else ("own",) if alone else ("own", ""):
            sums[part] = [a + b for a, b in zip(sums[part], (1, fresh, output, read), strict=True)]
        self.db.execute("BEGIN")
        if task:
            self.db.execute(*made.hermes_used(*sums[task], at - START, name, task=task))
        elif not alone:
            self.db.execute(*made.hermes_used(*sums[""], at - START, name))
        self.db.execute(*made.hermes_sums(*sums["own"], name))
        self.db.execute("COMMIT")

    def folders(self):
        return [self.file]

    def close(self):
        self.db.close()


class Droid(Family):
    """Settings that are replaced at each call, with sub-agents, and sessions that are deleted."""

    provider = droid.provider

    def __init__(self, folder, chance):
        super().__init__(folder, chance)
        self.sums = {}

    def step(self, at):  # noqa: ARG002
        deed = self.chance.random()
        if not self.sums or deed < 0.1:
            self.sums[f"d{self.number}-{len(self.sums)}"] = [0, 0, 0, 0]
        name = self.chance.choice(list(self.sums))
        path = self.path("-w", f"{name}.settings.json")
        _, used = self.call()
        spent = self.chance.randrange(900)
        self.credits += spent * MICRO
        self.sums[name] = [a + b for a, b in zip(self.sums[name], (*used, spent), strict=True)]
        fresh, read, output, spent = self.sums[name]
        write_document(path, made.droid(fresh, output, read, credits_=spent))

    def folders(self):
        return [self.folder]


class Crush(Family):
    """A project's database, with children that roll up."""

    provider = crush.provider

    def __init__(self, folder, chance):
        super().__init__(folder, chance)
        self.file = self.path("p", ".crush", "crush.db")
        self.db = sqlite3.connect(self.file, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.executescript(made.CRUSH_TABLES)
        self.sums = {}

    def step(self, at):
        if not self.sums or self.chance.random() < 0.1:
            self.sums[f"c{len(self.sums)}"] = [0, 0]
        name = self.chance.choice(list(self.sums))
        number, (fresh, read, output) = self.call()
        self.calls[number] = (fresh + read, 0, output)
        self.sums[name] = [self.sums[name][0] + fresh + read, self.sums[name][1] + output]
        self.db.execute(*made.crush_session(*self.sums[name], 0.0, at - START, name))
        self.db.execute(*made.crush_session(5, 5, 0.0, at - START, f"{name}-child", name))
        self.db.execute(*made.crush_answer(number, at - START, name))

    def folders(self):
        return [self.file]

    def close(self):
        self.db.close()


FAMILIES = {
    "pi": Pi,
    "openclaw": OpenClaw,
    "cline": Cline,
    "kimi": Kimi,
    "goose": Goose,
    "hermes": Hermes,
    "droid": Droid,
    "crush": Crush,
}


class Reader:
    """The history in a file; `die` loses what was not committed."""

    def __init__(self, path, family):
        self.path, self.family = path, family
        self.open()

    def open(self):
        self.db = schema.connect(self.path)
        self.history = History(self.db, PRICES)
        provider = self.family.provider
        self.ingest = Ingest(self.history, [provider], {provider.name: self.family.folders()}, 0)

    def read(self, now, slices=1_000_000):
        self.ingest.rescan(now)
        while self.ingest.waiting and slices:
            self.ingest.step(now)
            slices -= 1

    def commit(self, now):
        self.history.settle(now)
        self.history.commit()

    def die(self):
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self.db.close()
        self.open()

    def total(self):
        """(fresh, read, output, credits) of all sessions."""
        total = ZERO
        for (name,) in self.db.execute("SELECT name FROM session").fetchall():
            total = plus(total, self.history.session(self.family.provider.name, name).total)
        return total.uncached_input_tokens, total.cache_read_tokens, total.output_tokens, total.credits


def live(name, seed, steps):
    """(what was really used, what the history holds) after so many steps; the same seed is the same life."""
    chance = random.Random(f"{name}{seed}")
    with tempfile.TemporaryDirectory(prefix="aitop-family-") as folder:
        family = FAMILIES[name](os.path.join(folder, "client"), chance)
        family.path("x")
        reader, now = Reader(os.path.join(folder, "history.db"), family), START
        family.before_deleting = lambda: (reader.read(now), reader.commit(now))
        for _ in range(steps):
            now += chance.choice(PAUSES)
            family.step(now)
            deed = chance.random()
            if deed < READS:
                reader.read(now, chance.choice((1, 3, 1_000_000)))
            if deed < READS / 2:
                reader.commit(now)
            elif deed > 1 - DIES:
                reader.die()
        reader.read(now + 60)
        reader.commit(now + 60)
        used = (*map(sum, zip(*family.calls.values(), strict=True)), family.credits)
        held = reader.total()
        family.close()
        reader.db.close()
    return used, held


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.lives.families", description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    bad = 0
    for name in FAMILIES:
        began = time.perf_counter()
        used, held = live(name, arguments.seed, arguments.steps)
        bad += used != held
        word = "equal" if used == held else f"DIFFERENT, really {used}"
        print(
            f"{name}: {arguments.steps} steps, {held} tokens held, {word}, {time.perf_counter() - began:.0f} s"
        )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
