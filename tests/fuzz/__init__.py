"""Hostile input in quantity: seeded mutations of a kept corpus, and what must hold whatever they are.

`python -m tests.fuzz` runs every target and prints one table; `targets` says what each one feeds and
where, `judge` what may never happen, `mutate` how an input is made of the corpus. The same seed makes
the same inputs. tests/security/test_fuzz.py has the shrinking property tests over the same targets.
"""
