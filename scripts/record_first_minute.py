"""docs/pictures/first-minute.svg: a fresh home, a clone, one command, the real Claude Code, its cost in tmux.

python scripts/record_first_minute.py

Everything is typed into a real tmux and filmed; the last line is the clock. The film runs at four times the speed.
Needs git, tmux and Claude Code as tests/support/clients.py finds it; its API is scripted, on loopback.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests"), os.path.join(ROOT, "scripts")]

import terminal_svg  # noqa: E402
from support.first_minute import COLUMNS, ROWS, Newcomer, on_a_terminal  # noqa: E402

TARGET = os.path.join(ROOT, "docs", "pictures", "first-minute.svg")
SPEED = 4
MAX_STILL = 6.0  # seconds of the film without a change
CLOCK = "\x1b[0m\x1b[90m {:>5.1f} s  {}"


def captioned(frames, times):
    """Each frame with the clock and the last step that was over; long waits are shortened."""
    shown, at, before = [], 0.0, 0.0
    for seconds, lines in frames:
        at += min((seconds - before) / SPEED, MAX_STILL)
        before = seconds
        step = [what for what, moment in times if moment <= seconds][-1:]
        padded = [*lines, *[""] * (ROWS - len(lines))]
        shown.append((at, [*padded, CLOCK.format(seconds, *step or [""])]))
    return shown, at + 4


def main():
    with Newcomer() as newcomer:
        frames, shown = on_a_terminal(newcomer)
        (session,) = newcomer.state()["sessions"]
    for what, seconds in newcomer.times:
        print(f"{seconds:6.1f} s  {what}")
    print(f"tmux shows ${shown:.2f}, the client says ${session['client_cost_usd']:.4f}")
    film, length = captioned([frame for frame in frames if frame[0] >= 0], newcomer.times)
    title = "A clone, one command, and tmux shows what Claude Code costs"
    with open(TARGET, "w", encoding="utf-8") as file:
        file.write(terminal_svg.film(film, length, title, COLUMNS, ROWS + 1))
    print(TARGET)


if __name__ == "__main__":
    main()
