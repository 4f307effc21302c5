"""Each setting that advice writes, in the real Claude Code: what its requests say with it, and after its undo."""

import json
import os
import re
import shutil
import time
import uuid
from datetime import datetime, timedelta

import pytest
from support.claude_client import Claude
from support.messages_api import USAGE, Api

from aitop.advice import settings
from aitop.install import advised

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
TASK = {"type": "tool_use", "id": "toolu_0001", "name": "Task",
        "input": {"description": "look", "prompt": "Say hi", "subagent_type": "general-purpose"}}  # fmt: skip
MINE = '{"theme":"dark",  "model" : "claude-opus-4-8"}'
NOW = 1_790_000_000.0
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class User(Claude):
    """The client as its user's settings have it, with an agent to start."""

    def words(self):
        return [self.program, "--allowedTools", "Task"]


def run(folder, home, write=None):
    """One run of the client; the user and the requests that were asked for."""
    api = Api([(TASK, USAGE | {"output_tokens": 40})])
    try:
        one = User(folder, home, api)
        with open(one.settings, "w", encoding="utf-8") as file:
            file.write(MINE)
        if write:
            write(one.settings)
        one.go()
    finally:
        api.close()
    return one, api


def asked(folder, home, write=None):
    """The requests of one run: (model, life of its cache), the sub-agent's apart."""
    one, api = run(folder, home, write)
    tools = [len(request.get("tools") or ()) for request in api.requests]
    assert len(set(tools)) > 1, "no sub-agent asked"
    main, agents = [], []
    for request, count in zip(api.requests, tools, strict=True):
        life = "1h" if '"ttl": "1h"' in json.dumps(request) else "5m"
        (main if count == max(tools) else agents).append((request["model"], life))
    return one.settings, set(main), set(agents)


def write(rule, value=None, at=NOW):
    def put(path):
        wanted = (
            settings.BY_RULE[rule].wanted(None, {}) if value is None else settings.Wanted(("model",), value)
        )
        advised.write(advised.plan(rule, path, wanted.keys, wanted.value, wanted.conflict), at)

    return put


@pytest.mark.parametrize(
    ("change", "main", "agents"),
    [
        (None, ("claude-opus-4-8", "5m"), ("claude-opus-4-8", "5m")),
        (write("subagent-model"), ("claude-opus-4-8", "5m"), ("sonnet", "5m")),
        (write("short-cache"), ("claude-opus-4-8", "1h"), ("claude-opus-4-8", "1h")),
        (write("hour-cache"), ("claude-opus-4-8", "5m"), ("claude-opus-4-8", "5m")),
        (write("older-model", "claude-opus-5-5"), ("claude-opus-5-5", "5m"), ("claude-opus-5-5", "5m")),
    ],
    ids=["before", "subagent-model", "short-cache", "hour-cache", "older-model"],
)
def test_the_requests_are_as_the_setting_says_and_the_file_comes_back(tmp_path, home, change, main, agents):
    path, of_main, of_agents = asked(tmp_path / "user", home, change)
    assert of_main == {main}
    assert {(("sonnet" if "sonnet" in model else model), life) for model, life in of_agents} == {agents}
    for entry in advised.load().in_force():
        advised.undo(entry, NOW + 1)
    with open(path, encoding="utf-8") as file:
        assert file.read() == MINE


def test_five_minutes_overrule_a_wish_for_an_hour(tmp_path, home, monkeypatch):
    """An account whose client asks for an hour by itself cannot be had here; the variable for it stands in."""

    def both(path):
        write("hour-cache")(path)
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        data["env"]["ENABLE_PROMPT_CACHING_1H"] = "1"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(data, file)

    _, of_main, of_agents = asked(tmp_path / "user", home, both)
    assert {life for _, life in of_main | of_agents} == {"5m"}
    assert os.path.exists(os.path.join(home, advised.RECORD))


def spread(one, days, now):
    """The client's own transcripts of one run again on other days, with other ids, as if it had run then."""
    projects = os.path.join(one.folder, ".claude", "projects")
    found = [os.path.join(folder, name) for folder, _, names in os.walk(projects) for name in names]
    kept = {}
    for path in found:
        with open(path, encoding="utf-8") as file:
            kept[os.path.relpath(path, projects)] = file.read()
        os.unlink(path)
    (session,) = {name.partition("/")[2].split("/")[0].removesuffix(".jsonl") for name in kept}
    first = min(stamp for text in kept.values() for stamp in STAMP.findall(text))
    begun = datetime.fromisoformat(first).timestamp()

    for day in days:

        def then(match, shift=now - day * 86_400 - begun):
            at = datetime.fromisoformat(match.group()) + timedelta(seconds=shift)
            return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

        other = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{session}{day}"))
        for name, text in kept.items():
            path = os.path.join(projects, name.replace(session, other))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            moved = re.sub(r"(msg|req|toolu)_", rf"\1_{day}", STAMP.sub(then, text)).replace(session, other)
            with open(path, "w", encoding="utf-8") as file:
                file.write(re.sub(r'("uuid": ?")', rf"\g<1>{day}-", moved))


def test_applied_measured_in_fast_motion_and_undone(tmp_path, home):
    now = time.time()
    before, _ = run(tmp_path / "before", home)
    applied, _ = run(tmp_path / "user", home, write("subagent-model", at=now - 9.5 * 86_400))
    spread(before, range(10, 20), now)
    spread(applied, range(1, 9), now)
    shutil.copytree(
        os.path.join(before.folder, ".claude", "projects"), os.path.join(applied.folder, ".claude", "projects"),
        dirs_exist_ok=True,
    )  # fmt: skip
    (found,) = json.loads(applied.aitop("advise", "--applied", "--json"))
    assert (found["rule"], found["verdict"]) == ("subagent-model", "saved")
    assert (found["measured"]["days_before"], found["measured"]["days_since"]) == (10, 8)
    assert found["measured"]["expected_usd"] > found["measured"]["cost_usd"] > 0
    assert found["measured"]["saving_low_usd"] > 0
    assert "Saved $" in applied.aitop("advise")
    assert "byte for byte" in applied.aitop("advise", "--undo")
    with open(applied.settings, encoding="utf-8") as file:
        assert file.read() == MINE
