"""Grok Build: its sessions' updates. Read `updates.py` first."""

from aitop.providers.declaration import Client

provider = Client(
    "grok",
    ("~/.grok/sessions",),
    r"/updates\.jsonl$",
    "aitop.providers.grok.updates",
    moved_by=(("GROK_HOME", "sessions"),),
)
