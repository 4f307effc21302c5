"""What the documents say is so: links lead somewhere, keys are described, figures are measured ones."""

import ast
import glob
import json
import os
import re

import click
import pytest
from golden.home import ROOT

from aitop.advice import all_rules
from aitop.cli import COMMANDS, HOT, main
from aitop.config.defaults import defaults_toml
from aitop.live import alerts
from aitop.segments import placeholders, usage

TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "RELEASE.md", os.path.join("packaging", "README.md"))
PAGES = [*(os.path.join(ROOT, name) for name in TOP), *sorted(glob.glob(os.path.join(ROOT, "docs", "*.md")))]


def text(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("page", PAGES, ids=os.path.basename)
def test_every_link_leads_to_a_file(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text(page)):
        assert os.path.exists(os.path.join(os.path.dirname(page), target)), target


@pytest.mark.parametrize("page", PAGES, ids=os.path.basename)
def test_every_command_named_exists(page):
    known = {*COMMANDS, *HOT, "version"}
    fenced = "".join(re.findall(r"^```.*?^```", text(page), re.MULTILINE | re.DOTALL))
    words = re.findall(r"`aitop ([a-z][a-z-]*)", text(page)) + re.findall(
        r"^aitop ([a-z][a-z-]*)", fenced, re.MULTILINE
    )
    assert sorted(set(words) - known) == []


def test_the_readmes_figures_are_the_saved_ones(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.saved import MARKS, readme_block

    _, _, rest = text("README.md").partition(MARKS[0])
    shown, mark, _ = rest.partition(MARKS[1])
    assert mark
    assert shown == readme_block(json.loads(text("benchmarks", "results", "latest.json")))


def test_every_part_of_the_benchmarks_is_described(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.parts import PARTS

    page = text("docs", "benchmarks.md")
    assert [name for name in PARTS if f"`{name}`" not in page] == []


def named_tests():
    """Every (file, test) that the security page names."""
    return re.findall(r"`tests/([\w/]+\.py)::(\w+)`", text("docs", "security.md"))


def test_each_promise_of_the_security_page_has_a_test_and_each_of_those_exists():
    rows = [
        row
        for row in text("docs", "security.md").splitlines()
        if row.startswith("| ") and row != "| promise | test |"
    ]
    assert len(rows) > 20
    assert [row for row in rows if not re.search(r"`tests/[\w/]+\.py::\w+`", row)] == []
    for file in {name for name, _ in named_tests()}:
        tree = ast.parse(text("tests", file))
        known = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert {name for of, name in named_tests() if of == file} - known == set(), file


def test_every_file_that_a_recipe_names_is_there():
    """Of CONTRIBUTING.md: words in code style that look like a path below the root or below `aitop/`."""
    words = re.findall(r"`([\w./-]+/[\w.-]*|[\w./-]+\.(?:py|toml|json|md))`", text("CONTRIBUTING.md"))
    places = ("", "aitop", os.path.join("aitop", "live", "alerts"), os.path.join("aitop", "segments", "placeholders"),
              "scripts", os.path.join("aitop", "history"), os.path.join("aitop", "publish"))  # fmt: skip
    made_up = ("NAME", "ROOM", "state.json")
    missing = [
        word
        for word in words
        if not any(part in word for part in made_up)
        and not any(os.path.exists(os.path.join(ROOT, place, word)) for place in places)
    ]
    assert missing == []


def test_every_name_of_a_recipe_stands_in_the_file_that_it_gives():
    """Of CONTRIBUTING.md: "`NAME` in `FILE`", "`NAME` of `FILE`" with a whole path."""
    named = re.findall(r"`(\w+)` (?:in|of) `([\w-]+/[\w./-]+\.\w+)`", text("CONTRIBUTING.md"))
    assert len(named) > 10
    real = [(name, file) for name, file in named if os.path.exists(os.path.join(ROOT, file))]
    assert [f"{name} in {file}" for name, file in real if not re.search(rf"\b{name}\b", text(file))] == []


def test_the_floors_of_the_architecture_page_are_those_of_the_import_contract_and_of_the_folder():
    table = text("docs", "architecture.md").partition("<!-- floors")[2].partition("<!-- end of floors -->")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if line.startswith("| ") and "`" in line]
    drawn = [[name.strip("/").removesuffix(".py") for name in re.findall(r"`([^`]+)`", row)] for row in rows]
    contract = text(".importlinter").partition("layers =\n")[2].partition("\n\n")[0]
    floors = [line.strip().split(" | ") for line in contract.splitlines()]
    named = {name for floor in floors for name in floor}
    folder = {name.removesuffix(".py") for name in os.listdir(os.path.join(ROOT, "aitop"))}
    assert named == folder - {"__init__", "__pycache__", "py.typed"}
    assert sorted(name for floor in drawn for name in floor) == sorted(named)
    order = {name: number for number, floor in enumerate(floors) for name in floor}
    heights = [[order[name] for name in floor] for floor in drawn]
    assert heights == sorted(heights)
    assert all(max(above) <= min(below) for above, below in zip(heights, heights[1:], strict=False))


RIDDLES = re.compile(
    r"\b(whose|whoever|nobody|told of|tells of|in vain|what is none|lets? go)\b", re.IGNORECASE
)
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def riddles(words):
    """Sentences that have to be read twice, by the words that make them so; code is left out."""
    return [line.strip() for line in CODE.sub("", words).splitlines() if RIDDLES.search(line)]


@pytest.mark.parametrize("page", PAGES, ids=os.path.basename)
def test_a_page_says_each_thing_with_its_subject(page):
    found = riddles(text(page))
    if os.path.basename(page) == "CONTRIBUTING.md":
        found = [line for line in found if "Plain words" not in line]  # where these words are named
    assert found == []


def help_pages():
    """(command, its help) of every command and of those below it."""

    def walk(command, parent, path):
        # A command keeps its help option of the first context that asks: one without `-h` would take it from all tests.
        own = {} if parent else command.context_settings
        context = click.Context(command, info_name=path[-1], parent=parent, **own)
        yield " ".join(path), command.get_help(context)
        for name in command.list_commands(context) if isinstance(command, click.Group) else ():
            yield from walk(command.get_command(context, name), context, [*path, name])

    yield from walk(main, None, ["aitop"])


def test_the_help_of_every_command_says_each_thing_with_its_subject():
    assert {command: found for command, page in help_pages() if (found := riddles(page))} == {}


def test_no_alert_no_advice_and_no_key_of_the_configuration_is_a_riddle():
    rules = [rule.when for rule in alerts.RULES] + [rule.about for rule in all_rules.RULES]
    assert riddles("\n".join([*rules, defaults_toml(), usage.text("tmux")])) == []


def not_placeholders(page):
    """The words in braces that no template fills; `#{…}` and `${…}` are others' syntax."""
    words = re.findall(r"(?<![#$]){([a-z][a-z0-9_]*)}", page)
    return sorted(set(words) - placeholders.NAMES)


# Words in braces that are not ours: what zellij's own configuration calls a command, and an attack on a prompt.
OTHERS_BRACES = {"command_aitop", "red"}
WITH_TEMPLATES = [*PAGES, *sorted(glob.glob(os.path.join(ROOT, "integrations", "*", "README.md")))]


@pytest.mark.parametrize("page", WITH_TEMPLATES, ids=lambda page: os.path.relpath(page, ROOT))
def test_every_placeholder_that_a_page_names_exists(page):
    unknown = sorted(set(not_placeholders(text(page))) - OTHERS_BRACES)
    assert unknown == [], "no placeholder of aitop/segments/placeholders has this name"
