"""Help that fits the terminal, errors that name the right command, and names that a terminal cannot show."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from golden.home import environment
from hypothesis import given
from hypothesis import strategies as st

from aitop import cli
from aitop.system import command_help


def said(*words):
    done = CliRunner().invoke(cli.main, list(words))
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (["repot"], "`aitop report`"),
        (["statu"], "`aitop status`"),
        (["models"], "`aitop report models`"),
        (["report", "dialy"], "`aitop report daily`"),
        (["prices", "updat"], "`aitop prices update`"),
        (["service", "instal"], "`aitop service install`"),
        (["tmx"], "`aitop tmux`"),
    ],
)
def test_a_mistyped_command_names_the_right_one_at_every_level(words, right):
    code, output = said(*words)
    assert code == 2
    assert right in output.replace("main", "aitop")


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (["report", "models", "--jsno"], "--json"),
        (["doctor", "--jsn"], "--json"),
        (["install", "--wirte"], "--write"),
    ],
)
def test_a_mistyped_option_names_the_right_one(words, right):
    code, output = said(*words)
    assert code == 2
    assert right in output.partition("Did you mean")[2]


def test_a_word_that_is_near_nothing_gets_no_guess():
    assert "Did you mean" not in said("xyzzy")[1]


def all_commands(group=cli.main, at=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        if name in cli.HOT:
            continue  # they print their own usage
        command = group.get_command(context, name)
        yield (*at, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, (*at, name))


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_help_is_never_wider_than_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    wide = []
    for words in [(), *all_commands()]:
        code, output = said(*words, "--help")
        assert code == 0, words
        wide += [(words, line) for line in output.splitlines() if len(line) > columns and " " in line.strip()]
    assert wide == []


def test_no_line_of_a_list_of_commands_is_cut_off_at_80_columns(monkeypatch):
    """Its first sentence fits: what follows stands in the command's own help."""
    monkeypatch.setenv("COLUMNS", "80")
    cut = [line.strip() for words in [(), *all_commands()] for line in said(*words, "--help")[1].splitlines()
           if line.endswith("...") and line.startswith("  ")]  # fmt: skip
    assert cut == []


@given(st.text(alphabet=st.sampled_from("ab- "), max_size=200), st.integers(20, 60))
def test_a_folded_line_keeps_its_words(line, width):
    folded = command_help.fold(line, width)
    assert folded.split() == line.split() or max(map(len, line.split())) > width - width // 2 - 2
    assert folded == line or all(len(row) <= width for row in folded.splitlines())


@pytest.mark.parametrize("encoding", ["iso-8859-1", "ascii", "utf-8"])
def test_a_name_that_the_terminal_cannot_show_ends_no_command(tmp_path, encoding):
    config = tmp_path / "config.toml"
    config.write_text('currency.symbol = "é😀"\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "aitop", "config"], capture_output=True, timeout=30,
        env=environment(str(tmp_path), AITOP_CONFIG=str(config), PYTHONIOENCODING=f"{encoding}:strict", PYTHONUTF8="0"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"currency.symbol" in done.stdout
