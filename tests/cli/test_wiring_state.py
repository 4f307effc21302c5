"""What displays read of the state is what the listener publishes: a misspelt key is found here."""

import pytest
from support import described_state
from support.described_state import NOW
from support.published import mistakes

from aitop import segments
from aitop.segments import placeholders, statusline_segment
from aitop.segments.placeholders import Values
from aitop.top import picture, plain, sessions
from aitop.top.choices import Choices
from aitop.top.paint import RICH
from aitop.top.view_model import World

NAMES = sorted(placeholders.NAMES)
ALWAYS_QUIET = {"title"}  # a title is words of a conversation: the state has it as null


def test_the_made_up_state_has_the_published_shape():
    assert mistakes(described_state.state()) == []


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_placeholder_reads_only_keys_that_are_published(name, unknown):
    state = described_state.state(unknown=unknown)
    Values(state, NOW)[name]
    Values(state, NOW, session=state["sessions"][1], payload=described_state.payload())[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ALWAYS_QUIET])
def test_a_placeholder_says_something_where_every_key_has_a_value(name):
    state = described_state.state()
    _, _, quiet = Values(state, NOW, session=state["sessions"][0])[name]
    if quiet:  # it speaks of what only the client knows
        _, _, quiet = Values(state, NOW, session=state["sessions"][0], payload=described_state.payload())[
            name
        ]
    assert not quiet


@pytest.mark.parametrize("unknown", [False, True])
def test_the_text_of_a_display_is_made_of_published_keys(unknown):
    drawn = segments.render_all(described_state.state(unknown=unknown), [], NOW)
    assert set(drawn) >= set(segments.DISPLAYS)


@pytest.mark.parametrize("unknown", [False, True])
def test_the_plain_table_is_made_of_published_keys(unknown):
    assert plain.lines(described_state.state(unknown=unknown), 200)


@pytest.mark.parametrize("unknown", [False, True])
def test_the_status_line_is_made_of_published_keys(unknown):
    state = described_state.state(unknown=unknown)
    said = described_state.payload()
    assert statusline_segment.render(said, state, state["sessions"][0], NOW, {"colour": False})


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("view", ["overview", "sessions", "tools", "models", "history", "detail"])
def test_a_page_of_the_full_table_is_made_of_published_keys(view, unknown):
    state = described_state.state(unknown=unknown)
    choices = Choices(view=view, session=sessions.key_of(state["sessions"][0]))
    assert picture.paint(World(state=state, number=1), choices, 200, 60, RICH).body
