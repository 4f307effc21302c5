"""What a life really used: every call as it was made, priced by the list, added up by hand.

Independent on purpose: it imports nothing of `aitop` and reads no file. The generator books here what it does.
"""

from collections import defaultdict
from datetime import UTC, datetime
from typing import NamedTuple

# Picodollars a token: fresh input, output, cache read, 5-minute write, 1-hour write (USD per million × 1,000,000).
PRICES = {
    "claude-opus-4-6": (5_000_000, 25_000_000, 500_000, 6_250_000, 10_000_000),
    "claude-haiku-4-5": (1_000_000, 5_000_000, 100_000, 1_250_000, 2_000_000),
    "gpt-5.1-codex": (1_250_000, 10_000_000, 125_000, 0, 0),
    "gemini-2.5-flash": (300_000, 2_500_000, 30_000, 0, 0),
}


class Use(NamedTuple):
    """Tokens of one call, each kind apart from the others."""

    fresh: int
    output: int
    read: int = 0
    write_5m: int = 0
    write_1h: int = 0

    @property
    def input(self):
        return self.fresh + self.read + self.write_5m + self.write_1h


class Version(NamedTuple):
    """What one file says of a call."""

    use: Use
    at: float
    finished: bool


class File(NamedTuple):
    """A file that holds calls: whose session it is, its path, and the time of its first line."""

    session: str
    path: str
    first_at: float


class Total(NamedTuple):
    """What is compared."""

    requests: int = 0
    input: int = 0
    output: int = 0
    cost: int = 0

    def plus(self, other):
        return Total(*(a + b for a, b in zip(self, other, strict=True)))


class Ledger:
    """Calls of all clients; the same call may stand in several files."""

    def __init__(self):
        self.versions = defaultdict(dict)  # (client, model, name) → file → version
        self.paying = {}  # (client, model, name) → the session that a copied line names

    def book(self, client, model, name, file, version, paying=None):
        """A whole line of a file says this of a call; a later line of the same file replaces it."""
        key = (client, model, name)
        self.versions[key][file] = version
        if paying:
            self.paying[key] = paying

    def calls(self):
        """(client, model, session, at, use) of every call, once."""
        for (client, model, name), files in self.versions.items():
            finished = [version for version in files.values() if version.finished]
            version = finished[0] if finished else next(iter(files.values()))
            first = min(files, key=lambda file: (file.first_at, file.path))
            session = self.paying.get((client, model, name), first.session)
            yield client, model, session, version.at, version.use

    def by(self, key):
        """key(client, model, session, at) → Total; calls whose key is None are left out."""
        found = defaultdict(Total)
        for client, model, session, at, use in self.calls():
            name = key(client, model, session, at)
            if name is not None:
                found[name] = found[name].plus(Total(1, use.input, use.output, cost(model, use)))
        return dict(found)

    def by_day(self, zone):
        return self.by(
            lambda _client, _model, _session, at: datetime.fromtimestamp(at, zone or UTC).date().isoformat()
        )


def cost(model, use):
    """Picodollars."""
    return sum(tokens * price for tokens, price in zip(use, PRICES[model], strict=True))
