"""One request through the gateway: relayed, answered, timed. The bytes of both directions stay untouched.

Counting must not delay relaying: each piece goes out before it is read, and a fault in reading costs the
numbers of one request. Of a request only the method, the path, the program and the sender are read.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from aitop import __version__
from aitop.gateway import admission, headers
from aitop.gateway.admission import OwnerOf, Refusal, Rules
from aitop.gateway.connections import Connections, Guarded
from aitop.gateway.exchange import Exchange
from aitop.gateway.upstreams import Upstream, Upstreams
from aitop.providers.gateway.entry import Entry
from aitop.system.local_zone import ZoneWatch
from aitop.system.loopback import peer_owner
from aitop.system.loopback.peer_owner import End

Keep = Callable[[str, Entry], None]  # (provider, entry); never waits, never raises

AUTOMATIC = (
    "User-Agent",
    "Accept",
    "Accept-Encoding",
    "Content-Type",
)  # aiohttp must not add them: only the client may
UNREACHABLE = (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError)
SAID = {"unreachable": "cannot be reached", "broken_off": "closed the connection without an answer"}
OWN = "/.aitop"  # the only path that the gateway answers itself


class Relay:
    """The handler of every request."""

    def __init__(
        self,
        upstreams: Upstreams,
        session: aiohttp.ClientSession,
        keep: Keep,
        proxies: Mapping[str, str],
        rules: Rules,
        owner_of: OwnerOf = peer_owner.owner,
    ) -> None:
        self.upstreams, self.session, self.keep = upstreams, session, keep
        self.proxies = proxies  # upstream's base → the proxy's URL
        self.rules, self._owner_of = rules, owner_of
        self.connections: Connections | None = None  # set when the server is made
        self.unread = 0
        self._zone = ZoneWatch()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Relay one request. Raises CancelledError to end the connection of an answer that broke off."""
        assert self.connections is not None
        with self.connections.request(request.protocol) as connection:
            refused = self._judge(request, connection)
            if refused is not None:
                response = _refusal(refused.status, refused.message)
                response.force_close()
                return response
            if connection is not None:
                connection.trusted = True
            return await self._admitted(request, admission.without_token(request.raw_path))

    def _judge(self, request: web.Request, connection: Guarded | None) -> Refusal | None:
        """Why a request is not let in. The owner of a connection is asked for once."""
        transport = request.transport
        peer = End(*transport.get_extra_info("peername")[:2]) if transport is not None else None
        here = End(*transport.get_extra_info("sockname")[:2]) if transport is not None else None
        is_ours = connection is not None and connection.is_ours
        rules = self.rules._replace(uid=None) if is_ours else self.rules
        refused = admission.refusal(
            admission.Request(request.raw_path, request.headers, peer, here), rules, self._owner_of
        )
        if connection is not None and refused is None:
            connection.is_ours = True
        return refused

    async def _admitted(self, request: web.Request, target: str) -> web.StreamResponse:
        if target == OWN:
            names = [upstream.name for upstream in self.upstreams.all()]
            return web.json_response({"aitop": __version__, "upstreams": names, "unread": self.unread})
        place = self.upstreams.find(target)
        if place is None:
            configured = ", ".join(f"/{name}/" for name in self.upstreams.named) or "none"
            return _refusal(404, f"no upstream for this path; those configured are {configured}")
        upstream, url = place
        agent = request.headers.get("User-Agent", "")
        exchange = Exchange(upstream, request.method, target.partition("?")[0], agent, time.monotonic())
        try:
            return await self._relay(request, upstream, url, exchange)
        finally:
            self._record(upstream, exchange)

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
                content_type = answer.headers.get("Content-Type", "")
                exchange.answered(answer.status, content_type, answer.headers.get("Content-Encoding", ""))
                response = _response(answer)
                if not await _sent(response.prepare(request)):
                    return response
                async for piece in answer.content.iter_any():
                    if not await _sent(response.write(piece)):
                        return response  # leaving the block ends the request at the upstream
                    exchange.passed(piece, time.monotonic())
                exchange.complete = True
                await _sent(response.write_eof())
                return response
        except (aiohttp.ClientError, TimeoutError) as error:
            exchange.fault = "unreachable" if isinstance(error, UNREACHABLE) else "broken_off"
            if response is None:
                return _refusal(502, f"{upstream.name} {SAID[exchange.fault]} ({type(error).__name__})")
            if request.transport is not None:
                request.transport.close()  # the client sees an answer cut short, as without us
            raise asyncio.CancelledError from error

    def _record(self, upstream: Upstream, exchange: Exchange) -> None:
        self._zone.changed()  # the day of the line is that of the zone in force now
        try:
            entry = exchange.entry(time.time(), time.monotonic())
        except Exception:
            self.unread += 1  # reading this answer failed; the client has it
            return
        if entry is not None:
            self.keep(upstream.provider, entry)


async def _sent(step: Awaitable[object]) -> bool:
    """Whether a step towards the client succeeded; False where the client has left."""
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
    """Before headers go out: remove what the server library added, except headers of the connection."""
    sent = response.get("relayed")
    if sent is not None:
        for name in ("Server", "Date", "Content-Type"):
            if name in response.headers and name.lower() not in {one.lower() for one in sent}:
                del response.headers[name]


def _refusal(status: int, message: str) -> web.Response:
    """An error of the gateway itself, in the form that SDKs of these APIs understand."""
    return web.json_response(
        {"error": {"message": f"aitop gateway: {message}", "type": "gateway"}}, status=status
    )
