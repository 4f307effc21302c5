"""One request through the gateway: sent on, answered, timed; the bytes of both directions untouched.

What is counted never holds up what is relayed: each piece goes out before it is looked at, and a fault in
looking costs the numbers of one request. Nothing of a request is read but its method, path and program.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from aitop import __version__
from aitop.gateway import headers
from aitop.gateway.exchange import Exchange
from aitop.gateway.upstreams import Route, Upstream
from aitop.providers.gateway.entry import Entry

Keep = Callable[[str, Entry], None]  # provider and entry; never waits, never raises

AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")  # only the client says them
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
        agent = request.headers.get("User-Agent", "")
        exchange = Exchange(upstream, request.method, request.path, agent, time.monotonic())
        try:
            return await self._relay(request, upstream, url, exchange)
        finally:
            self._tell(upstream, exchange)

    async def _relay(
        self, request: web.Request, upstream: Upstream, url: str, exchange: Exchange
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
                told = answer.headers
                exchange.answered(
                    answer.status, told.get("Content-Type", ""), told.get("Content-Encoding", "")
                )
                response = _response(answer)
                if not await _sent(response.prepare(request)):
                    return response
                async for piece in answer.content.iter_any():
                    if not await _sent(response.write(piece)):
                        return response  # leaving here lets go of the upstream too
                    exchange.passed(piece, time.monotonic())
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

    def _tell(self, upstream: Upstream, exchange: Exchange) -> None:
        try:
            entry = exchange.entry(time.time(), time.monotonic())
        except Exception:
            self.unread += 1  # an answer so odd that reading it failed; the client has it
            return
        if entry is not None:
            self.keep(upstream.provider, entry)


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
