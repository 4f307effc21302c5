"""One request through the gateway: sent on, answered, timed; the bytes of both directions untouched.

What is counted never holds up what is relayed: each piece goes out before it is looked at, and a fault in
looking costs the numbers of one request. Nothing of a request is read but its method, path and program.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from aitop import __version__, journal
from aitop.gateway import headers
from aitop.gateway.meter import Found, Meter
from aitop.gateway.programs import RECORDED, program
from aitop.gateway.upstreams import OLLAMA, Route, Upstream
from aitop.providers.gateway.entry import Entry

Keep = Callable[[str, Entry], None]  # provider and entry; never waits, never raises

AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")  # only the client says them
OPERATIONS = ("/chat/completions", "/completions", "/responses", "/embeddings",
              "/api/chat", "/api/generate", "/api/embed", "/api/embeddings")  # fmt: skip
UNREACHABLE = (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError)
SAID = {"unreachable": "cannot be reached", "broken_off": "closed the connection without an answer"}
OWN = "/.aitop"  # the one path that is the gateway's


class Relay:
    """The handler of every request."""

    def __init__(
        self,
        route: Route,
        session: aiohttp.ClientSession,
        keep: Keep,
        proxies: Mapping[str, str],
        *,
        local_only: bool,
    ) -> None:
        self.route, self.session, self.keep = route, session, keep
        self.proxies = proxies  # upstream's base → the proxy's URL
        self.local_only = local_only
        self.unread = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Relay one request. Raises what ends the connection when an answer breaks off in its middle."""
        if self.local_only and not headers.is_local(request.headers.get("Host", "localhost")):
            return _refusal(403, "this gateway serves its own machine only; `aitop gateway --help`, --host")
        if request.raw_path == OWN:
            names = [upstream.name for upstream in self.route.all()]
            return web.json_response({"aitop": __version__, "upstreams": names, "unread": self.unread})
        found = self.route.find(request.raw_path)
        if found is None:
            known = ", ".join(f"/{name}/" for name in self.route.named) or "none"
            return _refusal(404, f"no upstream for this path; those configured are {known}")
        upstream, url = found
        exchange = Exchange(request, upstream)
        try:
            return await self._relay(request, upstream, url, exchange)
        finally:
            self._tell(upstream, exchange)

    async def _relay(
        self, request: web.Request, upstream: Upstream, url: str, exchange: "Exchange"
    ) -> web.StreamResponse:
        response: web.StreamResponse | None = None
        try:
            async with self.session.request(
                request.method,
                URL(url, encoded=True),
                headers=CIMultiDict(headers.relayed(request.raw_headers, headers.REQUEST_ONLY)),
                data=_body(request) if request.can_read_body else None,
                skip_auto_headers=AUTOMATIC,
                allow_redirects=False,
                proxy=self.proxies.get(upstream.base),
            ) as answer:
                exchange.answered(answer)
                response = _response(answer)
                if not await _sent(response.prepare(request)):
                    return response
                async for piece in answer.content.iter_any():
                    if not await _sent(response.write(piece)):
                        return response  # leaving here lets go of the upstream too
                    exchange.passed(piece)
                exchange.complete = True
                await _sent(response.write_eof())
                return response
        except (aiohttp.ClientError, TimeoutError) as error:
            exchange.fault = "unreachable" if isinstance(error, UNREACHABLE) else "broken_off"
            if response is None:
                return _refusal(502, f"{upstream.name} {SAID[exchange.fault]} ({type(error).__name__})")
            if request.transport is not None:
                request.transport.close()  # what the client would see without us: an answer cut short
            raise asyncio.CancelledError from error

    def _tell(self, upstream: Upstream, exchange: "Exchange") -> None:
        try:
            entry = exchange.entry(time.time(), time.monotonic())
        except Exception:
            self.unread += 1  # an answer so odd that reading it failed; the client has it
            return
        if entry is not None:
            self.keep(upstream.provider, entry)


class Exchange:
    """What is noted of one request and its answer."""

    def __init__(self, request: web.Request, upstream: Upstream) -> None:
        path = request.path
        self.upstream = upstream
        self.began = time.monotonic()
        self.program = program(request.headers.get("User-Agent", ""))
        ours = self.program not in RECORDED
        self.counted = ours and request.method == "POST" and path.endswith(OPERATIONS)
        # A response made in the background is told when it is asked for.
        self.fetched = ours and request.method == "GET" and "/responses/" in path
        self.status: int | None = None
        self.meter: Meter | None = None
        self.complete = False
        self.fault: str | None = None

    def answered(self, answer: aiohttp.ClientResponse) -> None:
        self.status = answer.status
        if self.counted or self.fetched:
            told = answer.headers
            self.meter = Meter(told.get("Content-Type", ""), told.get("Content-Encoding", ""))

    def passed(self, piece: bytes) -> None:
        if self.meter is not None:
            self.meter.feed(piece, time.monotonic())

    def entry(self, now: float, ended: float) -> Entry | None:
        """The line for the journal; None for what is no request to a model."""
        said = self.meter.found() if self.meter is not None else Found()
        if not self.counted and said.tokens is None:
            return None
        error = self._error(said)
        return Entry(
            uuid.uuid4().hex, now, journal.session(self.program, self.upstream.name, now), said.model,
            tokens=None if error else said.tokens,
            stop_reason=None if error else said.stop_reason or ("stop" if self._ended(said) else None),
            error=error,
            response_id=said.response_id,
            local=self.upstream.provider == OLLAMA and not (said.model or "").endswith("cloud"),
            duration_ms=(ended - self.began) * 1000 if self.counted else None,
            ttft_ms=self._ttft(said) if self.counted else None,
        )  # fmt: skip

    def _ended(self, said: Found) -> bool:
        return self.complete and not said.unfinished

    def _error(self, said: Found) -> str | None:
        if said.tokens is not None:
            return None  # it is to be paid, however it ended
        if self.fault is not None and self.status is None:
            return self.fault
        if self.status is not None and self.status >= 400:
            return said.error if said.error not in (None, "error") else f"http_{self.status}"
        return said.error or self.fault

    def _ttft(self, said: Found) -> float | None:
        return (said.first_at - self.began) * 1000 if said.first_at is not None else said.ttft_ms


async def _sent(step: Awaitable[object]) -> bool:
    """Whether a step towards the client was done; False where the client has left."""
    try:
        await step
    except ConnectionResetError:
        return False
    return True


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    async for piece in request.content.iter_any():
        yield piece


def _response(answer: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.status,
        reason=answer.reason or "",
        headers=CIMultiDict(headers.relayed(answer.raw_headers)),
    )
    response["relayed"] = frozenset(response.headers)
    return response


async def only_what_was_sent(_: web.Request, response: web.StreamResponse) -> None:
    """Before headers go out: the server's own additions, but those of the connection, are taken off again."""
    sent = response.get("relayed")
    if sent is not None:
        for name in ("Server", "Date", "Content-Type"):
            if name in response.headers and name.lower() not in {one.lower() for one in sent}:
                del response.headers[name]


def _refusal(status: int, message: str) -> web.Response:
    """An error of the gateway's own, in the form that SDKs of these APIs understand."""
    return web.json_response(
        {"error": {"message": f"aitop gateway: {message}", "type": "gateway"}}, status=status
    )
