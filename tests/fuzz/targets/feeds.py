"""What comes through the socket and the status line: a header and JSON, or anything else."""

import os
import selectors
import tempfile
from random import Random
from unittest import mock

from aitop import statusline
from aitop.listener.answers import Answers
from aitop.providers.load import load
from aitop.receiver.unix_socket import Arrival, Receiver
from aitop.segments.text import cells

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
        self.answers = Answers(lambda: None, self._broken)
        self.book: Book | None = None
        self.fresh()

    @staticmethod
    def _broken(why: str) -> None:
        raise judge.Broken(f"no answer: {why}")

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
        arrival, question = self.receiver._payloads.take(data, self.now)  # noqa: SLF001 - what a connection's end does
        self.arrived.extend([] if arrival is None else [arrival])
        if question is not None:
            answer = self.answers.answer(question)
            if answer is not None:
                judge.line("statusline", answer.decode().splitlines()[0] if question.format == "line" else "")
        if self.receiver.counts.total() < before - 1:
            raise judge.Broken("a payload was neither taken nor rejected")
        for arrival in self.arrived:
            self.book.fed(arrival.provider, arrival.feed)

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
        plain = self.turn % 3 == 0
        # Other tests of this process must not see these.
        with mock.patch.dict(os.environ, COLUMNS=str(columns), NO_COLOR="1" if plain else ""):
            text = statusline.line(data, self.home.name, preset)
        for line in text.split("\n"):
            judge.line("plain" if plain else "statusline", line)
            width = cells(judge._OURS.sub("", line))  # noqa: SLF001
            if width > (columns or 10_000):
                raise judge.Broken(f"{width} cells where {columns} are")

    def settle(self) -> None:
        pass
