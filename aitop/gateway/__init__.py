"""`aitop gateway`: a relay on loopback that counts the requests that pass. A program of its own.

It must not change a byte of what passes, and must not keep content. Read `relay.py` first. Only `litellm.py`
and the receiver import from here, and only `journal.py`.
"""
