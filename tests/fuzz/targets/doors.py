"""The door for a scraper: whatever is sent to it gets one answer or none, and metrics only who may have them."""

import io
import re
from random import Random
from typing import Any

from aitop.fleet.door import Door, Page

from .. import corpus, judge, mutate

TOKEN, METRICS = "right-token", b"aitop_cost_usd_total 1.0\n"
WORDS = (
    b"Host: localhost", b"Host: evil.example", b"Host:", b"Origin: null", b"Sec-Fetch-Site: same-site", b" ",
    b"\r\n\r\n",
    b"Authorization: Bearer right-token", b"Authorization: Bearer ", b"HTTP/9.9", b"HTTP/1.1", b"Expect: 100-continue",
    b"x: " + b"y" * 70_000, b"\x00", b"\xff", b"a: b\r\n" * 150, b"/metrics", b"//metrics", b"GET ", b"\r", b"\n",
)  # fmt: skip
STATUS = re.compile(rb"HTTP/1\.[01] (200|400|401|403|404|405|408|414|431|501|505) ")
BARE = re.compile(
    rb"(this address wants|programs of this|the metrics are|GET only|the head of|<!DOCTYPE HTML>)"
)  # what HTTP/0.9 is answered
FOREIGN = re.compile(rb"(?im)^(origin: https?://evil|sec-fetch-site: cross-site\r?$)")
END = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r")  # of a head, as lenient as the reader


class Peer:
    """A connection that has sent all it will send."""

    def __init__(self, data: bytes) -> None:
        self._data, self.got = data, b""

    def makefile(self, mode: str, *_: Any) -> io.BytesIO:
        return io.BytesIO(self._data)

    def sendall(self, data: bytes) -> None:
        self.got += bytes(data)

    def settimeout(self, _: float) -> None:
        pass


class FleetDoor:
    """Heads of requests, to a door on loopback and to one that wants its token."""

    name = "fleet-door"
    now = 1_790_000_000.0

    def __init__(self) -> None:
        self.seeds = corpus.raw("fleet-door")
        self.doors = [
            Door("127.0.0.1", 0, token, lambda _: Page(200, "text/plain", METRICS)) for token in (None, TOKEN)
        ]

    def fresh(self) -> None:
        pass

    def close(self) -> None:
        for door in self.doors:
            door.close()

    def make(self, random: Random) -> bytes:
        data = random.choice(self.seeds)
        for _ in range(random.randint(0, 4)):
            rows = data.split(b"\r\n")
            at = random.randrange(len(rows))
            if random.random() < 0.5:
                rows.insert(at, random.choice(WORDS))
            else:
                rows[at] = random.choice(random.choice(self.seeds).split(b"\r\n"))
            data = b"\r\n".join(rows)
        return mutate.battered(data, random) if random.random() < 0.3 else data

    def check(self, data: bytes) -> None:
        for door, wants in zip(self.doors, (None, TOKEN), strict=True):
            peer = Peer(data)
            try:
                door.handler()(peer, ("", 0), None)  # type: ignore[arg-type]
            except (OSError, ValueError):  # the door takes them for a broken connection
                continue
            served = peer.got.partition(b"\r\n\r\n")[2] == METRICS or peer.got == METRICS
            if peer.got and not served and not STATUS.match(peer.got) and not BARE.match(peer.got):
                raise judge.Broken(f"no answer of HTTP: {peer.got[:80]!r}")
            if served and wants and wants.encode() not in data:
                raise judge.Broken("metrics without the token")
            if served and FOREIGN.search(END.split(data)[0]):
                raise judge.Broken("metrics to a page elsewhere")

    def settle(self) -> None:
        pass
