"""A client's ids as 64-bit keys: a fifth of the space of the text, and fast to look up.

Two ids of a million collide with a probability of 3e-8; the texts stay beside them in `response`.
"""

from hashlib import blake2b


def key(kind: str, text: str) -> int:
    """A signed 64-bit digest of an id; `kind` keeps ids of different sorts apart."""
    digest = blake2b(f"{kind}:{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
