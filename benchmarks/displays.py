"""What a display costs its host: the one-shots beside `cat`, the prompts inside their shells."""

import os
import shutil
import subprocess
import time

from benchmarks import homes
from benchmarks.harness import Row, compared, median, pairs, run

CAT = shutil.which("cat")
TEXT = "≈$4.21 5h 42% ↻1h10 ctx 27% " * 40
ONE_SHOTS = {"tmux": ["tmux"], "prompt": ["prompt", "--shell", "zsh"], "waybar": ["waybar"]}
FILES = {"tmux": "tmux", "prompt": "zsh", "waybar": "waybar", "swiftbar": "swiftbar"}
LOOP = 'source "$1"; for ((i = 0; i < $2; i++)); do __aitop_prompt; done'
FISH = """
source $argv[1]
set i 0
while test $i -lt $argv[2]
    aitop_segment >/dev/null
    set i (math $i + 1)
end"""
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


def one_shots(times):
    with homes.folder() as home:
        env = homes.environment(home)
        for word, arguments in ONE_SHOTS.items():
            path = publish(home, FILES[word], TEXT.encode()[:1000].decode(errors="ignore"))
            yield compared(f"`aitop {' '.join(arguments)}`, 1 KB", "≤ 2 × `cat FILE`", 2.0,
                           [homes.FRONT, *arguments], [CAT, path], times, env, floor_name="cat")  # fmt: skip
        menu = "\n".join(["≈$4.21", "---", *(f"Line {n} of a menu | color=orange" for n in range(25))])
        path = publish(home, "swiftbar", menu)
        yield compared("`aitop swiftbar`, a menu of 27 lines", "≤ 2.5 × `cat FILE`", 2.5,
                       [homes.FRONT, "swiftbar"], [CAT, path], times, env, floor_name="cat")  # fmt: skip


def prompts(loops, times):
    with homes.folder() as home:
        env = homes.environment(home)
        for shell, (flags, script, before) in SHELLS.items():
            program = shutil.which(shell)
            if program is None:
                yield Row(
                    f"prompt in {shell}", "no fork, ≤ 0.2 ms", f"not measured: {shell} is not installed"
                )
                continue
            publish(home, shell, TEXT[:80])
            snippet = os.path.join(home, f"snippet.{shell}")
            with open(snippet, "wb") as file:
                subprocess.run([homes.FRONT, "init", shell], env=env, stdout=file, check=True)
            commands = [
                [program, *flags, text, *before, snippet]
                for text in (script, script.replace("__aitop_prompt", ":").replace("aitop_segment", "true"))
            ]
            yield _prompt(shell, *commands, loops, times, env)


def _prompt(shell, command, empty, loops, times, env):
    """Many prompts in one shell, less the same loop around nothing."""
    many = [str(loops)]
    runs, floors = pairs(lambda: run(command + many, env), lambda: run(empty + many, env), times, warm=1)
    each = (median(runs) - median(floors)) / loops
    forks = _forks([*command, "5"], [*empty, "5"], env)
    shown = "forks not counted: no strace" if forks is None else f"{forks} forks"
    return Row(
        f"prompt in {shell}", "no fork, ≤ 0.2 ms", f"{each * 1000:.3f} ms, {shown}",
        within=each <= 0.0002 and not forks, values={"ms": each * 1000, "forks": forks},
    )  # fmt: skip


def _forks(some, none, env):
    """How many processes five prompts start."""
    if not shutil.which("strace"):
        return None
    counts = []
    for command in (some, none):
        found = subprocess.run(["strace", "-f", "-qq", "-e", "trace=fork,vfork,clone,clone3", "-e", "signal=none",
                                *command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, check=False)  # fmt: skip
        counts.append(sum("(" in line and "CLONE_THREAD" not in line for line in found.stderr.splitlines()))
    return counts[0] - counts[1]
