"""What a response cost: dated rows, model ids made equal, exact whole-number sums.

`table.load` reads the prices, `cost.price` applies them, `refresh.update` fetches newer ones.
Nothing here knows a provider's files, a clock or the listener.
"""
