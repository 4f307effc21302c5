"""`aitop install --mcp`: the server in the real Claude Code's list, and out of it again."""

import json
import os
import subprocess
import sys

import pytest
from support.clients import client

AITOP = os.path.join(os.path.dirname(sys.executable), "aitop")
OTHER = {"mcpServers": {"aitop": {"command": "/opt/other/server", "args": []}}, "theme": "dark"}


@pytest.fixture
def user(tmp_path, home):
    """The environment of one user without the client."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AITOP_HOME": home}


def install(user, *words, code=0):
    done = subprocess.run(
        [AITOP, "install", "--mcp", *words], env=user, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def servers(user):
    with open(os.path.join(user["HOME"], ".claude.json")) as file:
        return json.load(file).get("mcpServers", {})


@pytest.mark.real
@pytest.mark.timeout(180)
def test_it_is_registered_once_and_taken_out_by_the_clients_own_command(user):
    user["PATH"] = os.path.dirname(client("claude")) + ":" + os.environ["PATH"]
    assert "claude mcp add-json --scope user aitop" in install(user)
    install(user, "--write")
    assert servers(user)["aitop"]["command"] == AITOP
    assert "already" in install(user, "--write")
    assert "no longer" in install(user, "--uninstall")
    assert servers(user) == {}
    assert "nothing to take out" in install(user, "--uninstall")


def test_without_the_client_it_says_what_to_add_by_hand(user):
    found = install(user, "--write", code=1)
    assert "not on PATH" in found
    assert '"mcpServers": {"aitop": {' in found


@pytest.mark.parametrize("word", ["--write", "--uninstall"])
def test_a_server_of_that_name_that_is_not_ours_stays(user, word):
    path = os.path.join(user["HOME"], ".claude.json")
    with open(path, "w") as file:
        json.dump(OTHER, file)
    install(user, word, code=1 if word == "--write" else 0)
    with open(path) as file:
        assert json.load(file) == OTHER


def test_a_file_that_does_not_parse_is_named(user):
    path = os.path.join(user["HOME"], ".claude.json")
    with open(path, "w") as file:
        file.write("{")
    assert f"{path}: is not what Claude Code writes" in install(user, "--write", code=1)


def test_it_goes_alone(user):
    assert "--mcp goes with" in install(user, "--statusline", code=2)
