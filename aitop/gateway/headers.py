"""The headers that a relay passes on: all except those of a single connection. Pure.

RFC 9110, 7.6.1 lists those, and `Connection` names more. `Host` is the upstream's own. `Expect` was answered
here before the request is relayed.
"""

from collections.abc import Iterable

HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip
REQUEST_ONLY = frozenset(("host", "expect"))

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


def is_local(host: str) -> bool:
    """Whether a `Host` header names this machine, by a name that cannot be pointed here from elsewhere."""
    name = host.rsplit("]", 1)[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    name = name.lower().rstrip(".")
    return name in ("localhost", "::1") or name.endswith(".localhost") or _is_127(name)


def _is_127(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() and len(part) < 4 for part in parts)
