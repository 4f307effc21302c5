"""A client's ids as 64-bit keys: a fifth of the space of the text, and fast to look up.

Two ids of a million collide with a probability of 3e-8; the texts stay beside them in `response`.
"""

from struct import Struct

from aitop.system.digest import blake2b

_signed = Struct(">q").unpack


def key(kind: str, text: str) -> int:
    """A signed 64-bit digest of an id; `kind` keeps ids of different sorts apart."""
    try:
        named = f"{kind}:{text}".encode()
    except UnicodeEncodeError:  # half a character
        named = f"{kind}:{text}".encode("utf-8", "surrogatepass")
    return _signed(blake2b(named, digest_size=8).digest())[0]  # type: ignore[no-any-return]
