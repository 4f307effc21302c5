"""Droid, Factory's agent: its sessions' settings. Read `settings.py` first."""

from aitop.providers.declaration import Client

provider = Client(
    "droid",
    ("~/.factory/sessions",),
    r"\.settings\.json$",
    "aitop.providers.droid.settings",
    moved_by=(("FACTORY_DIR", "sessions"),),
    keeps_note=True,
)
