"""Where the real clients are: in $AITOP_CLIENTS or ~/.cache/aitop-clients, a folder of npm's that .ci/run fills.

They are large, change daily and are no part of this project: without one its tests skip, but not in CI. Those that CI
does not install (`MORE`) have tests of their own, marked `by_hand`, which skip there as everywhere.
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
    "qwen": "@qwen-code/qwen-code@0.24.4",
    "pi": "@mariozechner/pi-coding-agent@0.73.1",
    "cline": "@cline/cli-linux-x64@3.0.65",
}
# Run by hand where they are there: too large for each run of CI, or in need of more than Node 20. Name → how to get it.
MORE = {
    "kilo": ("@kilocode/cli-linux-x64@7.7.9", "228 MB; half a minute a run"),
    "grok": ("@xai-official/grok@1.0.41", "206 MB"),
    "kimi": ("@moonshot-ai/kimi-code@2.1.0", "120 MB, and Node 22.19 or later on PATH: 190 MB"),
    "openclaw": ("openclaw@2026.9.6", "647 MB, and Node 24 on PATH: 190 MB"),
    "hermes": ("hermes-agent==0.19.0", "242 MB in a virtual environment of Python's"),
}
INSIDE = {  # packages of a bare program: where it is
    "kilo": ("@kilocode", "cli-linux-x64", "bin"),
    "cline": ("@cline", "cli-linux-x64", "bin"),
}


def client(name):
    """A real client's program; skips the test, in CI fails it, where it is missing."""
    folder = os.path.join(FOLDER, "node_modules", *INSIDE.get(name, (".bin",)))
    found = shutil.which(name, path=folder) or shutil.which(name)
    if found is None and name in MORE:
        pytest.skip(f"{name} is missing: {MORE[name][0]} ({MORE[name][1]})")
    if found is None:
        message = f"{name} is missing: npm install --prefix {FOLDER} {PACKAGES[name]}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    return found
