"""Whatever clients do and whenever the reader dies, every sum is what really happened."""

import pytest

from .ledger import File, Ledger, Total, Use, Version
from .life import live

LIVES = 12


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_made_up_life_is_counted_exactly(seed):
    assert live(seed, steps=40) == []


def test_a_wrong_count_is_noticed(monkeypatch):
    from aitop.history.query import spans

    right = spans.sums
    monkeypatch.setattr(
        spans,
        "sums",
        lambda *given: (one._replace(output_tokens=one.output_tokens + 1) for one in right(*given)),
    )
    assert live(0, steps=20)


def test_the_ledger_counts_a_call_of_several_files_once_for_the_earliest():
    ledger = Ledger()
    for file in (File("late", "/a", 20.0), File("early", "/b", 10.0)):
        ledger.book("claude-code", "claude-haiku-4-5", "m1", file, Version(Use(10, 5), 30.0, True))
    assert ledger.by(lambda _c, _m, session, _at: session) == {
        "early": Total(1, 10, 5, 10 * 10**6 + 5 * 5 * 10**6)
    }
