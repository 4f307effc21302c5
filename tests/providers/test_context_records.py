"""The names a report takes from a transcript: skills, tools that a search brought in, servers' instructions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lines import START, assistant, encode, result, stamp, text, use

from aitop.providers.claude_code import context_records

SKILL = assistant(content=[text("Skill"), use("t1", "Skill", skill="pdf"), use("t2", "Bash", command="ls")])
LOADED = result(
    "t3", content=[{"type": "tool_reference", "tool_name": "mcp__a__b"}, {"type": "text", "text": "x"}]
)
INSTRUCTIONS = {
    "type": "attachment", "timestamp": stamp(START),
    "attachment": {"type": "mcp_instructions_delta", "addedNames": ["a", "b"], "addedBlocks": ["12345", "1"]},
}  # fmt: skip
ALL = encode([SKILL, LOADED, INSTRUCTIONS])


def test_it_finds_each_kind():
    found = context_records.read(encode([assistant("other"), SKILL, result(), LOADED, INSTRUCTIONS]))
    assert found.skills == {"t1": "pdf"}
    assert found.loaded == {"t3": ("mcp__a__b",)}
    assert found.instructions == [(START, "a", 5), (START, "b", 1)]


def test_a_line_that_is_cut_off_is_left_out():
    found = context_records.read(ALL[:-20])
    assert (found.skills, found.loaded, found.instructions) == ({"t1": "pdf"}, {"t3": ("mcp__a__b",)}, [])


@given(st.integers(0, len(ALL) - 1), st.binary(max_size=12))
def test_damage_is_no_error(at, damage):
    context_records.read(ALL[:at] + damage + ALL[at + len(damage) :])


@pytest.mark.parametrize("odd", [None, 7, [], {}, "x", [None], [[7]], {"a": 1}])
def test_anything_may_stand_anywhere(odd):
    lines = [
        SKILL | {"message": odd}, SKILL | {"message": {"content": odd}}, INSTRUCTIONS | {"attachment": odd},
        INSTRUCTIONS | {"attachment": INSTRUCTIONS["attachment"] | {"addedNames": odd}},
        assistant(content=[use(odd, "Skill", skill=odd)]), result("t", content=odd), result(odd, content=odd),
    ]  # fmt: skip
    marks = b'{"name":"Skill"}\n{"tool_reference":"tool_reference"}\n{"mcp_instructions_delta":1}\n'
    data = b"".join(line + marks for line in encode(lines).splitlines(keepends=True))
    context_records.read(data)
