"""What several rooms need of the machine: files replaced whole, loopback peers, this copy's Python and its owner,
how git is called.

It must not know an event, a price or a setting of the user's. Each module stands alone: read the one you need,
and `atomic_file.py` first where you write a file.
"""
