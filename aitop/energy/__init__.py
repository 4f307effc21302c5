"""Energy and carbon of the models' output, estimated by EcoLogits. An extra: only its own command imports it.

It must not run inside the listener, and a figure never leaves it without its range. Read first: `estimate.py` (the
one door to the library), `factors.py` (what a listener multiplies with).
"""
