"""Turns of a transcript: what was asked, what tools returned, what was answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lines import START, assistant, encode, result, text

from aitop.quality import turns


def user(words, at=START, uuid="u-1", **more):
    record = {"type": "user", "uuid": uuid, "sessionId": "s-1", "message": {"role": "user", "content": words}}
    from support.lines import stamp

    return record | {"timestamp": stamp(at)} | more


def answer(words, at, **more):
    return assistant(f"m-{at}", at, content=[text(words)], session="s-1", **more)


def read(*records):
    return list(turns.read(encode(list(records))))


def test_a_turn_is_a_request_what_tools_returned_and_the_last_answer():
    (turn,) = read(
        user("fix it"),
        answer("I look.", START + 1, stop="tool_use"),
        result(at=START + 2, content="3 passed", session="s-1"),
        answer("Fixed.", START + 3),
    )
    assert (turn.request, turn.evidence, turn.answer) == ("fix it", "3 passed", "Fixed.")
    assert (turn.session, turn.began, turn.ended) == ("s-1", START, START + 3)


@pytest.mark.parametrize("mark", turns.NOT_WORDS)
def test_what_the_user_did_not_say_begins_no_turn(mark):
    assert read(user("hidden", **{mark: True}), answer("Fine.", START + 1)) == []


def test_a_commands_wrapper_begins_no_turn():
    assert read(user("<command-name>/clear</command-name>"), answer("Fine.", START + 1)) == []


@pytest.mark.parametrize("stop", [None, "tool_use", "max_tokens", "refusal"])
def test_a_turn_that_was_not_answered_to_its_end_is_not_judged(stop):
    assert read(user("fix it"), answer("I look.", START + 1, stop=stop)) == []


def test_the_next_request_ends_a_turn():
    found = read(user("a"), answer("A.", START + 1), user("b", START + 2, "u-2"), answer("B.", START + 3))
    assert [turn.answer for turn in found] == ["A.", "B."]
    assert found[0].key != found[1].key


def test_damaged_lines_cost_no_turn():
    data = encode([user("a")]) + b'{"torn\n' + encode([answer("A.", START + 1)])
    assert [turn.answer for turn in turns.read(data)] == ["A."]


@given(st.text(max_size=300), st.integers(20, 100))
def test_a_text_is_cut_in_its_middle_and_never_longer_than_allowed(words, longest):
    found = turns.cut(words, longest)
    assert len(found) <= max(longest, 0)
    if len(words) <= longest:
        assert found == words
