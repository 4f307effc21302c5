"""What is known now: rolling windows, the aggregator, the snapshot, alerts, budgets, limits and forecasts.

Pure: `now` is an argument, and only `money/keeper.py` asks the history. Nothing here reads a file or
publishes. Read `aggregator.py` first, then `snapshot.py`.
"""
