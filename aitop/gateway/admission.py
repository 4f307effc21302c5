"""Who may use the gateway: this user's programs, and no page of a browser. Pure, but for the kernel's table.

A program that gets in spends the user's money at the upstreams and appears in the user's numbers. On Linux the
kernel says who owns the other end of a loopback connection. Where it cannot, and for other machines, a token is
needed: the first part of the path, `/token-…/v1`, or the header `x-aitop-token`. Neither is relayed.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aitop.system.loopback import web_origin
from aitop.system.loopback.peer_owner import End

HEADER = "x-aitop-token"
PATH_PREFIX = "/token-"

OwnerOf = Callable[[End, End], int | None]


class Refusal(NamedTuple):
    status: int
    message: str


class Rules(NamedTuple):
    """What is asked of a request."""

    local_only: bool  # the gateway listens on loopback
    uid: int | None  # the peer's user must be this one; None: it is not asked
    token: str | None  # None: none is needed


class Request(NamedTuple):
    """The facts of a request that the rules look at. `target`: path and query as sent."""

    target: str
    headers: Mapping[str, str]
    peer: End | None
    here: End | None


FOREIGN_HOST = Refusal(403, "it serves its own machine only; `aitop gateway --help`, --host")
FOREIGN_PAGE = Refusal(403, "it does not serve web pages of other sites")
FOREIGN_USER = Refusal(403, "it serves the user who started it, and this connection is not that user's")
NO_TOKEN = Refusal(
    401,
    f"it needs its token, first in the path or in the header {HEADER}; `aitop gateway` prints the address",
)


def refusal(request: Request, rules: Rules, owner_of: OwnerOf) -> Refusal | None:
    """Why a request is not let in; None where it is."""
    headers = request.headers
    if rules.local_only and not web_origin.is_local_host(headers.get("Host", "localhost")):
        return FOREIGN_HOST
    if web_origin.is_foreign_page(headers.get("Origin"), headers.get("Sec-Fetch-Site")):
        return FOREIGN_PAGE
    if rules.uid is not None:
        both = request.peer is not None and request.here is not None
        if not both or owner_of(request.peer, request.here) != rules.uid:  # type: ignore[arg-type]
            return FOREIGN_USER
    if rules.token is not None:
        shown = headers.get(HEADER) or token_in(request.target)
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), rules.token.encode()):
            return NO_TOKEN
    return None


def token_in(target: str) -> str:
    """The token in the first part of a path; "" where there is none."""
    if not target.startswith(PATH_PREFIX):
        return ""
    return target[len(PATH_PREFIX) :].partition("?")[0].partition("/")[0]


def without_token(target: str) -> str:
    """The path and query that are relayed."""
    if not target.startswith(PATH_PREFIX):
        return target
    _, slash, rest = target[1:].partition("/")
    return slash + rest if slash else "/"
