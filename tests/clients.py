"""The real clients: too large, and too often new, to be a dependency of the tests."""

import os
import pwd
import shutil

import pytest

VERSIONS = {
    "claude": "@anthropic-ai/claude-code@2.1.330",
    "codex": "@openai/codex@0.169.0",
    "gemini": "@google/gemini-cli@0.61.0",
    "opencode": "opencode-ai@1.18.33",
    "copilot": "@github/copilot@1.0.102",
}


def client(name):
    """The program's path. A machine without it skips the test; with CI=true it fails."""
    mine = pwd.getpwuid(os.getuid()).pw_dir  # HOME is the test's own
    folder = os.environ.get("AITOP_CLIENTS") or os.path.join(mine, ".cache", "aitop-clients")
    here = os.path.join(folder, "node_modules", ".bin", name)
    found = here if os.path.exists(here) else shutil.which(name) if name == "claude" else None
    if found is None:
        message = f"{name} is missing: npm install --prefix {folder} {VERSIONS[name]}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    return found
