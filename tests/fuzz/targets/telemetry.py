"""Telemetry that programs send: OTLP's bodies in both forms, and LiteLLM's payloads.

A body is `SIGNAL`, a newline, and what a request would hold; it goes through the decoder to every
provider that knows telemetry, and what it tells into one history.
"""

import gzip
from random import Random

from aitop import otlp
from aitop.otlp import JSON, PROTOBUF, Malformed
from aitop.providers import Feed, TelemetryReader
from aitop.providers.conformance import checked_feed
from aitop.providers.gateway import litellm_payload
from aitop.providers.gateway.entry import to_line
from aitop.providers.load import load
from aitop.receiver.litellm_callback import _payloads
from aitop.receiver.telemetry import TooLarge, unpack

from .. import corpus, judge, mutate
from ..book import Book

NOW = 1_795_290_100.0  # a moment after what the corpus tells of
WIRE = (
    b"\x08\x96\x01", b"\x0a\x00", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0b",
    b"\x0c", b"\x0d\x00\x00\x80\x7f", b"\x09\x00\x00\x00\x00\x00\x00\xf8\x7f", b"\x09\x00\x00\x00\x00\x00\x00\xf0\xff",
    b"\x80" * 11, b"\xff" * 9 + b"\x01", b"\x0a\x02\x0a\x00" * 300, b"\x12\x7f", b"\x00", b"\x07",
)  # fmt: skip


class Bodies:
    """OTLP in one of its forms."""

    def __init__(self, form: str) -> None:
        self.name, self.now = f"otlp-{form}", NOW
        self.form = form
        raw = corpus.raw(self.name)
        self.bytes = [tuple(data.partition(b"\n")[::2]) for data in raw]
        self.seeds = {
            signal: corpus.parsed([body for of, body in self.bytes if of == signal])
            for signal, _ in self.bytes
        }
        self.book: Book | None = None
        self.fresh()

    def fresh(self) -> None:
        self.close()
        guarded, _ = load()
        self.providers = [one._provider for one in guarded if isinstance(one._provider, TelemetryReader)]  # noqa: SLF001
        self.book = Book(self.now)

    def close(self) -> None:
        if self.book is not None:
            self.book.close()
            self.book = None

    def make(self, random: Random) -> bytes:
        signal, body = random.choice(self.bytes)
        as_json = self.form == "json"
        data = mutate.document(self.seeds[signal], random) if as_json else self._wire(body, random)
        return signal + b"\n" + (gzip.compress(data, 1) if random.random() < 0.05 else data)

    def _wire(self, body: bytes, random: Random) -> bytes:
        """Protobuf whose fields are cut, doubled, stretched, or another's."""
        for _ in range(random.randint(1, 3)):
            at = random.randint(0, len(body))
            what = random.randrange(3)
            if what == 0:
                body = body[:at] + random.choice(WIRE) + body[at:]
            elif what == 1:
                _, other = random.choice(self.bytes)
                begin = random.randint(0, len(other))
                body = body[:at] + other[begin : begin + random.choice((4, 40, 400))] + body[at:]
            else:
                body = mutate.battered(body, random)
        return body[: mutate.LONGEST]

    def check(self, data: bytes) -> None:
        assert self.book is not None
        head, _, body = data.partition(b"\n")
        signal = head.decode("ascii", "replace")
        if signal not in otlp.SIGNALS:
            return
        try:
            body = unpack(body) if body[:2] == b"\x1f\x8b" else body
            records = otlp.decode(signal, body, PROTOBUF if self.form == "protobuf" else JSON)
        except (Malformed, TooLarge) as error:
            if len(str(error)) > 500:
                raise judge.Broken(f"a refusal of {len(str(error))} characters") from error
            return
        if len(records) > 1 + len(body):
            raise judge.Broken(f"{len(records)} records from {len(body)} bytes")
        for provider in self.providers:
            events = provider.telemetry(records, self.now)
            if len(events) > 1000 + 10 * len(records):
                raise judge.Broken(f"{len(events)} events from {len(records)} records")
            self.book.fed(provider.name, Feed(events, None, "telemetry", None, [], settle=False))

    def settle(self) -> None:
        assert self.book is not None
        for provider in self.providers:  # metrics that have waited for their service to tell of calls
            events = provider.telemetry([], self.now + 21)
            checked_feed(Feed(events, None, "telemetry", None, [], settle=False), provider.name)
        self.book.publish()


class LiteLLM:
    """What LiteLLM's callback posts, and the journal's lines that are made of it."""

    name = "litellm"

    def __init__(self) -> None:
        self.now = NOW
        self.seeds, self.bytes = corpus.documents(self.name), corpus.raw(self.name)
        guarded, _ = load()
        self.provider = next(one._provider for one in guarded if one.name == self.name)  # noqa: SLF001
        self.book: Book | None = None
        self.fresh()

    def fresh(self) -> None:
        self.close()
        self.book = Book(self.now)

    def close(self) -> None:
        if self.book is not None:
            self.book.close()
            self.book = None

    def make(self, random: Random) -> bytes:
        if random.random() < 0.1:
            return mutate.battered(random.choice(self.bytes), random)
        return mutate.document(self.seeds, random)

    def check(self, data: bytes) -> None:
        assert self.book is not None
        try:
            payloads = _payloads(data)
        except Malformed:
            return
        written = b""
        for one in payloads:
            entry = litellm_payload.entry(one, "litellm/proxy/2026-09-21")
            if entry is not None:
                written += to_line(entry)
        if len(written) > 4096 * (len(payloads) + 1):
            raise judge.Broken(f"{len(written)} bytes of journal for {len(payloads)} payloads")
        path = "/home/u/.aitop/gateway/litellm/2026-09-21.jsonl"
        for lines in (written, data + b"\n"):
            parsed = self.provider.parse(lines, 0, self.provider.identify(path))
            self.book.parsed(self.name, path, parsed, lines)

    def settle(self) -> None:
        assert self.book is not None
        self.book.publish()
