"""Kiro's program and editor: sessions with credits and mostly without tokens. Read `sessions.py` first."""

from aitop.providers.declaration import Client

provider = Client(
    "kiro",
    ("~/.kiro/sessions",),
    r"/cli/[^/]+\.json$|/sess_[^/]+/(session\.json|messages\.jsonl)$",
    "aitop.providers.kiro.sessions",
    moved_by=(("KIRO_HOME", "sessions"),),
)
