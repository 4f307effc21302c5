"""Mistral Vibe: its sessions' metadata. Read `meta.py` first."""

from aitop.providers.declaration import Client

provider = Client(
    "vibe",
    ("~/.vibe/logs/session",),
    r"/meta\.json$",
    "aitop.providers.vibe.meta",
    moved_by=(("VIBE_HOME", "logs/session"),),
    keeps_note=True,
)
