"""The small HTTP door for a scraper, in a thread of its own beside the listener's loop.

One request a connection, a few connections at once, each for a few seconds at most; beyond that the oldest one
makes room. On loopback any program of this machine may ask, as the scraper runs as another user; a web page may
not. Bound elsewhere it wants the token. It knows nothing of what it serves.
"""

import hmac
import os
import selectors
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

from aitop.system.loopback import web_origin

PATH = "/metrics"
MOST = 8  # connections at once
JUDGED = ("host", "origin", "sec-fetch-site", "authorization")  # one of each: two could be read in two ways
SECONDS = 5.0  # between two bytes of one request
BACKLOG = 16


class Page(NamedTuple):
    status: int
    media: str
    body: bytes


class Door:
    """Raises OSError when the address cannot be had. `answer(accept)` runs in a thread of the connection."""

    def __init__(self, host: str, port: int, token: str | None, answer: Callable[[str], Page]) -> None:
        self._token, self._answer = token, answer
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(BACKLOG)
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self.local = web_origin.is_local_host(host if family == socket.AF_INET else f"[{host}]")
        self.port: int = self._socket.getsockname()[1]
        self._wake, self._waker = os.pipe()
        self._open: dict[int, socket.socket] = {}
        self._lock = threading.Lock()
        self._numbers = 0
        self.served = 0
        self._thread = threading.Thread(target=self._serve, name="aitop-fleet", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; connections in hand end by themselves within seconds."""
        os.write(self._waker, b"x")
        self._thread.join()
        self._socket.close()
        os.close(self._waker)
        os.close(self._wake)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if self._wake in ready:
                    return
                try:
                    peer, _ = self._socket.accept()
                except OSError:  # it left, or there is no descriptor
                    self._drop_oldest()
                    continue
                self._take(peer)

    def _take(self, peer: socket.socket) -> None:
        with self._lock:
            self._numbers += 1
            number = self._numbers
            self._open[number] = peer
            crowded = len(self._open) > MOST
        if crowded:
            self._drop_oldest()
        threading.Thread(target=self._hear, args=(number, peer), daemon=True).start()

    def _drop_oldest(self) -> None:
        with self._lock:
            if not self._open:
                return
            oldest = self._open.pop(min(self._open))
        try:
            oldest.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _hear(self, number: int, peer: socket.socket) -> None:
        try:
            peer.settimeout(SECONDS)
            self.handler()(peer, ("", 0), None)  # type: ignore[arg-type]
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.pop(number, None)
            peer.close()

    def page(self, method: str, path: str, headers: "dict[str, str]") -> Page:
        """The answer to a request by its head: it has no body."""
        if self.local and (
            not web_origin.is_local_host(headers.get("host", "localhost"))
            or web_origin.is_foreign_page(headers.get("origin"), headers.get("sec-fetch-site"))
        ):
            return _plain(403, "programs of this machine only")
        if self._token is not None:
            shown = headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(shown.encode("latin-1", "replace"), self._token.encode()):
                return _plain(
                    401, "this address wants the token: `aitop export prometheus --token` prints it"
                )
        if path.partition("?")[0] != PATH:
            return _plain(404, f"the metrics are at {PATH}")
        if method not in ("GET", "HEAD"):
            return _plain(405, "GET only")
        page = self._answer(headers.get("accept", ""))
        self.served += 1
        return page

    def handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            server_version, sys_version = "aitop", ""
            timeout = SECONDS

            def _reply(self) -> None:
                names = [name.lower() for name in self.headers]
                folded = any("\n" in value for value in self.headers.values())
                if folded or self.headers.defects or any(names.count(name) > 1 for name in JUDGED):
                    page = _plain(400, "the head of this request cannot be read")
                else:
                    page = door.page(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
                self.send_response(page.status)
                self.send_header("Content-Type", page.media)
                self.send_header("Content-Length", str(len(page.body)))
                if page.status == 401:
                    self.send_header("WWW-Authenticate", "Bearer")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(page.body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _reply  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Nothing: a scraper asks four times a minute."""

        return Handler


def _plain(status: int, text: str) -> Page:
    return Page(status, "text/plain; charset=utf-8", f"{text}\n".encode())
