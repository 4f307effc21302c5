"""The real Claude Code for the tests, which is too large to be a dependency of theirs, and one run of it."""

import os
import pwd
import shutil
import subprocess

import pytest


def client():
    """Its program: in $AITOP_CLIENTS or the user's cache, else on the path."""
    mine = pwd.getpwuid(os.getuid()).pw_dir  # HOME is the test's own
    folder = os.environ.get("AITOP_CLIENTS") or os.path.join(mine, ".cache", "aitop-clients")
    here = os.path.join(folder, "node_modules", ".bin", "claude")
    found = here if os.path.exists(here) else shutil.which("claude")
    if found is None:
        message = f"claude is missing: npm install --prefix {folder} @anthropic-ai/claude-code"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    return found


def ask(program, folder, home, api, *words, cwd=None, **more):
    """One prompt in a home of its own; what the client printed and its exit code."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "AITOP_HOME": home, "LANG": "C.UTF-8", "TERM": "dumb",
        "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "sk-ant-none", "DISABLE_AUTOUPDATER": "1",
        "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        **more,
    }  # fmt: skip
    call = [program, "--model", "claude-sonnet-4-5", "--allowedTools", "Bash", *words, "-p", "go"]
    return subprocess.run(
        call, env=environment, cwd=cwd or folder, capture_output=True, text=True, timeout=90
    )


def run(*arguments, **more):
    """One prompt that must be answered to its end."""
    found = ask(*arguments, **more)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.strip() == "fine"
