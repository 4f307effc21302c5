"""The gateway's loop: listen, relay until a signal comes, let running answers end.

A second signal ends them at once. The library's logs are off: they quote what clients send.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import urllib.request
from collections.abc import Callable

import aiohttp
from aiohttp import web

from aitop.gateway.admission import Rules
from aitop.gateway.connections import MAX_CONNECTIONS, Connections
from aitop.gateway.relay import Keep, Relay, only_what_was_sent
from aitop.gateway.upstreams import Upstream, Upstreams
from aitop.system.loopback import descriptors, web_origin

DRAIN = 60.0  # seconds for running answers after a signal
CONNECT = 30.0
LARGEST_HEADER = 1 << 16  # keys of some clouds are long
BACKLOG = 1024
RESERVED_FILES = 20  # descriptors for the loop, name lookups, certificates, the journal


async def serve(
    upstreams: Upstreams, host: str, port: int, keep: Keep, ready: Callable[[int], None], rules: Rules
) -> None:
    """Relay until SIGINT or SIGTERM; `ready` gets the port once it listens.

    Raises OSError when it cannot listen, ValueError for a proxy that cannot be used.
    """
    proxies = {upstream.base: proxy for upstream in upstreams.all() if (proxy := proxy_for(upstream))}
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask(*_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the rest ends by itself
            loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    loop.set_exception_handler(lambda _, __: None)
    async with _session() as session:
        relay = Relay(upstreams, session, keep, proxies, rules)
        runner = web.AppRunner(
            _app(relay), access_log=None, logger=_silent(), handler_cancellation=True, auto_decompress=False,
            max_line_size=LARGEST_HEADER, max_field_size=LARGEST_HEADER, shutdown_timeout=DRAIN,
        )  # fmt: skip
        await runner.setup()
        try:
            server = await _listen(runner, relay, host, port)
            ready(server.sockets[0].getsockname()[1])
            await stop.wait()
            server.close()
        finally:
            if relay.connections is not None:
                relay.connections.close()
            stop.clear()
            await _end(runner, stop)


async def _listen(runner: web.AppRunner, relay: Relay, host: str, port: int) -> asyncio.Server:
    """Listen. The library opens the sockets, `Connections` accepts: only so can a flood be bounded."""
    descriptors.raise_limit()
    most = descriptors.connections(MAX_CONNECTIONS, reserved=RESERVED_FILES, per_connection=2)
    assert runner.server is not None
    relay.connections = Connections(runner.server, most)
    server = await asyncio.get_running_loop().create_server(
        runner.server, host, port, reuse_address=True, start_serving=False
    )
    for one in server.sockets:
        listening = socket.socket(fileno=os.dup(one.fileno()))
        listening.listen(BACKLOG)
        listening.setblocking(False)
        relay.connections.listen(listening)
    return server


async def _end(runner: web.AppRunner, again: asyncio.Event) -> None:
    """Wait for running answers. A second signal or the end of the drain time cuts them."""
    ending = asyncio.ensure_future(runner.cleanup())
    asked = asyncio.ensure_future(again.wait())
    await asyncio.wait((ending, asked), return_when=asyncio.FIRST_COMPLETED)
    for task in (ending, asked):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _app(relay: Relay) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{target:.*}", relay.handle)
    app.on_response_prepare.append(only_what_was_sent)
    return app


def _session() -> aiohttp.ClientSession:
    """One session for all requests. It keeps connections, and no cookies, which belong to one client."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT),
        max_line_size=LARGEST_HEADER,
        max_field_size=LARGEST_HEADER,
    )


def proxy_for(upstream: Upstream) -> str | None:
    """The system's proxy for an upstream, by the usual variables; None for this machine itself.

    Raises ValueError for a SOCKS proxy, which is not supported and must not be bypassed in silence.
    """
    scheme, _, rest = upstream.base.partition("://")
    host = rest.partition("/")[0]
    if web_origin.is_local_host(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if proxy and not proxy.startswith(("http://", "https://")):
        raise ValueError(
            f"the system's proxy is no HTTP proxy; set {scheme.upper()}_PROXY to one, or NO_PROXY={host}"
        )
    return proxy


def _silent() -> logging.Logger:
    logger = logging.getLogger("aitop.gateway")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
