"""A linter for cost: what the history shows was paid and need not have been.

`record` reads the history session by session, each rule is a file that looks at one session, `check`
gathers what they found. A rule claims only what the record shows: tokens, times, models, prices. It
computes its saving with the price table, and says how the reader can check it.
"""
