"""The server's loop: listen on loopback, let in who may, answer until a signal comes."""

import asyncio
import contextlib
import gc
import logging
import signal
import time
import weakref
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from aitop import paths
from aitop.system.loopback import peer_owner
from aitop.system.loopback.peer_owner import End
from aitop.web import admission
from aitop.web.admission import Facts, Refusal, Rules, Tickets
from aitop.web.feed import Feed
from aitop.web.questions import Questions
from aitop.web.routes import Site

HOST = "127.0.0.1"
LEAVE_SECONDS = 1.0
COOKIE_SECONDS = 400 * 86_400  # the longest that browsers keep one
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}


async def serve(port: int, uid: int | None, secret: str, ready: Callable[[int, Tickets], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` gets the port once it listens. Raises OSError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    path = paths.in_home(paths.HISTORY)
    quick, slow = Questions(path, together=2), Questions(path)
    door = Door(Rules(port, uid, secret))

    @web.middleware
    async def at_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await door.let_in(request, handler)

    app = web.Application(middlewares=[at_the_door])
    app.on_response_prepare.append(_with_headers)
    Site(Feed(time.time), quick, slow).add_to(app)
    app.router.add_get("/ticket", door.ticket)
    runner = web.AppRunner(
        app, access_log=None, logger=_silent(), handler_cancellation=True, shutdown_timeout=0.1
    )
    await runner.setup()
    gc.freeze()  # what is loaded stays: a child that tidies does not copy it
    try:
        site = web.TCPSite(runner, HOST, port, shutdown_timeout=LEAVE_SECONDS)
        await site.start()
        real = runner.addresses[0][1]
        door.rules = door.rules._replace(port=real)
        ready(real, door.tickets)
        await stop.wait()
    finally:
        quick.close()
        slow.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(runner.cleanup(), LEAVE_SECONDS * 3)


class Door:
    """Lets requests in, or says why not."""

    def __init__(self, rules: Rules, owner_of: admission.OwnerOf = peer_owner.owner) -> None:
        self.rules, self._owner_of = rules, owner_of
        self.tickets = Tickets()
        self._ours: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()  # connections of this user

    async def let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        facts = _facts(request)
        known = request.transport is not None and request.transport in self._ours
        rules = self.rules._replace(uid=None) if known else self.rules
        refused = admission.refusal(facts, rules, self._owner_of)
        if refused is not None:
            return _refusal(refused)
        if request.transport is not None:
            self._ours.add(request.transport)
        if request.path == "/ticket":
            return await handler(request)
        shown = request.query.get("token") if request.path == "/" else None
        if shown is not None:
            return self._welcome(shown)
        if not admission.has_cookie(facts, self.rules):
            return _refusal(admission.NO_COOKIE)
        return await handler(request)

    def _welcome(self, shown: str) -> web.StreamResponse:
        """Exchange the token of a link for the cookie."""
        now = time.monotonic()
        if not admission.equal(shown, self.rules.secret) and not self.tickets.use(shown, now):
            return _refusal(admission.WRONG_TOKEN)
        response = web.Response(status=303, headers={"Location": "/now"})
        response.set_cookie(
            admission.cookie_name(self.rules.port), admission.cookie_value(self.rules.secret), path="/",
            max_age=COOKIE_SECONDS, httponly=True, samesite="Strict",
        )  # fmt: skip
        return response

    async def ticket(self, request: web.Request) -> web.StreamResponse:
        """A ticket for a program of this user's that holds the secret: `aitop web`, called again."""
        if not admission.equal(request.headers.get(admission.HEADER, ""), self.rules.secret):
            return _refusal(admission.WRONG_TOKEN)
        return web.Response(text=self.tickets.make(time.monotonic()))


def _facts(request: web.Request) -> Facts:
    transport = request.transport
    ends = [transport.get_extra_info(name) if transport else None for name in ("peername", "sockname")]
    peer, here = (End(*end[:2]) if end else None for end in ends)
    return Facts(request.method, request.headers, request.cookies, peer, here)


def _refusal(refused: Refusal) -> web.Response:
    return web.Response(status=refused.status, text=f"aitop: {refused.message}\n")


async def _with_headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)


def _silent() -> logging.Logger:
    logger = logging.getLogger("aitop.web")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
