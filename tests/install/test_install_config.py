"""Editing the user's TOML: one key changes, every other byte stays, or nothing is written."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitop.install import toml_text

KEY = "claude.config_dirs"
DIRS = ["/a", '/b "c"\\d', "/é"]


def get(text):
    return toml_text.get(text, KEY)


def put(text, dirs):
    return toml_text.put(text, KEY, dirs)


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


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('claude = { config_dirs = ["/x"] }\n', 'claude = { config_dirs = ["/x", "/y"] }\n'),
        ("claude = {}\n", 'claude = {config_dirs = ["/x", "/y"]}\n'),
        ('"claude"."config_dirs" = ["/x"]\n', '"claude"."config_dirs" = ["/x", "/y"]\n'),
        ('[claude]\r\nconfig_dirs = [\r\n  "/x", # one\r\n] # end\r\n',
         '[claude]\r\nconfig_dirs = [\r\n  "/x", # one\r\n  "/y",\r\n] # end\r\n'),
        ("[claude]\r\n# c\r\n", '[claude]\r\nconfig_dirs = ["/x", "/y"]\r\n# c\r\n'),
    ],
)  # fmt: skip
def test_every_form_of_a_table_is_edited_where_it_stands(text, after):
    assert put(text, ["/x", "/y"]) == after


def test_items_go_one_by_one_and_leave_the_comments_of_the_others():
    text = '[claude]\nconfig_dirs = [\n  "/x",   # work\n  "/y", # home\n]  # in step\n'
    assert put(text, ["/x"]) == '[claude]\nconfig_dirs = [\n  "/x",   # work\n]  # in step\n'
    assert put(put(text, ["/x", "/y", "/z"]), ["/x", "/y"]) == text


def test_a_broken_file_is_refused():
    with pytest.raises(toml_text.CannotEdit, match="cannot be parsed"):
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
    assert toml_text.put(text, "otel.enabled", value=True) == after
    assert toml_text.get(after, "otel.enabled") is True
