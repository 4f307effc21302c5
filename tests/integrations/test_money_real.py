"""Budgets, tags, commits and notifications with the real Claude Code, from its own records."""

import itertools
import json
import os
import subprocess
import sys

import pytest
from golden.home import ROOT
from support.claude_client import Claude
from support.messages_api import FINE, USAGE, Api, call

from aitop.install import forwarder, settings

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]
SPENT = 0.0222  # both requests of one run: 1,000 tokens fresh, 2,000 written, 40 put out, at Sonnet's prices
GUARD = {"type": "command", "command": f"{sys.executable} -m aitop guard --hook"}
NUMBERS = itertools.count(1)


class Place:
    """A user's folder with the client's settings, our configuration, and a listener over both."""

    def __init__(self, root, home, listener, monkeypatch):
        self.root, self.home, self.listener = root, home, listener
        self.claude = None
        self.config = str(root / "config.toml")
        monkeypatch.setenv("AITOP_CONFIG", self.config)
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(root / "user" / ".claude"))

    def configure(self, text):
        with open(self.config, "w") as file:
            file.write(text)

    @property
    def work(self):
        return str(self.root / "user" / "work")

    def prompt(self, command="true", *, guard=(), tell=False, **more):
        """(what the client printed, requests that reached the API) of one prompt that calls Bash with a command.

        Its settings ask the guard before the events named; `tell`: ours as `aitop install --write` leaves them too.
        """
        used = USAGE | {"output_tokens": 40}
        api = Api([(call(next(NUMBERS), command), used), (FINE, used)])
        try:
            self.claude = self.claude or Claude(self.root / "user", self.home, api)
            kept = {"hooks": {event: [{"hooks": [GUARD]}] for event in guard}}
            if tell:
                script = os.path.join(self.home, "hook")
                forwarder.write_script(script, forwarder.render("perl", self.home))
                kept = settings.merge(kept, settings.Entries(script))
            with open(self.claude.settings, "w") as file:
                json.dump(kept, file)
            environ = self.claude.environment | {"ANTHROPIC_BASE_URL": api.url, "PYTHONPATH": ROOT, **more}
            found = subprocess.run([*self.claude.words(), "-p", "go"], env=environ, cwd=self.work, timeout=90,
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True)  # fmt: skip
        finally:
            api.close()
        return found.stdout, api.turns

    def spend(self):
        """One run without a guard, and the state that has seen it."""
        before = (self.listener.state() or {"today": {"requests": 0}})["today"]["requests"]
        assert self.prompt() == ("fine\n", 2)
        return self.listener.wait_for(lambda state: state["today"]["requests"] == before + 2)

    def aitop(self, *words):
        environ = os.environ | {"PYTHONPATH": ROOT, "AITOP_HOME": self.home}
        return subprocess.run([sys.executable, "-m", "aitop", *words], env=environ, capture_output=True, text=True,
                              timeout=60)  # fmt: skip

    def report(self, *words):
        found = self.aitop("report", *words, "--json")
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)


@pytest.fixture
def place(tmp_path, home, listener, monkeypatch):
    return Place(tmp_path, home, listener, monkeypatch)


DAY = '[budgets.day]\nperiod = "day"\nlimit_usd = 0.02\n'


def test_a_spent_budget_stops_the_next_prompt_and_tells_why(place):
    place.configure(DAY)
    place.listener.start()
    state = place.spend()
    assert state["budgets"][0]["used_usd"] == pytest.approx(SPENT)
    said, turns = place.prompt(guard=["UserPromptSubmit"])
    assert "budget day is over: $0.02 of $0.02 today" in said
    assert turns == 0
    assert place.aitop("guard").returncode == 11


def test_a_spent_budget_stops_a_tool_and_the_model_is_told_why(place, tmp_path):
    place.configure(DAY)
    place.listener.start()
    place.spend()
    assert place.prompt("touch RAN", guard=["PreToolUse"]) == ("fine\n", 2)
    assert not os.path.exists(os.path.join(place.work, "RAN"))
    written = "".join(path.read_text() for path in tmp_path.rglob("*.jsonl"))
    assert "aitop: budget day is over" in written


def test_a_budget_with_room_or_no_listener_lets_the_client_go_on(place):
    place.configure(DAY.replace("0.02", "50"))
    place.listener.start()
    place.spend()
    both = ["UserPromptSubmit", "PreToolUse"]
    assert place.prompt("touch ONE", guard=both) == ("fine\n", 2)
    place.configure(DAY)
    place.listener.end()
    assert place.prompt("touch TWO", guard=both) == ("fine\n", 2)
    assert {"ONE", "TWO"} <= set(os.listdir(place.work))


def test_the_tag_of_the_clients_environment_reaches_the_session_and_the_report(place):
    place.listener.start()
    place.prompt(tell=True, AITOP_TAG="client-a")
    place.listener.wait_for(lambda s: s["today"]["requests"] == 2 and s["sessions"][0]["tag"] == "client-a")
    (row,) = place.report("tags")
    assert (row["tag"], row["requests"]) == ("client-a", 2)
    assert row["cost_usd"] == pytest.approx(SPENT)


def test_what_the_client_spent_belongs_to_the_commit_it_made(place):
    os.makedirs(place.work)
    git = ["git", "-C", place.work]
    subprocess.run([*git, "init", "-q", "-b", "feature/login"], check=True)
    for key, value in (("email", "you@example.org"), ("name", "You")):
        subprocess.run([*git, "config", f"user.{key}", value], check=True)
    place.listener.start()
    place.prompt(
        "sleep 2; printf 'one\\ntwo\\n' > new.txt; git add new.txt; git commit -qm 'Two lines'; sleep 1.2"
    )
    place.listener.wait_for(lambda state: state["today"]["requests"] == 2)
    rows = place.report("commits")
    (commit,) = [row for row in rows if row["commit"]]
    assert (commit["subject"], commit["branch"], commit["lines"]) == ("Two lines", "feature/login", 2)
    assert commit["cost_usd"] == pytest.approx(SPENT / 2)
    assert commit["usd_per_line"] == pytest.approx(SPENT / 4)
    assert commit["session"] == place.listener.state()["sessions"][0]["id"]
    assert sum(row["cost_usd"] for row in rows) == pytest.approx(SPENT)


def test_a_budget_that_is_spent_is_told_once_whatever_is_restarted(place, tmp_path):
    told = tmp_path / "told"
    place.configure(f"{DAY}[notify]\ncommand = 'cat >> {told}'\n")
    place.listener.start()
    place.spend()
    place.listener.wait_for(lambda _: told.exists() and told.read_text().endswith("\n"))
    place.listener.end()
    place.listener.start()
    place.spend()
    place.listener.end()
    (line,) = told.read_text().splitlines()
    said = json.loads(line)
    assert (said["id"], said["level"]) == ("budget:day", "critical")
    assert said["text"].startswith("budget day: $0.02 of $0.02")
