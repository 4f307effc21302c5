"""A history fed by one provider from a folder, without a listener: what reports do."""

import json
import os
import time

from aitop.history import schema
from aitop.history.store import History
from aitop.ingest.queue import Ingest
from aitop.model.sums import PICO, Sum
from aitop.pricing import table
from aitop.providers.isolation import guarded
from support.lines import START

PRICES = table.load()


class Desk:
    """`folders` are searched for this provider's records; `read` brings the history up to date."""

    def __init__(self, provider, *folders):
        self.provider = guarded(provider)
        self.db = schema.connect(":memory:")
        self.history = History(self.db, PRICES)
        self.ingest = Ingest(self.history, [self.provider], {provider.name: list(map(str, folders))}, 0)

    def read(self, now=None):
        now = now or time.time()
        self.ingest.rescan(now)
        while self.ingest.waiting:
            self.ingest.step(now)
        self.history.settle(now)
        self.changes = self.history.commit()
        return self

    def session(self, name):
        return self.history.session(self.provider.name, name)

    def total(self, name):
        return Sum(*self.session(name).total)

    def cost(self, name):
        return self.total(name).cost / PICO

    def totals(self):
        return {
            name: Sum(*self.session(name).total)
            for (name,) in self.db.execute("SELECT name FROM session").fetchall()
        }

    def tools(self):
        return [tuple(row) for row in self.db.execute("SELECT name, failed FROM tool ORDER BY at, name")]


def write(path, *records, grow=False):
    """Records as lines of a file; its folder is made."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "ab" if grow else "wb") as file:
        lines = [one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in records]
        file.writelines(lines)
    return str(path)


__all__ = ["START", "Desk", "write"]
