"""Every display says the same of the same moment: status line, tmux, prompt, Waybar, the table, reports."""

import json
import os
import re
import subprocess
import sys

import pytest
from golden.home import ROOT, environment, need
from support.hosts import Claude, seconds

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
FRONT = os.path.join(os.path.dirname(sys.executable), "aitop")


def call(home, *words, stdin=b""):
    env = environment(home, NO_COLOR="1")
    env.pop("PYTHONPATH")
    done = subprocess.run([FRONT, *words], env=env, input=stdin, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def everywhere(home, session):
    """What was spent today, in cents, by each display."""
    said = json.dumps({"session_id": session, "model": {"display_name": "M"}}).encode()
    table = json.loads(call(home, "top", "--once", "--json"))["state"]
    day = json.loads(call(home, "report", "daily", "--json"))
    rows = day["rows"] if isinstance(day, dict) else day
    shown = {
        "tmux": call(home, "tmux", "--format", "{cost_today}"),
        "prompt": call(home, "prompt", "--format", "{cost_today}"),
        "preset": call(home, "tmux"),
        "waybar": json.loads(call(home, "waybar"))["text"],
        "status line": re.search(r"\$[\d.]+ today", call(home, "statusline", stdin=said))[0],
        "table": f"${table['today']['spent_usd']:.2f}",
        "report": f"${rows[-1].get('spent_usd', rows[-1]['cost_usd']):.2f}",
    }
    return {name: re.search(r"\$([\d.]+)", text)[1] for name, text in shown.items()}


def test_all_displays_show_the_same_sum_after_each_response(tmp_path, home, listener):
    claude = Claude(tmp_path)
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    for number in range(1, 4):

        def is_counted(many=number):
            return json.loads(call(home, "top", "--once", "--json"))["state"]["today"]["requests"] == many

        seconds(is_counted)
        with open(os.path.join(home, "state.json")) as file:
            session = json.load(file)["sessions"][0]["id"]
        sums = everywhere(home, session)
        assert len(set(sums.values())) == 1, sums
        assert float(sums["table"]) > 0
        claude.respond()


def test_no_display_shows_an_amount_that_was_never_true_while_sessions_work():
    need("zsh")
    need("tmux")
    said = subprocess.run([sys.executable, "-m", "benchmarks.agreement", "8"], cwd=ROOT, capture_output=True,
                          text=True, timeout=110, check=True).stdout.splitlines()  # fmt: skip
    names = [line.partition(":")[0] for line in said]
    assert names == ["status line", "tmux", "zsh", "Waybar", "top", "report"]
    assert [line for line in said if not re.search(r"\d s in \d+ looks at \d+ amounts", line)] == []
