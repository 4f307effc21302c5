"""Clients' own files: lines and documents that grow, half written, damaged or forged."""

import os
import tempfile
from random import Random

from aitop.providers import Source
from aitop.providers.load import load

from .. import corpus, mutate
from ..book import Book

START = 1_790_000_000.0  # the corpus's own time
PATHS = {
    "claude-code": "/home/u/.claude/projects/-shop/11111111-2222-4333-8444-{:012d}.jsonl",
    "codex": "/home/u/.codex/sessions/2026/09/21/rollout-2026-09-21T12-00-00-01990000-aaaa-7000-8000-{:012d}.jsonl",
    "gemini": "/home/u/.gemini/tmp/shop/chats/session-2026-09-21T12-00-{:08d}.jsonl",
    "openai": "/home/u/.aitop/gateway/openai/2026-09-{:02d}.jsonl",
    "qwen": "/home/u/.qwen/projects/shop/chats/85c0792e-f721-41e7-bef5-{:012d}.jsonl",
    "pi": "/home/u/.pi/agent/sessions/--shop--/2026-09-21T14-13-20-000Z_01a22592-abea-722d-828d-{:012d}.jsonl",
    "kimi": "/home/u/.kimi-code/sessions/wd_shop_1c89ce7306c3/session_{:08d}/agents/main/wire.jsonl",
    "grok": "/home/u/.grok/sessions/%2Fwork%2Fshop/01a22595-bdb5-7ec0-be4e-{:012d}/updates.jsonl",
    "copilot": "/home/u/.copilot/session-state/983c1524-b9f7-40a9-930c-{:012d}/events.jsonl",
}


class Lines:
    """A provider's lines, run after run of a few files, into one history."""

    def __init__(self, name: str) -> None:
        assert name in PATHS, (
            f"`{name}` needs the path of its files in `PATHS` of tests/fuzz/targets/records.py"
        )
        self.name, self.now = name, START + 20
        guarded, _ = load()
        self.provider = next(one._provider for one in guarded if one.name == name)  # noqa: SLF001 - without its guard
        of = "gateway" if name == "openai" else name
        self.seeds, self.bytes = corpus.lines(of), corpus.raw(of)
        self.book: Book | None = None
        self.fresh()

    def fresh(self) -> None:
        self.close()
        self.book, self.number = Book(self.now), 0
        self.sources: dict[str, Source] = {}

    def close(self) -> None:
        if self.book is not None:
            self.book.close()
            self.book = None

    def make(self, random: Random) -> bytes:
        if random.random() < 0.1:
            return mutate.battered(random.choice(self.bytes), random)
        return mutate.lines(self.seeds, random)

    def check(self, data: bytes) -> None:
        assert self.book is not None
        self.number += 1
        path = PATHS[self.name].format(self.number % 7)
        source = self.sources.get(path) or self.provider.identify(path)
        data = data if data.endswith(b"\n") else data + b"\n"  # whole lines are what a provider is given
        parsed = self.provider.parse(data, 0, source)
        self.book.parsed(self.name, path, parsed, data)
        self.sources[path] = Source(parsed.session, source.agent, parsed.pending)
        if self.number % 5 == 0:
            self.sources.clear()

    def settle(self) -> None:
        assert self.book is not None
        self.book.publish()


class Documents:
    """OpenCode's messages and Gemini's older chats, each a file that is read whole."""

    name = "opencode"

    def __init__(self) -> None:
        self.now = START + 20
        guarded, _ = load()
        self.providers = {one.name: one._provider for one in guarded}  # noqa: SLF001 - without its guard
        self.seeds, self.bytes = corpus.documents("opencode"), corpus.raw("opencode")
        self.folder = tempfile.TemporaryDirectory(prefix="aitop-fuzz-")
        base = self.folder.name
        self.paths = {
            "opencode": os.path.join(base, "storage", "message", "ses_main", "msg_1.json"),
            "gemini": os.path.join(base, "tmp", "shop", "chats", "session-2026.json"),
        }
        for path in self.paths.values():
            os.makedirs(os.path.dirname(path))
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
        self.folder.cleanup()

    def make(self, random: Random) -> bytes:
        if random.random() < 0.1:
            return mutate.battered(random.choice(self.bytes), random)
        return mutate.document(self.seeds, random)

    def check(self, data: bytes) -> None:
        assert self.book is not None
        for name, path in self.paths.items():
            with open(path, "wb") as file:
                file.write(data)
            provider = self.providers[name]
            for parsed in provider.read(path, provider.identify(path)):
                self.book.parsed(name, path, parsed, data)

    def settle(self) -> None:
        assert self.book is not None
        self.book.publish()
