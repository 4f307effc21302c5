"""Receives telemetry by OTLP/HTTP: off by default, on loopback, with a token.

A small table says what each path takes. A body is unpacked within limits and turned into records by
`aitop.otlp`. Each record goes to the provider of the client that sent it, else to the provider `otel`.
Contents must not pass this point. Where the user has a collector, bodies are forwarded to it unchanged.
"""

import hmac
import selectors
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from aitop import otlp
from aitop.config import Config
from aitop.otlp import JSON, PROTOBUF, Malformed, Record
from aitop.providers import Feed
from aitop.providers.isolation import Guarded
from aitop.receiver import litellm_callback, token
from aitop.receiver.forwarding import Forwarder
from aitop.receiver.http import NEVER, Head, Reply, Web, plain
from aitop.receiver.unix_socket import Arrival
from aitop.system.loopback import web_origin

MAX_UNPACKED = 8 << 20
EVENT = "telemetry"
GENERIC = "otel"


class TooLarge(ValueError):  # noqa: N818
    """A body that unpacks to more than `MAX_UNPACKED` bytes."""


class Route(NamedTuple):
    """What one path takes. `take(body, media, now)` gets the unpacked body; it raises Malformed."""

    media: tuple[str, ...]
    take: Callable[[bytes, str, float], None]
    forwarded: bool = True


class TelemetryCounts(NamedTuple):
    received: int = 0  # bodies that were accepted
    rejected: int = 0
    records: int = 0


class TelemetryReceiver:
    """The receiver. `problem` says in plain words why it does not listen although it should."""

    def __init__(
        self,
        home: str,
        selector: selectors.BaseSelector,
        deliver: Callable[[Arrival], None],
        log: Callable[[str], None],
    ) -> None:
        self._home, self._selector, self._deliver, self._log = home, selector, deliver, log
        self.counts = TelemetryCounts()
        self.problem: str | None = None
        self._web: Web | None = None
        self._forwarder: Forwarder | None = None
        self._token = b""
        self._providers: list[Guarded] = []
        self._routes = {
            f"/v1/{signal}": Route((JSON, PROTOBUF), partial(self._otlp, signal)) for signal in otlp.SIGNALS
        } | {litellm_callback.PATH: Route(litellm_callback.MEDIA, litellm_callback.take, forwarded=False)}

    # -- switching -------------------------------------------------------------------------------------------

    def configure(self, config: Config, providers: Sequence[Guarded]) -> None:
        """Listen as the configuration says from now on. An unchanged port stays open."""
        self._providers = list(providers)
        self.problem = None
        port = int(config["otel.port"])
        if self._web is not None and (not config["otel.enabled"] or self._web.port != port):
            self._web.close()
            self._web = None
        self._forward(config["otel.forward"] if config["otel.enabled"] else "", port)
        if not config["otel.enabled"]:
            return
        try:
            self._token = token.read_or_make(self._home).encode()
            if self._web is None:
                self._web = Web(port, self._selector, self._judge, self._answer)
                self._log(f"telemetry is taken on 127.0.0.1:{port}")
        except OSError as error:
            self.problem = (
                f"127.0.0.1:{port} is not available ({error.strerror}): another program uses it, or a listener of "
                "another home; choose another otel.port"
                if error.errno is not None
                else str(error)
            )
            self._log(self.problem)
            if self._web is not None:
                self._web.close()
                self._web = None

    def _forward(self, url: str, port: int) -> None:
        if self._forwarder is not None and self._forwarder.url != url:
            self._forwarder.close()
            self._forwarder = None
        if url and self._forwarder is None:
            self._forwarder = Forwarder(url, self._selector)
        if url and any(url.startswith(f"http://{host}:{port}") for host in ("127.0.0.1", "localhost")):
            self._forward("", port)
            self.problem = "otel.forward is our own port: nothing is forwarded"

    def close(self) -> None:
        if self._web is not None:
            self._web.close()
        if self._forwarder is not None:
            self._forwarder.close()

    def sweep(self, monotonic: float, now: float) -> None:
        """Once a second: drop slow connections, and count the metrics that have waited."""
        if self._web is None:
            return
        self._web.sweep(monotonic)
        if self._forwarder is not None:
            self._forwarder.sweep(monotonic)
        self._hand_over(self._generic(), [], now)

    def next_turn(self) -> float:
        """The monotonic time at which the port is to be looked at again; infinity for none."""
        return NEVER if self._web is None else self._web.next_turn()

    def take_turn(self, monotonic: float) -> None:
        """Accept again where that is due."""
        if self._web is not None:
            self._web.take_turn(monotonic)

    def sign(self) -> tuple[object, ...]:
        """A value that changes whenever `doctor` changes."""
        forward = self._forwarder
        return (self.counts, self.problem, forward and (forward.sent, forward.failed, forward.lost))

    def doctor(self) -> dict[str, object] | None:
        """The contents of `state.doctor.otel`; None while the receiver is off."""
        if self._web is None and self.problem is None:
            return None
        return {
            "port": self._web.port if self._web else None,
            "problem": self.problem,
            **self.counts._asdict(),
            "forward": self._forwarder.doctor() if self._forwarder else None,
        }

    # -- requests --------------------------------------------------------------------------------------------

    def _judge(self, head: Head) -> Reply | None:
        """The refusal of a request by its head alone, or None. Without the token it says nothing else."""
        if not web_origin.is_local_host(head.headers.get("host", "localhost")) or web_origin.is_foreign_page(
            head.headers.get("origin"), head.headers.get("sec-fetch-site")
        ):
            return self._reject(head, 403, "programs of this machine only")
        shown = head.headers.get(token.HEADER) or head.headers.get("authorization", "").removeprefix(
            "Bearer "
        )
        if not hmac.compare_digest(shown.encode("latin-1", "replace"), self._token):
            return self._reject(
                head, 401, f"the header {token.HEADER} must hold the token of `aitop install --otel`"
            )
        route = self._routes.get(head.path)
        if route is None:
            return self._reject(head, 404, f"nothing is here; paths: {', '.join(self._routes)}")
        if head.method != "POST":
            return self._reject(head, 405, "POST only", ("allow", "POST"))
        if _media(head) not in route.media:
            return self._reject(head, 415, f"content-type must be {' or '.join(route.media)}")
        if _encoding(head) not in ("", "identity", "gzip"):
            return self._reject(head, 415, "content-encoding must be gzip, or none")
        return None

    def _answer(self, head: Head, body: bytes, now: float) -> Reply:
        route, media = self._routes[head.path], _media(head)
        if route.forwarded and self._forwarder is not None:
            self._forwarder.put(head.path, head.headers, body)
        try:
            route.take(unpack(body) if _encoding(head) == "gzip" else body, media, now)
        except TooLarge as error:
            return self._reject(head, 413, str(error))
        except Malformed as error:
            return self._reject(head, 400, str(error))
        except OSError as error:
            return self._reject(head, 503, f"it cannot be kept now: {error.strerror}")
        self.counts = self.counts._replace(received=self.counts.received + 1)
        return Reply(200, media, b"" if media == PROTOBUF else b'{"partialSuccess":{}}')

    def _reject(self, head: Head, status: int, text: str, *headers: tuple[str, str]) -> Reply:
        self.counts = self.counts._replace(rejected=self.counts.rejected + 1)
        return refusal(_media(head), status, text, *headers)

    # -- records ---------------------------------------------------------------------------------------------

    def _otlp(self, signal: str, body: bytes, media: str, now: float) -> None:
        by_provider: dict[str, tuple[Guarded, list[Record]]] = {}
        records = otlp.decode(signal, body, media)
        self.counts = self.counts._replace(records=self.counts.records + len(records))
        for record in records:
            provider = self._sent_by(record.service)
            if provider is not None:
                by_provider.setdefault(provider.name, (provider, []))[1].append(record)
        for provider, sent in by_provider.values():
            self._hand_over(provider, sent, now)

    def _sent_by(self, service: str) -> Guarded | None:
        return next((one for one in self._providers if one.sent_by(service)), None) or self._generic()

    def _generic(self) -> Guarded | None:
        return next((one for one in self._providers if one.name == GENERIC), None)

    def _hand_over(self, provider: Guarded | None, records: list[Record], now: float) -> None:
        events = provider.telemetry(records, now) if provider is not None else []
        if provider is not None and events:
            self._deliver(Arrival(provider.name, Feed(events, None, EVENT, None, [], settle=False)))


def unpack(body: bytes) -> bytes:
    """Unpack one gzip member. Raises TooLarge at the limit, Malformed for other bytes."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain_body = stream.decompress(body, MAX_UNPACKED + 1)
    except zlib.error as error:
        raise Malformed(f"no gzip: {error}") from error
    if len(plain_body) > MAX_UNPACKED:
        raise TooLarge(f"a body may unpack to {MAX_UNPACKED} bytes")
    if not stream.eof or stream.unused_data:
        raise Malformed("no gzip: it does not end where it should")
    return plain_body


def refusal(media: str, status: int, text: str, *headers: tuple[str, str]) -> Reply:
    """An error in the request's own form, as OTLP asks: google.rpc.Status with its `message`."""
    if media == PROTOBUF:
        message = text.encode()[:127]
        return Reply(status, PROTOBUF, b"\x12" + bytes((len(message),)) + message, headers)
    if media == JSON:
        import json

        return Reply(status, JSON, json.dumps({"message": text}).encode(), headers)
    return plain(status, text, *headers)


def _media(head: Head) -> str:
    return head.headers.get("content-type", "").partition(";")[0].strip().lower()


def _encoding(head: Head) -> str:
    return head.headers.get("content-encoding", "").strip().lower()
