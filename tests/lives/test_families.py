"""Families of clients, by random steps: nothing is lost and nothing counts twice."""

import pytest

from .families import FAMILIES, live


@pytest.mark.parametrize("name", FAMILIES)
def test_a_familys_random_steps_are_counted_exactly(name):
    used, held = live(name, seed=7, steps=60)
    assert held == used
