"""What comes through the socket and the status line: a header and JSON, or anything else."""

import os
import selectors
import tempfile
from random import Random

from aitop import statusline
from aitop.providers.load import load
from aitop.receiver.unix_socket import Arrival, Receiver

from .. import corpus, judge, mutate
from ..book import Book
from .records import START

HEADER = b"aitop/1\tprovider=claude-code\tevent=Stop\ttag=client-a\tpid=4242\tpane=%2525\tconfig_dir=/home/u/.claude\n"
PROVIDERS = (b"claude-code", b"codex", b"gemini", b"copilot", b"opencode", b"nobody", b"", b"%00")


class Socket:
    """Payloads of connections, to the receiver with every provider, and on into one history."""

    name = "socket"

    def __init__(self) -> None:
        self.now = START
        self.seeds = corpus.documents("socket")
        self.bytes = corpus.raw("socket")
        guarded, _ = load()
        self.providers = [one._provider for one in guarded]  # noqa: SLF001 - without their guards
        self.folder = tempfile.TemporaryDirectory(prefix="aitop-fuzz-")
        self.selector = selectors.DefaultSelector()
        self.arrived: list[Arrival] = []
        path = os.path.join(self.folder.name, "s")
        self.receiver = Receiver(path, self.selector, self.providers, self.arrived.append)
        self.book: Book | None = None
        self.fresh()

    def fresh(self) -> None:
        if self.book is not None:
            self.book.close()
        self.book = Book(self.now)

    def close(self) -> None:
        if self.book is not None:
            self.book.close()
            self.book = None
        self.receiver.close(keep_socket=False)
        self.selector.close()
        self.folder.cleanup()

    def make(self, random: Random) -> bytes:
        body = mutate.document(self.seeds, random)
        kind = random.randrange(10)
        if kind < 3:
            return body
        head = HEADER.replace(b"claude-code", random.choice(PROVIDERS))
        if kind < 6:
            return head + body
        return (
            mutate.battered(head, random) + body
            if kind < 9
            else mutate.battered(random.choice(self.bytes), random)
        )

    def check(self, data: bytes) -> None:
        assert self.book is not None
        before = self.receiver.counts.total() + len(self.arrived)
        self.arrived.clear()
        self.receiver._complete(data, self.now)  # noqa: SLF001 - what a connection's end does
        if self.receiver.counts.total() < before - 1:
            raise judge.Broken("a payload was neither taken nor rejected")
        for provider, feed in self.arrived:
            self.book.fed(provider, feed)

    def settle(self) -> None:
        assert self.book is not None
        judge.numbers(self.receiver.counts.published())
        if len(self.receiver.counts.by_event) > 201:
            raise judge.Broken("events are counted by name without end")
        self.book.publish()


class StatusLine:
    """The client's status-line JSON, on its way to the terminal."""

    name = "status-line"

    def __init__(self) -> None:
        self.now = START
        self.seeds, self.bytes = corpus.documents("status-line"), corpus.raw("status-line")
        self.home = tempfile.TemporaryDirectory(prefix="aitop-fuzz-")
        self.turn = 0

    def fresh(self) -> None:
        self.turn = 0

    def close(self) -> None:
        self.home.cleanup()

    def make(self, random: Random) -> bytes:
        if random.random() < 0.1:
            return mutate.battered(random.choice(self.bytes), random)
        return mutate.document(self.seeds, random)

    def check(self, data: bytes) -> None:
        self.turn += 1
        preset = statusline.PRESETS[self.turn % 4]
        columns = (0, 80, 20, 1)[self.turn // 4 % 4]
        os.environ["COLUMNS"] = str(columns)
        os.environ["NO_COLOR"] = "1" if self.turn % 3 == 0 else ""
        text = statusline.line(data, self.home.name, preset)
        judge.line("plain" if os.environ["NO_COLOR"] else "statusline", text)
        from aitop.segments.text import cells

        width = cells(judge._OURS.sub("", text))  # noqa: SLF001
        if width > (columns or 10_000):
            raise judge.Broken(f"{width} cells where {columns} are")

    def settle(self) -> None:
        pass
