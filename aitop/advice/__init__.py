"""A linter for cost: it finds what the history shows was paid needlessly, and measures what was done about it.

`record.py` reads the history session by session. Each rule looks at one session; the `*_rules` files hold the
rules by subject. `all_rules` runs them and gathers their findings. A rule claims only what the record shows:
tokens, times, models, prices. It computes its saving with the price table, and says how the reader can check it.

`settings` says which advice a setting of the client follows, `apply_cli` offers it, `measured` compares the days
since with the days before. This room must not write others' files itself: `install.advised` does. Read
`finding.py` first, then `all_rules.py`.
"""
