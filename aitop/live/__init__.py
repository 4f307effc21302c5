"""What is known now: rolling windows, the aggregator, the snapshot, alerts, budgets, limits and forecasts.

Pure: `now` is an argument, and only `money/tracker.py` and `money/learner.py` ask the history. This room must
not read a file or publish. Read `aggregator.py` first, then `snapshot.py`.
"""
