"""One refresh of a display, compared with one refresh of each peer.

A day's work is in the client's folder, our listener runs, and every program is given the same JSON on
stdin, as Claude Code gives it to a status line. A tmux status line, a prompt and a bar run such a
program at each refresh; so each peer stands beside three of ours.
"""

import glob
import json
import os
import shutil
import time

from benchmarks import history, homes
from benchmarks.displays import Prompt
from benchmarks.harness import Row, failures, least, median, missing, rounds, run
from benchmarks.peers import Peers

MEGABYTES = 100
LOOPS = 200  # prompts in one shell, for one refresh's worth
BUDGET = "faster than the peer"
INSTALLED = "`statusline` as installed"
WHY = {
    (
        INSTALLED,
        "ccusage statusline, cached, native binary",
    ): "ours asks the listener for the numbers of that very call; "
    "the peer, called past its own launcher, prints its last line again",
}


def refreshes(effort):
    """Every peer that answers with one line beside `aitop tmux`, the installed status line and a prompt."""
    peers = Peers(install=not effort.quick)
    for name, why in peers.why.items():
        yield missing(f"one refresh beside {name}", BUDGET, why)
    lines = peers.lines()
    if not lines:
        return
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        size = history.make(claude, effort.times(MEGABYTES, 3))["bytes"] / 1e6
        with homes.listening(home, claude) as listener:
            listener.until(lambda state: state["scan"]["complete"])
            place = Place(home, claude)
            for name, command in lines.items():
                yield from _beside(name, command, place, effort.times(25, 2), size)


class Place:
    """A home with a listener, and the commands that run in it."""

    def __init__(self, home, claude):
        # the peers keep caches and settings: in the home, which vanishes, and the user's own are not used
        self.env = homes.environment(home, claude) | {"TMPDIR": home}
        self.stdin = os.path.join(home, "stdin.json")
        with open(self.stdin, "w") as file:
            json.dump(_said(claude, home), file)
        _, statusline = homes.scripts_in(home)
        zsh = shutil.which("zsh")
        self.ours = {"`aitop tmux`": [homes.FRONT, "tmux"], INSTALLED: [statusline]}
        self.prompt = Prompt("zsh", home, self.env) if zsh else None

    def calls(self, command):
        found = {name: lambda c=c: run(c, self.env, self.stdin) for name, c in self.ours.items()}
        found["peer"] = lambda: run(command, self.env, self.stdin)
        if self.prompt:
            found["prompts"] = lambda: self.prompt.run(self.prompt.command, LOOPS)
            found["empty"] = lambda: self.prompt.run(self.prompt.empty, LOOPS)
        return found


def _beside(name, command, place, times, size):
    found = rounds(place.calls(command), times, seconds=20, warm=1)
    peer = found.pop("peer")
    if failures(peer):
        yield missing(f"one refresh beside `{name}`", BUDGET, failures(peer))
        return
    theirs = median(peer)
    ours = {what: (median(found[what]), least(found[what])) for what in place.ours}
    if place.prompt:  # many prompts, less the same shell without
        ours["prompt in zsh"] = tuple(
            max(pick(found["prompts"]) - pick(found["empty"]), 0.0) / LOOPS for pick in (median, least)
        )
    for what, (took, best) in ours.items():
        yield Row(f"{what} beside `{name}`", BUDGET, f"{took * 1000:.2f} ms", f"{theirs * 1000:.1f} ms", took / theirs,
                  took < theirs, failures(*found.values()) or (WHY.get((what, name), "") if took >= theirs else ""),
                  {"median_ms": took * 1000, "min_ms": best * 1000, "peer_ms": theirs * 1000,
                   "peer_min_ms": least(peer) * 1000, "megabytes": size, "runs": len(peer)}, took < theirs)  # fmt: skip


def _said(claude, home):
    """The JSON that Claude Code gives a status line, for the newest session."""
    path = max(glob.glob(os.path.join(claude, "projects", "*", "*.jsonl")), key=os.path.getmtime)
    return {
        "hook_event_name": "Status", "session_id": os.path.basename(path)[:36], "transcript_path": path,
        "cwd": home, "version": "2.1.219", "model": {"id": history.MODELS[0], "display_name": "Opus 5.5"},
        "workspace": {"current_dir": home, "project_dir": home},
        "cost": {"total_cost_usd": 1.25, "total_duration_ms": 60_000, "total_api_duration_ms": 2_300,
                 "total_lines_added": 10, "total_lines_removed": 2},
        "context_window": {"context_window_size": 200_000, "used_percentage": 31, "total_input_tokens": 61_000,
                           "total_output_tokens": 900},
        "rate_limits": {"five_hour": {"used_percentage": 42, "resets_at": int(time.time()) + 4_000}},
    }  # fmt: skip
