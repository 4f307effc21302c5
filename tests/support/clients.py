"""Where the real clients are: in $AITOP_CLIENTS or ~/.cache/aitop-clients, a folder of npm's that .ci/run fills.

They are large, change daily and are no part of this project: without one its tests skip, but not in CI.
"""

import os
import pwd
import shutil

import pytest

MINE = pwd.getpwuid(os.getuid()).pw_dir  # HOME is the test's own
FOLDER = os.environ.get("AITOP_CLIENTS") or os.path.join(MINE, ".cache", "aitop-clients")
PACKAGES = {
    "claude": "@anthropic-ai/claude-code@2.1.332",
    "codex": "@openai/codex@0.171.0",
    "gemini": "@google/gemini-cli@0.61.0",
    "opencode": "opencode-ai@1.18.33",
    "copilot": "@github/copilot@1.0.102",
    "qwen": "@qwen-code/qwen-code@0.15.10",
}


def client(name):
    """A real client's program; skips the test, in CI fails it, where it is missing."""
    found = shutil.which(name, path=os.path.join(FOLDER, "node_modules", ".bin")) or shutil.which(name)
    if found is None:
        message = f"{name} is missing: npm install --prefix {FOLDER} {PACKAGES[name]}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    return found
