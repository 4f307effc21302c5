"""BLAKE2 from Python's own code. `hashlib` would load OpenSSL for it: 2 ms of each start, and 2 MB of the listener.

For names and fingerprints. It must not be used where a secret is compared.
"""

try:
    from _blake2 import blake2b
except ImportError:  # a Python that keeps it elsewhere
    from hashlib import blake2b

__all__ = ["blake2b"]
