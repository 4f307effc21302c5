"""The one background process: its loop, its clock, its lock, and what it does beside its work.

This room wires the others together; it must not parse a record, compute a cost or render a line.
Read `loop.py` first.
"""
