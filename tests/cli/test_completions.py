"""Completions in the real shells, and the manual page through the real formatter."""

import os
import shutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from aitop import cli
from aitop.install import completions

pytestmark = pytest.mark.real
INSTALL = {
    "zsh": "apt install zsh",
    "fish": "apt install fish",
    "bash": "apt install bash",
    "groff": "apt install groff",
}


def need(program):
    if not shutil.which(program):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            f"{program} is missing: {INSTALL[program]}"
        )


@pytest.fixture
def folder(tmp_path):
    """A PATH with the command on it, and its completions for each shell."""
    command = tmp_path / "bin" / "aitop"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m aitop "$@"\n')
    command.chmod(0o755)
    for shell in completions.SHELLS:
        (tmp_path / f"_{shell}").write_text(CliRunner().invoke(cli.main, ["completions", shell]).output)
    return tmp_path


def shell(folder, *command):
    path = f"{folder}/bin:{os.environ['PATH']}"
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=50, stdin=subprocess.DEVNULL, check=False,
        env={"PATH": path, "HOME": str(folder), "TERM": "dumb"},
    )  # fmt: skip
    return done.stdout


CASES = [
    ("aitop st", {"start", "stop", "status", "statusline"}),
    ("aitop tmux --", {"--follow", "--format", "--preset", "--segment"}),
    ("aitop prompt --shell z", {"zsh"}),
    ("aitop waybar --preset l", {"limits"}),
    ("aitop hook SessionS", {"SessionStart"}),
    ("aitop install --", {"--write", "--statusline", "--uninstall", "--config-dir"}),
    ("aitop service ", {"install", "uninstall", "status"}),
    ("aitop completions f", {"fish"}),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_bash_completes(folder, line, expected):
    need("bash")
    *before, last = line.split(" ")
    script = (
        f"source {folder}/_bash; COMP_WORDS=({' '.join(before)} '{last}'); COMP_CWORD={len(before)};"
        '_aitop_completion aitop; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert expected <= set(shell(folder, "bash", "--norc", "-c", script).split())


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_fish_completes(folder, line, expected):
    need("fish")
    script = f"source {folder}/_fish; complete --do-complete '{line}'"
    said = shell(folder, "fish", "--no-config", "-c", script)
    assert expected <= {row.split("\t")[0] for row in said.splitlines()}


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_zsh_completes(folder, line, expected):
    need("zsh")
    words = " ".join(f"'{word}'" for word in line.split(" "))
    # What zsh would offer, caught where the completion hands it over.
    script = (
        "compdef() { : }; _describe() { print -l -- ${${(P)3}%%:*} }; compadd() { print -l -- $completions };"
        f"source {folder}/_zsh; words=({words}); CURRENT=$#words; _aitop_completion"
    )
    assert expected <= set(shell(folder, "zsh", "-f", "-c", script).split())


def test_completing_a_name_imports_no_room():
    context = click.Context(cli.main, info_name="aitop")
    names = {item.value for item in cli.main.shell_complete(context, "")}
    assert names == {*cli.COMMANDS, *cli.HOT, "version"}


@pytest.fixture(scope="module")
def page():
    return completions.page(cli.main)


def test_the_manual_has_every_command(page):
    for name in (*cli.COMMANDS, *cli.HOT, "version", "service install"):
        assert f'.SS "aitop {name}' in page.replace("\\-", "-")


def test_the_manual_is_clean_roff(page):
    need("groff")
    command = ["groff", "-ww", "-man", "-Tutf8", "-Kutf8"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, timeout=50, check=True)
    assert done.stderr == ""
    assert "aitop - what AI coding costs" in done.stdout.replace("\x1b[0m", "").replace("‐", "-")


def test_text_that_looks_like_roff_is_shown():
    @click.group(help="-a \\fB\n\n.SH fake\n\n'quote")
    def group():
        pass

    text = completions.page(group)
    assert "\n\\&.SH fake\n" in text
    assert "\n\\&'quote\n" in text
    assert "\\-a \\efB" in text
