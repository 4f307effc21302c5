"""The user at the other end of a loopback connection, by Linux's tables of TCP connections.

A loopback connection has two ends on this machine, and the kernel's table names the owner of each. The end of
the peer is the entry with our addresses the other way round. Other systems have no such table.
Source: Linux, Documentation/networking/proc_net_tcp.rst.
"""

import os
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
MAPPED = bytes(10) + b"\xff\xff"  # in front of an IPv4 address in a table of IPv6
TIME_WAIT = b"06"  # the connection has no owner any more


class End(NamedTuple):
    """One end of a connection: an address as text and a port."""

    address: str
    port: int


def can_tell() -> bool:
    """Whether this system has the tables."""
    return os.access(TABLES[0], os.R_OK)


def owner(peer: End, here: End) -> int | None:
    """The user id of the peer's process; None where the tables do not name one. Reads the tables."""
    for path in TABLES:
        try:
            with open(path, "rb") as file:
                table = file.read()
        except OSError:
            continue
        uid = owner_in(table, peer, here)
        if uid is not None:
            return uid
    return None


def owner_in(table: bytes, peer: End, here: End) -> int | None:
    """As `owner`, from the text of one table. Pure."""
    for local, remote in zip(_spellings(peer), _spellings(here), strict=True):
        at = table.find(b": %s %s " % (local, remote))
        if at >= 0:
            fields = table[at : table.find(b"\n", at)].split()
            # ":", local, remote, state, queues, timer, retransmits, uid, timeout, inode …
            state, uid, inode = fields[3], fields[7], fields[9]
            return int(uid) if state != TIME_WAIT and inode != b"0" else None
    return None


def _spellings(end: End) -> Iterable[bytes]:
    """An end as the tables write it: words of four bytes in the machine's order; IPv4 also inside IPv6."""
    if ":" in end.address:
        packed = [socket.inet_pton(socket.AF_INET6, end.address.partition("%")[0])]
        packed += [packed[0][12:]] if packed[0].startswith(MAPPED) else packed
    else:
        plain = socket.inet_pton(socket.AF_INET, end.address)
        packed = [plain, MAPPED + plain]
    return [b"%s:%04X" % (_words(one), end.port) for one in packed]


def _words(packed: bytes) -> bytes:
    return b"".join(b"%08X" % word for word in struct.unpack(f"={len(packed) // 4}I", packed))
