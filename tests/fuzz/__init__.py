"""Hostile input in quantity: seeded mutations of a kept corpus, and what must hold whatever they are.

`python -m tests.fuzz` runs every target and prints one table; `targets` says what each one feeds and
where, `judge` what may never happen, `mutate` how an input is made of the corpus. The same seed makes
the same inputs. tests/security/test_fuzz.py has the shrinking property tests over the same targets.
"""

import os
import sys

# `python -m tests.fuzz` starts in the root; the inputs use `support` and `golden` as the tests do.
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
