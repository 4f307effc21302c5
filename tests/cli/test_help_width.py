"""Help is never wider than the terminal, at every level; a mistyped word is answered with the right one."""

import subprocess

import click
import pytest
from click.testing import CliRunner
from support import in_process

from aitop import cli
from aitop.segments.text import cells
from aitop.system import help_text

HOT = [word for word in cli.HOT if word != "codex-notify"]


@pytest.fixture
def typed(tmp_path, capfd):
    """What the whole command line says to these words, as text. The fast ones write to the descriptor itself."""

    def run(*words, **more):
        done = in_process.run(str(tmp_path), *words, **more)
        direct = capfd.readouterr()
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode() + direct.out,
                                           done.stderr.decode() + direct.err)  # fmt: skip

    return run


def commands(group, path=()):
    """Every command that click serves, as typed."""
    context = click.Context(group)
    for name in group.list_commands(context):
        if not path and name in cli.HOT:
            continue
        command = group.get_command(context, name)
        yield [*path, name]
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("columns", ["40", "72", "100"])
def test_no_help_of_a_command_is_wider_than_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    wide = {}
    for words in commands(cli.main):
        said = CliRunner().invoke(cli.main, [*words, "--help"]).output
        wide |= {" ".join(words): line for line in said.splitlines() if cells(line) > int(columns)}
    assert wide == {}


@pytest.mark.parametrize("word", HOT)
@pytest.mark.parametrize("columns", ["40", "72", "100"])
def test_no_help_of_a_fast_command_is_wider_than_the_terminal(word, columns, typed):
    done = typed(word, "--help", COLUMNS=columns)
    assert done.stdout.startswith("Usage: aitop")
    assert [line for line in done.stdout.splitlines() if cells(line) > int(columns)] == []


def test_no_help_of_the_preview_is_wider_than_the_terminal(typed):
    said = typed("statusline", "--preview", "--help", COLUMNS="40").stdout
    assert [line for line in said.splitlines() if cells(line) > 40] == []


def test_a_style_named_with_an_equals_sign_is_the_only_one_shown(typed):
    assert typed("statusline", "--preview", "--style=nerd").stdout.startswith("nerd:")
    assert "plain:" not in typed("statusline", "--preview", "--style=nerd").stdout


@pytest.mark.parametrize("width", range(20, 120, 7))
def test_folding_loses_no_word(width, typed):
    text = typed("prompt", "--help", COLUMNS="100").stdout
    folded = help_text.fitted(text, width)
    assert "".join(folded.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["prompt", "--shel", "zsh"], "did you mean --shell?"),
        (["tmux", "--preset", "limit"], "did you mean limits?"),
        (["prompt", "--shell", "zhs"], "did you mean zsh?"),
        (["jump", "nxt", "x"], "not understood"),
        (["statusline", "--preview", "--styl", "nerd"], "did you mean --style?"),
        (["jump", "--prnt"], "did you mean --print?"),
        (["guard", "--jsn"], "did you mean --json?"),
        (["tmux", "--format", "{cost_tody}"], "did you mean {cost_today}?"),
        (["init", "tmuks"], "Did you mean `tmux`?"),
        (["completions", "zs"], "Did you mean `zsh`?"),
        (["init", "tmux", "--theme", "drakula"], "Did you mean `dracula`?"),
        (["report", "modls"], "Did you mean `aitop report models`?"),
        (["models"], "Did you mean `aitop report models`?"),
        (["report", "--jsn"], "Did you mean `--json`?"),
        (["setup", "--dryrun"], "Did you mean `--dry-run`?"),
        (["prices", "updat"], "Did you mean `aitop prices update`?"),
    ],
    ids=" ".join,
)
def test_a_mistyped_word_is_answered_with_the_right_one(words, hint, typed):
    done = typed(*words)
    assert done.returncode == 2, done.stderr
    assert hint in done.stderr
