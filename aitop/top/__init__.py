"""`aitop top`: the full picture on a terminal, live or once as plain text.

It shows the published state and asks the history, in a thread of its own. It must not count or price anything, and
no key waits for an answer. Read `app.py` first, then `picture.py` (what a screen shows).
"""
