"""BLAKE2 and SHA-256 from Python itself: `hashlib` loads OpenSSL for them, 3 ms and 3 MB of every start.

The results are the same. A Python without these modules has `hashlib`'s.
"""

try:
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b
try:
    from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]  # Python 3.11
    except ImportError:
        from hashlib import sha256

__all__ = ["blake2b", "sha256"]
