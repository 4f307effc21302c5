"""Editing the user's TOML: one key changes, every other byte stays, or nothing is written."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitop.install import configfile

KEY = "claude.config_dirs"
DIRS = ["/a", '/b "c"\\d', "/é"]


def get(text):
    return configfile.get(text, KEY)


def put(text, dirs):
    return configfile.put(text, KEY, dirs)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        'billing = "api"\n',
        "[claude]",
        "[claude] # roots\n\n[alerts]\nburn_warning = 1\n",
        '[claude]\nconfig_dirs = ["/x"] # old\n',
        '[claude]\nconfig_dirs = [\n  "/x", # one\n  "/y",\n]\n\n[alerts]\nburn_warning = 1\n',
        '  [ claude ]\n  config_dirs=["/x"]\n',
        'claude.config_dirs = ["/x"]\nbilling = "api"\n',
        '[alerts]\nburn_warning = 1\n\n[segments.a]\ndisplay = "tmux"\n',
    ],
)
def test_the_key_is_set_and_the_rest_keeps_its_meaning(text):
    new = put(text, DIRS)
    assert get(new) == DIRS
    before, after = tomllib.loads(text), tomllib.loads(new)
    assert {k: v for k, v in before.items() if k != "claude"} == {
        k: v for k, v in after.items() if k != "claude"
    }
    kept = [line for line in text.splitlines() if "#" in line and "/x" not in line]
    assert [line for line in new.splitlines() if line in kept] == kept


@pytest.mark.parametrize("text", ['claude = { config_dirs = ["/x"] }\n', "claude = {}\n"])
def test_a_layout_beyond_a_careful_edit_is_refused_with_the_line_to_write(text):
    with pytest.raises(configfile.CannotEdit, match="config_dirs = "):
        put(text, DIRS)


def test_a_broken_file_is_refused():
    with pytest.raises(configfile.CannotEdit, match="cannot be parsed"):
        put("a = [", DIRS)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=4))
def test_any_folder_names_survive(dirs):
    text = '[claude]\nconfig_dirs = ["/x"]\n[alerts]\nburn_warning = 1\n'
    new = put(text, dirs)
    assert get(new) == dirs
    assert get(put(new, ["/x"])) == ["/x"]


def test_taking_the_key_out_leaves_the_rest():
    text = '# a\n[claude]\nconfig_dirs = ["/x"]\n# b\n'
    assert put(text, None) == "# a\n[claude]\n# b\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", "[otel]\nenabled = true\n"),
        ("[otel]\nport = 5000 # mine\n", "[otel]\nenabled = true\nport = 5000 # mine\n"),
        ("[otel]\nenabled = false\n", "[otel]\nenabled = true\n"),
    ],
)
def test_other_keys_are_set_in_the_same_way(text, after):
    assert configfile.put(text, "otel.enabled", value=True) == after
    assert configfile.get(after, "otel.enabled") is True
