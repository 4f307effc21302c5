"""What a display costs its host: the one-shots beside `cat`, the prompts inside their shells."""

import os
import shutil
import subprocess
import time

from benchmarks import homes
from benchmarks.harness import (
    BARE_PYTHON,
    Row,
    compared,
    disturbed,
    failures,
    least,
    median,
    missing,
    rounds,
    run,
)

CAT = shutil.which("cat")
TEXT = "≈$4.21 5h 42% ↻1h10 ctx 27% " * 40
ONE_SHOTS = {"tmux": ["tmux"], "prompt": ["prompt", "--shell", "zsh"], "waybar": ["waybar"]}
FILES = {"tmux": "tmux", "prompt": "zsh", "waybar": "waybar", "swiftbar": "swiftbar"}
BUDGET = "no fork, ≤ 0.2 ms"
LOOP = 'source "$1"; for ((i = 0; i < $2; i++)); do PROMPT; done'
FISH = """
source $argv[1]
set i 0
while test $i -lt $argv[2]
    PROMPT
    set i (math $i + 1)
end"""
PROMPT = {"bash": "__aitop_prompt", "zsh": "__aitop_prompt", "fish": "aitop_segment >/dev/null"}
NOTHING = {"bash": ":", "zsh": ":", "fish": "true >/dev/null"}
# flags, script, arguments before the snippet and the number of prompts
SHELLS = {
    "bash": (["--norc", "-c"], LOOP, ["-"]),
    "zsh": (["-f", "-c"], LOOP, ["-"]),
    "fish": (["--no-config", "-c"], FISH, []),
}


def publish(home, name, text):
    """One segment as the listener writes it, fresh for the next hour."""
    path = os.path.join(home, "segments", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(f"{int(time.time())} {os.getpid()} {text}\n")
    os.utime(path, (time.time() + 3600, time.time() + 3600))
    return path


def one_shots(effort):
    """Each display's command, compared with `cat` of the same file and with a Python that does nothing."""
    times = effort.times(300, 40)
    with homes.folder() as home:
        env = homes.environment(home)
        for word, arguments in ONE_SHOTS.items():
            path = publish(home, FILES[word], TEXT.encode()[:1000].decode(errors="ignore"))
            yield _one_shot(f"`aitop {' '.join(arguments)}`, 1 KB", 2.0, arguments, path, times, env)
        menu = "\n".join(["≈$4.21", "---", *(f"Line {n} of a menu | color=orange" for n in range(25))])
        path = publish(home, "swiftbar", menu)
        yield _one_shot("`aitop swiftbar`, a menu of 27 lines", 2.5, ["swiftbar"], path, times, env)


OWN_FORMATS = (
    ["tmux", "--preset", "burn"],
    ["prompt", "--shell", "zsh", "--format", "{cost_today} {burn} ctx {context_percent}"],
    ["waybar", "--preset", "limits"],
    ["guard"],
)


def own_formats(effort):
    """A preset, a format of the user's own and the guard, from the second call on, beside `cat` of a segment."""
    with homes.folder() as home:
        with open(os.path.join(home, "config.toml"), "w") as file:
            file.write('[budgets.daily]\nperiod = "day"\nlimit_usd = 100.0\n')
        yield from _own_formats(home, effort)


def _own_formats(home, effort):
    with homes.listening(home) as listener:
        listener.until(bool)
        env = homes.environment(home)
        path = publish(home, "beside", TEXT[:80])
        for words in OWN_FORMATS:
            run([homes.FRONT, *words], env)  # the first call: soon the listener renders it too
        _rendered(os.path.join(home, "segments"))
        for words in OWN_FORMATS:
            shown = " ".join(word if " " not in word else "'…'" for word in words)
            floors = {"`cat`": [CAT, path], "bare Python": BARE_PYTHON}
            yield compared(f"`aitop {shown}`, from the second call on", "≤ 2 × `cat FILE`", 2.0,
                           [homes.FRONT, *words], floors, effort.times(150, 20), env)  # fmt: skip


def _rendered(folder, seconds=15.0):
    """Wait until the listener has rendered what was asked for with options."""
    ends = time.monotonic() + seconds
    asked = sum(words != ["guard"] for words in OWN_FORMATS)
    while sum(name.startswith("@") for name in os.listdir(folder)) < asked and time.monotonic() < ends:
        time.sleep(0.1)


def _one_shot(what, limit, arguments, path, times, env):
    floors = {"`cat`": [CAT, path], "bare Python": BARE_PYTHON}
    budget = f"≤ {limit:g} × `cat FILE`"
    return compared(what, budget, limit, [homes.FRONT, *arguments], floors, times, env)


def prompts(effort):
    """What a prompt costs inside its shell, compared with `cat` of the same file in that shell."""
    loops, times = effort.times(3000, 300), effort.times(9, 3)
    with homes.folder() as home:
        env = homes.environment(home)
        for shell in SHELLS:
            if not shutil.which(shell):
                yield missing(f"prompt in {shell}", BUDGET, f"{shell} is not installed")
                continue
            publish(home, shell, TEXT[:80])
            yield _prompt(Prompt(shell, home, env), loops, times)


class Prompt:
    """The snippet for one shell, and three loops in it: over the snippet, over nothing, over `cat`."""

    def __init__(self, shell, home, env):
        flags, loop, before = SHELLS[shell]
        self.shell, self.env = shell, env
        snippet = os.path.join(home, f"snippet.{shell}")
        with open(snippet, "wb") as file:
            subprocess.run([homes.FRONT, "init", shell], env=env, stdout=file, check=True)
        cat = f"{CAT} {os.path.join(home, 'segments', shell)} >/dev/null"
        self.command, self.empty, self.cat = (
            [shutil.which(shell), *flags, loop.replace("PROMPT", prompt), *before, snippet]
            for prompt in (PROMPT[shell], NOTHING[shell], cat)
        )

    def run(self, command, loops):
        return run([*command, str(loops)], self.env)


def _prompt(prompt, loops, times):
    """The time of many prompts in one shell, less the time of an empty loop."""
    few = max(10, loops // 20)
    found = rounds(
        {"": lambda: prompt.run(prompt.command, loops), "empty": lambda: prompt.run(prompt.empty, loops),
         "cat": lambda: prompt.run(prompt.cat, few), "few": lambda: prompt.run(prompt.empty, few)},
        times, warm=1,
    )  # fmt: skip
    each, best = ((pick(found[""]) - pick(found["empty"])) / loops for pick in (median, least))
    cat = (median(found["cat"]) - median(found["few"])) / few
    forks = _forks([*prompt.command, "5"], [*prompt.empty, "5"], prompt.env)
    within = each <= 0.0002 and not forks
    shown = "forks not counted: no strace" if forks is None else f"{forks} forks"
    return Row(
        f"prompt in {prompt.shell}", BUDGET, f"{each * 1000:.3f} ms, {shown}", f"{cat * 1000:.3f} ms `cat FILE`",
        each / cat, within, failures(*found.values()) or disturbed(within, best <= 0.0002 and not forks),
        {"ms": each * 1000, "min_ms": best * 1000, "cat_ms": cat * 1000, "forks": forks},
    )  # fmt: skip


def _forks(some, none, env):
    """The number of processes that five prompts start."""
    if not shutil.which("strace"):
        return None
    counts = []
    for command in (some, none):
        found = subprocess.run(["strace", "-f", "-qq", "-e", "trace=fork,vfork,clone,clone3", "-e", "signal=none",
                                *command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, check=False)  # fmt: skip
        counts.append(sum("(" in line and "CLONE_THREAD" not in line for line in found.stderr.splitlines()))
    return counts[0] - counts[1]
