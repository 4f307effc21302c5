"""A linter for cost: it finds what the history shows was paid needlessly.

`record` reads the history session by session. Each rule looks at one session; the `*_rules` files hold the
rules by subject. `all_rules` runs them and gathers their findings. A rule claims only what the record shows:
tokens, times, models, prices. It computes its saving with the price table, and says how the reader can check it.
"""
