"""The gateway's loop: listen, relay until a signal comes, let running answers end.

A second signal ends them at once. The library's logs are off: they quote what clients send.
"""

import asyncio
import contextlib
import logging
import signal
import urllib.request
from collections.abc import Callable

import aiohttp
from aiohttp import web

from aitop.gateway import headers
from aitop.gateway.relay import Keep, Relay, only_what_was_sent
from aitop.gateway.upstreams import Upstream, Upstreams

DRAIN = 60.0  # seconds for running answers after a signal
CONNECT = 30.0
LARGEST_HEADER = 1 << 16  # keys of some clouds are long
BACKLOG = 1024


async def serve(upstreams: Upstreams, host: str, port: int, keep: Keep, ready: Callable[[int], None]) -> None:
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
        relay = Relay(upstreams, session, keep, proxies, local_only=headers.is_local(host))
        runner = web.AppRunner(
            _app(relay), access_log=None, logger=_silent(), handler_cancellation=True, auto_decompress=False,
            max_line_size=LARGEST_HEADER, max_field_size=LARGEST_HEADER, shutdown_timeout=DRAIN,
        )  # fmt: skip
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port, backlog=BACKLOG)
            await site.start()
            ready(runner.addresses[0][1])
            await stop.wait()
            await site.stop()
        finally:
            stop.clear()
            await _end(runner, stop)


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
    if headers.is_local(host) or urllib.request.proxy_bypass(host):
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
