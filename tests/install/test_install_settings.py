"""Merging into settings.json and taking it out: only ours moves, and the text keeps its bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitop.install import json_text, settings

HOOK, LINE = "/h/.aitop/hook", "/h/.aitop/statusline"
OURS = (HOOK, LINE)
ENTRIES = settings.Entries(HOOK)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=15,
)
FOREIGN = st.fixed_dictionaries(
    {"type": st.just("command"), "command": st.sampled_from(["say done", "/h/other/hook", "aitop hook"])}
)
HANDLERS = st.lists(FOREIGN, min_size=1, max_size=3)
MATCHER = {"matcher": st.text(max_size=4)}
GROUPS = st.lists(st.fixed_dictionaries({"hooks": HANDLERS}, optional=MATCHER), min_size=1, max_size=3)
EVENT_NAMES = st.sampled_from([*settings.EVENTS, "MessageDisplay", "Later"])
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "model": st.text(max_size=5),
        "hooks": st.dictionaries(EVENT_NAMES, GROUPS, min_size=1, max_size=4),
        "statusLine": st.fixed_dictionaries(
            {"type": st.just("command"), "command": st.text(min_size=1, max_size=12)},
            optional={"padding": st.integers(0, 3), "refreshInterval": st.integers(1, 9)},
        ),
        "env": st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
    },
)


@given(SETTINGS, st.booleans())
def test_taking_out_what_was_put_in_gives_back_the_original(data, with_line):
    merged = settings.merge(data, settings.Entries(HOOK, LINE if with_line else None))
    assert settings.remove(merged, OURS) == data


@given(SETTINGS, st.booleans())
def test_merging_twice_is_merging_once(data, with_line):
    entries = settings.Entries(HOOK, LINE if with_line else None)
    once = settings.merge(data, entries)
    assert settings.merge(once, entries) == once


@given(SETTINGS)
def test_other_hooks_and_the_order_of_keys_stay(data):
    merged = settings.merge(data, ENTRIES)
    assert [key for key in merged if key in data] == list(data)
    for event, groups in data.get("hooks", {}).items():
        assert merged["hooks"][event][: len(groups)] == groups


def test_every_subscription_is_one_entry_in_exec_form():
    merged = settings.merge({}, ENTRIES)
    assert set(merged["hooks"]) == set(settings.EVENTS)
    for event, groups in merged["hooks"].items():
        ((entry,),) = [group["hooks"] for group in groups]
        assert entry["command"] == HOOK
        assert entry["args"] == [event]
        assert entry["timeout"] <= 10


def test_the_client_waits_only_where_the_event_would_be_lost():
    merged = settings.merge({}, ENTRIES)["hooks"]
    waited = {event for event, groups in merged.items() if "async" not in groups[0]["hooks"][0]}
    assert waited == {"SessionStart", "SessionEnd", "Stop", "StopFailure", "SubagentStop"}


def test_events_that_would_change_the_client_are_never_subscribed():
    assert not {"WorktreeCreate", "MessageDisplay"} & set(settings.EVENTS)


def test_an_entry_of_an_older_version_is_replaced_where_it_stands():
    old = {"type": "command", "command": HOOK, "args": ["hook"], "timeout": 600}
    other = {"type": "command", "command": "say done"}
    data = {"hooks": {"Stop": [{"matcher": "", "hooks": [other, old]}, {"hooks": [old]}]}}
    merged = settings.merge(data, ENTRIES)["hooks"]["Stop"]
    assert merged[0] == {"matcher": "", "hooks": [other, settings.handler("Stop", HOOK)]}
    assert settings.events_of_ours({"hooks": {"Stop": merged}}, OURS) == {"Stop"}


@pytest.mark.parametrize("data", [[], "x", {"hooks": []}, {"hooks": {"Stop": {}}}, {"hooks": {"Stop": "x"}}])
def test_settings_of_an_unexpected_shape_are_refused(data):
    with pytest.raises(settings.Unexpected):
        settings.merge(data, ENTRIES)


@pytest.mark.parametrize(
    "line", ["x", {"type": "mcp"}, {"type": "command"}, {"type": "command", "command": 3}]
)
def test_a_status_line_that_cannot_be_wrapped_is_refused(line):
    with pytest.raises(settings.Unexpected, match="--statusline"):
        settings.merge({"statusLine": line}, settings.Entries(HOOK, LINE))


def test_a_wrapped_status_line_keeps_its_other_keys():
    old = {"type": "command", "command": "~/line.sh 'it''s'", "padding": 0, "refreshInterval": 5}
    merged = settings.merge({"statusLine": old}, settings.Entries(HOOK, LINE))["statusLine"]
    assert merged.keys() == old.keys()
    assert merged["padding"] == 0
    assert settings.wrapped(merged["command"], OURS) == old["command"]


def test_removing_takes_nothing_from_settings_without_ours():
    data = {"hooks": {"Stop": [], "End": [{"hooks": []}]}, "statusLine": {"command": "x"}}
    assert settings.remove(data, OURS) == data


@given(VALUES, VALUES, st.sampled_from([None, 2, 4, "\t"]))
def test_a_patched_text_parses_to_the_new_value(old, new, indent):
    text = json.dumps(old, indent=indent)
    assert json_text.patch(text, old) == text
    assert repr(json.loads(json_text.patch(text, new))) == repr(json.loads(json.dumps(new))) or (
        json.loads(json_text.patch(text, new)) == new  # the order of kept keys is the text's
    )


UNEVEN = '{"model":"a",\n  "env": {"A":"b"},   "x":[1,2,\n3, [4,5]], "y" :\n{"z": 1}\n\n}'


def test_only_the_bytes_of_a_changed_value_change():
    new = json_text.parse(UNEVEN) | {"model": "new"}
    assert json_text.patch(UNEVEN, new) == UNEVEN.replace('"a"', '"new"')
    new["x"] = [1, 9, 3, [4, 5]]
    assert json_text.patch(UNEVEN, new) == UNEVEN.replace('"a"', '"new"').replace("[1,2,", "[1,9,")


def test_what_is_added_leaves_the_layout_of_the_rest():
    data = json_text.parse(UNEVEN)
    patched = json_text.patch(UNEVEN, settings.merge(data, ENTRIES))
    assert patched.startswith(UNEVEN.rstrip("}\n"))
    assert json_text.parse(patched) == settings.merge(data, ENTRIES)
    without = {key: value for key, value in data.items() if key != "env"}
    assert '"x":[1,2,\n3, [4,5]], "y" :\n{"z": 1}\n\n}' in json_text.patch(UNEVEN, without)


@pytest.mark.parametrize(
    "text",
    [
        '{\r\n\t"n": 1e3,\r\n\t"s": "\\u00e9\\/",\r\n\t"hooks": {"Stop": [{"hooks": [{"type":"command"}]}]}}',
        '{ "model" : "opus" , "list":[1,2,  3] }',
        '{\n    "a": 1\n}',
        '\n\n{\n  "hooks": {\n    "Stop": []\n  },\n  "z": -0.0\n}\n\n',
        "{}",
        "",
        " \n",
    ],
)
def test_what_does_not_change_keeps_its_bytes(text):
    data = json_text.parse(text)
    patched = json_text.patch(text, settings.merge(data, ENTRIES))
    assert json_text.parse(patched) == settings.merge(data, ENTRIES)
    for piece in (
        "1e3",
        '"\\u00e9\\/"',
        '{"hooks": [{"type":"command"}]}',
        '"model" : "opus"',
        "[1,2,  3]",
        "-0.0",
    ):
        assert (piece in patched) is (piece in text)
    if "\r\n" in text:
        assert patched.count("\n") == patched.count("\r\n")
        assert '\r\n\t\t"' in patched
    if '    "a"' in text:
        assert '\n        "SessionStart"' in patched


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ('{\n  // mine\n  "a": 1\n}', 2, "comment"),
        ('{\n  "a": 1,\n}', None, "comma"),
        ('{\n  "a": 1\n  "b": 2\n}', 3, "delimiter"),
        ("{'a': 1}", 1, "quotes"),
        ('{"a": 1', 1, ""),
        ("[" * 100_000, None, "deep"),
    ],
)
def test_what_is_not_json_is_refused_with_the_line(text, line, hint):
    with pytest.raises(json_text.NotJson) as caught:
        json_text.parse(text)
    assert hint in str(caught.value)
    assert line is None or f"line {line}," in str(caught.value)
