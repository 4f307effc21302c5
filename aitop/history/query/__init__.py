"""Questions to the history. Reads only; every statement is bounded by an index.

Read `spans.py` first: reports, budgets and forecasts are made of it.
"""
