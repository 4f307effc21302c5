"""The plugin in the real Claude Code, alone and beside the hooks in settings.json: each event is told once."""

import json
import os
import subprocess
import time

import pytest
from golden.home import ROOT
from support.clients import client
from support.messages_api import Api

from aitop.install import forwarder, settings

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
PLUGIN = os.path.join(ROOT, "integrations", "claude-code")


@pytest.fixture
def api():
    served = Api()
    yield served
    served.close()


def run(program, folder, home, api, *words, cwd=None):
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "AITOP_HOME": home, "LANG": "C.UTF-8", "TERM": "dumb",
        "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "sk-ant-none", "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }  # fmt: skip
    call = [program, "--model", "claude-sonnet-4-5", "--allowedTools", "Bash", *words, "-p", "go"]
    found = subprocess.run(
        call, env=environment, cwd=cwd or folder, capture_output=True, text=True, timeout=90
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.strip() == "fine"


def connect(folder, home):
    """The hooks in settings.json, as `aitop install --write` leaves them."""
    root = os.path.join(folder, ".claude")
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(root, "settings.json"), "w") as file:
        json.dump(settings.merge({}, settings.Entries(os.path.join(home, "hook"))), file)


def told(listener):
    """What the listener heard of the run, once all of it is there.

    A busy machine may lose an event (the forwarder gives up in time, and a run without a terminal ends
    its background hooks when it ends); none may come twice.
    """
    state = listener.wait_for(
        lambda state: (
            state["hooks"]["received"]
            and state["today"]["requests"] == 2
            and state["today"]["tool_calls"] == 1
        ),
        30,
    )
    time.sleep(1.5)
    hooks = listener.state()["hooks"]
    assert set(hooks["by_event"]) <= TOLD
    assert set(hooks["by_event"].values()) == {1}
    return state


TOLD = {"SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "SessionEnd"}


def test_the_plugin_and_the_marketplace_are_valid_for_the_client(tmp_path):
    for path in (PLUGIN, ROOT):
        found = subprocess.run(
            [client("claude"), "plugin", "validate", "--strict", path],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, capture_output=True, text=True,
        )  # fmt: skip
        assert found.returncode == 0, found.stdout + found.stderr


def test_the_plugin_subscribes_to_what_install_subscribes_to():
    with open(os.path.join(PLUGIN, "hooks", "hooks.json")) as file:
        hooks = json.load(file)["hooks"]
    script = "${CLAUDE_PLUGIN_ROOT}/hooks/hook.sh"
    for event, later in settings.EVENTS.items():
        entry = {"type": "command", "command": "sh", "args": [script, event], "timeout": settings.TIMEOUT}
        assert hooks.pop(event) == [{"hooks": [entry | ({"async": True} if later else {})]}]
    assert hooks == {}


def test_the_plugin_alone_tells_of_a_session(tmp_path, home, listener, api):
    program = client("claude")
    folder = tmp_path / "work"
    folder.mkdir()
    forwarder.write_script(os.path.join(home, "hook"), forwarder.render("perl", home))
    listener.start(CLAUDE_CONFIG_DIR=str(folder / ".claude"))
    run(program, folder, home, api, "--plugin-dir", PLUGIN)
    told(listener)


def test_the_plugin_beside_the_hooks_in_the_settings_counts_nothing_twice(tmp_path, home, listener, api):
    program = client("claude")
    folder = tmp_path / "work"
    folder.mkdir()
    forwarder.write_script(os.path.join(home, "hook"), forwarder.render("perl", home))
    connect(folder, home)
    listener.start(CLAUDE_CONFIG_DIR=str(folder / ".claude"))
    run(program, folder, home, api, "--plugin-dir", PLUGIN)
    assert told(listener)["today"]["errors"] == 0


def test_hooks_in_the_settings_of_a_project_are_seen_too(tmp_path, home, listener, api):
    program = client("claude")
    user, project = tmp_path / "user-home", tmp_path / "project"
    user.mkdir()
    forwarder.write_script(os.path.join(home, "hook"), forwarder.render("perl", home))
    connect(project, home)
    listener.start(CLAUDE_CONFIG_DIR=str(user / ".claude"))
    run(program, user, home, api, "--plugin-dir", PLUGIN, cwd=project)
    assert told(listener)["sessions"][0]["requests"] == 2


def test_without_aitop_the_plugin_is_silent(tmp_path):
    call = ["/bin/sh", os.path.join(PLUGIN, "hooks", "hook.sh"), "Stop"]
    found = subprocess.run(
        call, input=b"{}", env={"HOME": str(tmp_path), "PATH": "/nonexistent"}, capture_output=True
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")
