"""One life: clients write, the history reads now and then, dies and comes back; then both counts are compared."""

import os
import random
import tempfile
from datetime import UTC
from typing import NamedTuple
from zoneinfo import ZoneInfo

from support.lines import START

from aitop.history import schema
from aitop.history.store import History
from aitop.ingest.queue import Ingest
from aitop.pricing import table
from aitop.providers.claude_code import provider as claude_code
from aitop.providers.codex import provider as codex
from aitop.providers.copilot import provider as copilot
from aitop.providers.gemini import provider as gemini
from aitop.providers.opencode import provider as opencode
from aitop.reports import groupings
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter

from .clients import Claude, Codex, Copilot, Gemini, OpenCode
from .ledger import Ledger, Total

PRICES = table.load()
PROVIDERS = {one.name: one for one in (claude_code, codex, copilot, gemini, opencode)}
ZONES = (UTC, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Pacific/Auckland"))
PAUSES = (1, 7, 60, 600, 7_200, 40_000)
REST = 30  # seconds after which a last line without its newline counts


class Difference(NamedTuple):
    """One sum in which the two counts disagree."""

    seed: int
    what: str
    ledger: Total | None
    aitop: Total | None


class Reader:
    """The history, as a listener keeps it; `die` loses what was not committed."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "history.db")
        self.folders = {
            name: one.folders([os.path.join(folder, _folder(name))], {}) for name, one in PROVIDERS.items()
        }
        self.open()

    def open(self):
        self.db = schema.connect(self.path)
        self.history = History(self.db, PRICES)
        self.ingest = Ingest(self.history, list(PROVIDERS.values()), self.folders, 0)

    def read(self, now, slices=1_000_000):
        """Look for what is new and read so many slices of it."""
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


def _folder(name):
    return "claude" if name == "claude-code" else name


def live(seed, steps=60):
    """The differences of one life; none is what is wanted. The same seed is the same life."""
    chance, ledger = random.Random(seed), Ledger()
    with tempfile.TemporaryDirectory(prefix="aitop-life-") as folder:
        clients = [
            Claude(folder, ledger, chance), Codex(folder, ledger, chance, packs=_packer()),
            Copilot(folder, ledger, chance), Gemini(folder, ledger, chance), OpenCode(folder, ledger, chance),
        ]  # fmt: skip
        reader, now, found = Reader(folder), START, []
        weights = [4, *(chance.randrange(3) for _ in clients[1:])]
        for number in range(steps):
            now += chance.choice(PAUSES)
            chance.choices(clients, weights)[0].step(now)
            _look(reader, clients, chance, now)
            if number == steps // 2:
                found += _compared(seed, "half-way", ledger, reader, clients, now)
        found += _compared(seed, "at the end", ledger, reader, clients, now + REST)
        clients[-1].close()
        reader.db.close()
    return found


def _look(reader, clients, chance, now):
    """What the reading side does in the same moment."""
    deed = chance.random()
    if deed < 0.3:
        reader.read(now, chance.choice((1, 3, 1_000_000)))
    if deed < 0.2:
        reader.commit(now)
    elif deed > 0.93:
        reader.die()
    elif deed > 0.90:  # what was read may go
        reader.read(now)
        reader.commit(now)
        clients[0].forget(now)


def _compared(seed, moment, ledger, reader, clients, now):
    clients[0].settle(now)
    reader.read(now + REST)
    reader.commit(now + REST)
    found = []
    for zone in ZONES:
        days = _rows(groupings.by_period(Asker(reader.db, Filter(zone=zone), (), {}), "day"), "day")
        found += _differences(seed, f"{moment}, days in {zone}", ledger.by_day(zone), days)
    asker = Asker(reader.db, Filter(zone=UTC), (), {})
    models = _rows(groupings.grouped(asker, "model"), "provider", "model")
    found += _differences(seed, f"{moment}, models", ledger.by(lambda c, m, _s, _at: (c, m)), models)
    sessions = {
        name: total
        for name, total in _rows(groupings.grouped(asker, "session"), "provider", "session").items()
        if name[0] != "opencode" and total.requests  # a fork of OpenCode's may count for either session
    }
    wanted = ledger.by(lambda c, _m, session, _at: None if c == "opencode" else (c, session))
    return found + _differences(seed, f"{moment}, sessions", wanted, sessions)


def _rows(answer, *names):
    found = {}
    for row in answer.rows:
        key = tuple(row[name] for name in names)
        found[key if len(names) > 1 else key[0]] = Total(
            row["requests"], row["input_tokens"], row["output_tokens"], round(row["cost_usd"] * 1e12)
        )
    return found


def _differences(seed, what, wanted, got):
    return [
        Difference(seed, f"{what}: {name}", wanted.get(name), got.get(name))
        for name in sorted({*wanted, *got}, key=str)
        if not _equal(wanted.get(name), got.get(name))
    ]


def _equal(one, other):
    """Equal to the token; money to what a float of it can hold."""
    if one is None or other is None:
        return one is other
    return one[:3] == other[:3] and abs(one.cost - other.cost) <= 1 + one.cost // 10**14


def _packer():
    """Zstandard, where there is one."""
    try:
        from compression import zstd
    except ImportError:
        try:
            from backports import zstd
        except ImportError:
            return None
    return zstd.compress
