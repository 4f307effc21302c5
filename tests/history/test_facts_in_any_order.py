"""What is known of a session and of a limit depends on what was reported, never on the order of reading."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.worlds import NOW, Book, read, worlds

from aitop.model.events import Limit

FACTS = "name, provider, model, started_at, cwd, branch, compactions, inherited"


def facts(book):
    """What the history says of each session that has a folder or a request; its own numbers are left out."""
    sessions = book.db.execute(
        f"SELECT {FACTS}, stop_reasons FROM session WHERE cwd IS NOT NULL OR requests > 0 ORDER BY name"  # noqa: S608
    ).fetchall()
    agents = book.db.execute(
        "SELECT s.name, a.agent FROM agent a JOIN session s ON s.id = a.session ORDER BY 1, 2"
    ).fetchall()
    places = book.db.execute(
        "SELECT s.name, r.at, p.cwd, p.branch FROM response r JOIN session s ON s.id = r.session "
        "LEFT JOIN place p ON p.id = r.place ORDER BY 1, 2, 3, 4"
    ).fetchall()
    return [(*row[:-1], json.loads(row[-1])) for row in sessions], agents, places


@examples(60)
@given(st.data())
def test_a_sessions_facts_are_the_same_whatever_file_is_read_first(data):
    """Files as clients write them: their lines stand in the order of time, and no two name different payers."""
    drawn = data.draw(worlds())
    for line in itertools.chain.from_iterable(drawn.values()):
        line.pop("requestSessionId", None)
    files = {
        path: [lines[0], *sorted(lines[1:], key=lambda line: line["timestamp"])]
        for path, lines in drawn.items()
    }
    found = []
    for _ in range(2):
        book = Book(exact=data.draw(st.sampled_from([float("inf"), 0.0])))
        steps = [(path, len(files[path])) for path in data.draw(st.permutations(sorted(files)))]
        if data.draw(st.booleans()):
            steps = [part for step in steps for part in (step, "commit")]
        prepared = data.draw(st.booleans())
        read(book, files, steps, lambda prepared=prepared: prepared)
        found.append(facts(book))
        book.db.close()
    assert found[0] == found[1]


def word(used, resets, seen, *, provider="claude-code", account=None, name="five_hour"):
    return Limit(provider, account, name, 300, used, resets, "client", seen)


WORDS = {
    "an old session that reports late": [word(60.0, NOW + 900, NOW - 5), word(20.0, NOW + 900, NOW - 1)],
    "an early reset": [word(90.0, NOW + 900, NOW - 50), word(3.0, NOW + 9000, NOW - 40), word(91.0, NOW + 900, NOW)],
    "a window that began anew": [word(100.0, NOW + 60, NOW - 50), word(0.0, NOW + 18_000, NOW - 1)],
}  # fmt: skip


@pytest.mark.parametrize("case", list(WORDS))
@pytest.mark.parametrize("provider", ["claude-code", "codex"])
@pytest.mark.parametrize("commits", [False, True], ids=["at once", "one by one"])
def test_of_several_words_on_a_limit_the_same_one_stands_in_any_order(case, provider, commits):
    words = [one._replace(provider=provider) for one in WORDS[case]]
    standing = set()
    for order in itertools.permutations(words):
        book = Book()
        for one in order:
            book.history.apply(provider, [one], NOW)
            if commits:
                book.commit()
        book.commit()
        rows = book.db.execute("SELECT used_percent, resets_at FROM usage_limit").fetchall()
        standing.add(tuple(rows))
        book.db.close()
    latest = max(one.resets_at for one in words)
    highest = max(one.used_percent for one in words if one.resets_at == latest)
    assert standing == {((highest, latest),)}


@pytest.mark.parametrize("order", [0, 1])
def test_two_accounts_and_two_clients_have_limits_of_their_own(order):
    words = [
        word(4.0, NOW + 900, NOW, account="/h/.claude"), word(90.0, NOW + 900, NOW, account="/h/work"),
        word(50.0, NOW + 900, NOW, provider="codex"), word(7.0, NOW + 90_000, NOW, name="thirty_day"),
    ]  # fmt: skip
    book = Book()
    for one in words[::-1] if order else words:
        book.history.apply(one.provider, [one], NOW)
    book.commit()
    assert book.db.execute("SELECT count(*) FROM usage_limit").fetchone()[0] == 4
    book.db.close()
