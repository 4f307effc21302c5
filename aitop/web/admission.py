"""Who may see the pages: the browser of the user who runs the server, with its cookie. Pure but for the kernel's table.

The link that `aitop web` prints holds a secret. The first request with it gets a cookie, so the secret does not stay
in an address. Every other request needs the cookie, and must come from a page of ours: a page elsewhere is known by
`Origin` and `Sec-Fetch-Site`, a name of someone else's that leads to this machine (DNS rebinding) by `Host`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aitop.system.loopback.peer_owner import End

NAMES = ("127.0.0.1", "localhost", "[::1]")
HEADER = "x-aitop-token"  # of programs of ours, which hold the secret itself
TICKET_SECONDS = 120.0
TICKETS_MAX = 20
OWN_SITES = ("same-origin", "none")  # "same-site" is another port of this machine

OwnerOf = Callable[[End, End], int | None]


class Refusal(NamedTuple):
    status: int
    message: str


class Rules(NamedTuple):
    """What is asked of a request. `uid` None: the system cannot name the user of a connection."""

    port: int
    uid: int | None
    secret: str


class Facts(NamedTuple):
    """The facts of a request that the rules look at."""

    method: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    peer: End | None
    here: End | None


WRONG_METHOD = Refusal(405, "Pages are only read here: GET.")
FOREIGN_HOST = Refusal(403, "It serves its own machine only, under 127.0.0.1 or localhost.")
FOREIGN_PAGE = Refusal(
    403, "It does not answer pages or links of other sites. Paste the address into the address bar."
)
FOREIGN_USER = Refusal(403, "It serves the user who started it, and this connection is not that user's.")
NO_COOKIE = Refusal(401, "Open the link that `aitop web` prints. This browser has not been let in yet.")
WRONG_TOKEN = Refusal(
    401, "This link is not valid, or was used already. Run `aitop web` again for a new one."
)


def refusal(facts: Facts, rules: Rules, owner_of: OwnerOf) -> Refusal | None:
    """Why a request is not listened to, whatever it shows; None where it may show its cookie or token."""
    if facts.method not in ("GET", "HEAD"):
        return WRONG_METHOD
    own = {f"{name}:{rules.port}" for name in NAMES}
    if facts.headers.get("Host", "").lower() not in own:
        return FOREIGN_HOST
    origin = facts.headers.get("Origin")
    if origin is not None and origin.lower() not in {f"http://{host}" for host in own}:
        return FOREIGN_PAGE
    if facts.headers.get("Sec-Fetch-Site", "none") not in OWN_SITES:
        return FOREIGN_PAGE
    if rules.uid is not None:
        both = facts.peer is not None and facts.here is not None
        if not both or owner_of(facts.peer, facts.here) != rules.uid:  # type: ignore[arg-type]
            return FOREIGN_USER
    return None


def cookie_name(port: int) -> str:
    """Cookies know no ports, so the name does: two homes may be shown at once."""
    return f"aitop-web-{port}"


def cookie_value(secret: str) -> str:
    """What the cookie holds. The secret cannot be computed from it."""
    return hmac.new(secret.encode(), b"cookie", hashlib.sha256).hexdigest()


def has_cookie(facts: Facts, rules: Rules) -> bool:
    """Whether a request shows the cookie."""
    shown = facts.cookies.get(cookie_name(rules.port), "")
    return equal(shown, cookie_value(rules.secret))


def equal(shown: str, wanted: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(shown.encode("utf-8", "replace"), wanted.encode())


class Tickets:
    """Tokens that let a browser in once: the command that opens a browser is seen by every user of the machine."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def make(self, now: float) -> str:
        """A new ticket, valid for two minutes; `now` in seconds of any clock that only goes forward."""
        self._forget(now)
        while len(self._until) >= TICKETS_MAX:
            del self._until[next(iter(self._until))]
        ticket = secrets.token_hex(24)
        self._until[ticket] = now + TICKET_SECONDS
        return ticket

    def use(self, shown: str, now: float) -> bool:
        """Whether a ticket is valid; from now on it is not."""
        self._forget(now)
        matching = next((ticket for ticket in self._until if equal(shown, ticket)), None)
        if matching is None:
            return False
        del self._until[matching]
        return True

    def _forget(self, now: float) -> None:
        self._until = {ticket: until for ticket, until in self._until.items() if until > now}
