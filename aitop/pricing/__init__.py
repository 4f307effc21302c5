"""What a response cost: dated rows, model ids made equal, exact whole-number sums.

`table.load` reads the prices, `cost.price` applies them, `refresh.update` fetches newer ones.
This room must not know a provider's files or the listener, and only its commands look at a clock.
Read `rows.py` first (a price's shape), then `cost.py`.
"""
