"""Qoder: transcripts of Claude Code's shape. Read `transcript.py` first."""

from aitop.providers.declaration import Client

provider = Client(
    "qoder",
    ("~/.qoder/projects", "~/.qoderwork/projects", "CONFIG/Qoder/SharedClientCache/cli/projects"),
    r"\.jsonl$",
    "aitop.providers.qoder.transcript",
)
