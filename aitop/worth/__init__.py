"""What the spend was worth: the value of a subscription at API prices, and which plan would have sufficed.

Asks the history and judges; it must not count, price or publish. Read `plan.py` first; `trailer.py` says what a
commit cost.
"""
