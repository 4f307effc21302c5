"""Questions to the history, asked by a person: totals in any grouping, as tables, JSON, CSV, Markdown or bars.

Must not count or price anything itself: every number comes from the history's sums. Only `catchup` writes,
and only while no listener runs. Start with `ask.py` (what is asked), then `groupings.py` (the rows).
"""
