"""The only writer of the history: identity, price, rows and sums of one commit, in one transaction.

Nothing here answers a question of a report. Read `responses.py` first, then `prepare.py` for much at once.
"""
