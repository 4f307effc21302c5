"""The headers that a relay passes on: all except those of a single connection. Pure.

RFC 9110, 7.6.1 lists those, and `Connection` names more. `Host` is the upstream's own. `Expect` was answered
here before the request is relayed.
"""

from collections.abc import Iterable

HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip
REQUEST_ONLY = frozenset(("host", "expect", "x-aitop-token"))  # the token is ours alone

Raw = Iterable[tuple[bytes, bytes]]


def relayed(raw: Raw, more: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Headers in their order and spelling, without those of the connection."""
    pairs = [(name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in raw]
    named = {
        word.strip().lower()
        for name, value in pairs
        if name.lower() == "connection"
        for word in value.split(",")
    }
    dropped = HOP | more | named
    return [(name, value) for name, value in pairs if name.lower() not in dropped]
