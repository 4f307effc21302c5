"""Two trees of aitop side by side: processor time of starts and one-shots, memory, hot imports, in turn.

    python -m benchmarks.against OTHER_TREE [--rounds N] [--idle SECONDS]

Run it before and after a change of structure: OTHER_TREE is a checkout of the commit before. Each round runs both
trees, in an order that changes, so a busy moment hurts both. The ratio of the medians says more
than either number; on a busy machine the least disturbed round says more still. `--idle` adds what a listener costs
that has nothing to do and none of its clients' files: processor time, wake-ups and memory over so many seconds.
"""

import argparse
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATIENCE = 60.0  # seconds for a listener to publish
SETTLING = 8.0  # seconds after its first state until it idles
IDLE_ROUNDS = 3
# name → (arguments of Python, what it gets on stdin); TREE stands for the tree's folder
COMMANDS = {
    "hook": (["-I", "-S", "TREE/aitop/hook.py", "Stop"], b"{}"),
    "statusline": (["-I", "-S", "TREE/aitop/statusline.py"], b"{}"),
    "tmux --preset burn": (["-m", "aitop", "tmux", "--preset", "burn"], b""),
    "waybar --format": (["-m", "aitop", "waybar", "--format", "{burn}"], b""),
    "version": (["-m", "aitop", "version"], b""),
}


def environment(tree: str, home: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": home, "AITOP_HOME": os.path.join(home, "a"), "PYTHONPATH": tree,
            "AITOP_PROVIDERS": "builtin", "CLAUDE_CONFIG_DIR": os.path.join(home, "claude"), "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": os.path.join(home, "none")}  # fmt: skip


def command(tree: str, words: list[str], *flags: str) -> list[str]:
    return [sys.executable, *flags, *(word.replace("TREE", tree) for word in words)]


def milliseconds(tree: str, home: str, name: str) -> float:
    """Of processor time, which other programs disturb less than the clock."""
    words, given = COMMANDS[name]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command(tree, words), input=given, capture_output=True, env=environment(tree, home),
                   cwd=home, check=False)  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def modules(tree: str, home: str, name: str) -> int:
    """How many modules Python loads for a command, by its own account."""
    words, given = COMMANDS[name]
    done = subprocess.run(command(tree, words, "-X", "importtime"), input=given, capture_output=True,
                          env=environment(tree, home), cwd=home, check=False)  # fmt: skip
    return done.stderr.count(b"import time:") - 1


def listener(tree: str, home: str) -> tuple[float, float]:
    """Milliseconds of processor time from its start to the first state, and MB resident two seconds later."""
    shutil.rmtree(os.path.join(home, "a"), ignore_errors=True)
    state = os.path.join(home, "a", "state.json")
    began = time.perf_counter()
    process = subprocess.Popen(command(tree, ["-m", "aitop", "listen", "--quiet"]), env=environment(tree, home),
                               cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        while not os.path.exists(state) and time.perf_counter() - began < PATIENCE:
            time.sleep(0.005)
        with open(f"/proc/{process.pid}/schedstat", encoding="ascii") as file:
            took = int(file.read().split()[0]) / 1e6
        time.sleep(2)
        with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return took, resident


def idle(tree: str, home: str, seconds: float) -> tuple[float, float, float]:
    """(percent of one core, wake-ups a second, MB resident) of a listener without any client's files."""
    shutil.rmtree(os.path.join(home, "a"), ignore_errors=True)
    state = os.path.join(home, "a", "state.json")
    began = time.perf_counter()
    process = subprocess.Popen(command(tree, ["-m", "aitop", "listen", "--quiet"]), env=environment(tree, home),
                               cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

    def counted() -> tuple[float, int]:
        with open(f"/proc/{process.pid}/schedstat", encoding="ascii") as file:
            ran = int(file.read().split()[0]) / 1e9
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            waits = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.MULTILINE)
        return ran, int(waits[1]) if waits else 0

    try:
        while not os.path.exists(state) and time.perf_counter() - began < PATIENCE:
            time.sleep(0.005)
        time.sleep(SETTLING)
        (ran, waits), start = counted(), time.perf_counter()
        time.sleep(seconds)
        (ran_then, waits_then), took = counted(), time.perf_counter() - start
        with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return 100 * (ran_then - ran) / took, (waits_then - waits) / took, resident


def compared(
    trees: list[str], rounds: int, idle_seconds: float = 0.0
) -> list[tuple[str, str, list[float], list[float]]]:
    """(what, unit, the other tree's values, this tree's)."""
    found: dict[tuple[str, str], dict[str, list[float]]] = {}

    def note(what: str, unit: str, tree: str, value: float) -> None:
        found.setdefault((what, unit), {}).setdefault(tree, []).append(value)

    with tempfile.TemporaryDirectory(prefix="aitop-") as home:
        for number in range(rounds):
            for tree in trees if number % 2 else reversed(trees):
                for name in COMMANDS:
                    note(name, "ms", tree, milliseconds(tree, home, name))
                if number < max(3, rounds // 5):
                    took, resident = listener(tree, home)
                    note("listener to its first state", "ms", tree, took)
                    note("listener, resident", "MB", tree, resident)
        for number in range(IDLE_ROUNDS if idle_seconds else 0):
            for tree in trees if number % 2 else reversed(trees):
                percent, waits, resident = idle(tree, home, idle_seconds)
                note("idle listener, of one core", "%", tree, percent)
                note("idle listener, wake-ups", "/s", tree, waits)
                note("idle listener, resident", "MB", tree, resident)
        for tree in trees:
            for name in COMMANDS:
                note(f"{name}: modules", "", tree, modules(tree, home, name))
    other, ours = trees
    return [(what, unit, values[other], values[ours]) for (what, unit), values in found.items()]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("other", help="the checkout to compare this one with")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--idle", type=float, default=0.0, metavar="SECONDS")
    chosen = parser.parse_args()
    rows = compared([os.path.abspath(chosen.other), HERE], chosen.rounds, chosen.idle)
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {chosen.rounds} rounds\n")
    print(
        "| what | before: median (least) | after: median (least) | ratio of medians, of least |\n|---|---|---|---|"
    )
    for what, unit, before, after in rows:
        middle, least = ([pick(values) for values in (before, after)] for pick in (statistics.median, min))
        print(
            f"| {what} | {middle[0]:.4g} ({least[0]:.4g}) {unit} | {middle[1]:.4g} ({least[1]:.4g}) {unit} "
            f"| {middle[1] / middle[0]:.2f}, {least[1] / least[0]:.2f} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
