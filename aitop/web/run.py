"""`aitop web` as a process: its secret, its address for people and scripts, the browser, one server a home."""

import asyncio
import http.client
import json
import os
import sys
import time
import webbrowser
from typing import NamedTuple

from aitop import paths
from aitop.system.loopback import peer_owner, secret_file
from aitop.web import admission, serve
from aitop.web.admission import Tickets

PROBE_SECONDS = 2.0


class Telling(NamedTuple):
    """What the start is told by: the browser, JSON for a script, and whether the address comes with its token."""

    browser: bool
    json: bool
    token: bool  # False: a service, where what is printed is kept in a log


def run(port: int, telling: Telling) -> int:
    """Serve until a signal comes; the exit code. Where this home is served already, show that."""
    try:
        os.makedirs(paths.home(), mode=0o700, exist_ok=True)
        secret = secret_file.read_or_make(paths.in_home(paths.WEB_TOKEN))
    except OSError as error:
        return _say(f"{error}")
    ticket = _ticket_of(port, secret) if port else None
    if ticket is not None:
        _greet(port, secret, ticket, telling)
        return 0
    uid = os.getuid() if peer_owner.can_tell() else None

    def ready(real: int, tickets: Tickets) -> None:
        ticket = tickets.make(time.monotonic()) if telling.browser else ""
        _greet(real, secret, ticket, telling)

    try:
        asyncio.run(serve.serve(port, uid, secret, ready))
    except OSError as error:
        return _say(f"cannot listen on port {port}: {error.strerror or error}; choose another with --port")
    return 0


def _ticket_of(port: int, secret: str) -> str | None:
    """A ticket of the server that shows this home on that port already; None where none does."""
    connection = http.client.HTTPConnection(serve.HOST, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/ticket", headers={admission.HEADER: secret})
        answer = connection.getresponse()
        text = answer.read(200).decode("ascii", "replace")
        return text if answer.status == 200 and len(text) == 48 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _greet(port: int, secret: str, ticket: str, telling: Telling) -> None:
    """Print the address on stdout, with the token that lets a browser in, and open the browser."""
    at = f"http://{serve.HOST}:{port}/"
    link = f"{at}?token={secret}" if telling.token else at
    print(json.dumps({"url": link, "port": port, "pid": os.getpid()}) if telling.json else link, flush=True)
    # Other users see the browser's arguments, so it gets a token that is good once.
    if telling.browser and not webbrowser.open(f"{at}?token={ticket}"):
        _say("no browser could be started; open the address above")


def _say(text: str) -> int:
    print(f"aitop web: {text}", file=sys.stderr, flush=True)
    return 1
