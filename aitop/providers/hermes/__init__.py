"""Hermes Agent: its databases of sessions. Read `state.py` first."""

from aitop.providers.declaration import Client

provider = Client(
    "hermes",
    ("~/.hermes/state.db", "~/.hermes/profiles"),
    r"/state\.db$",
    "aitop.providers.hermes.state",
    moved_by=(("HERMES_HOME", ""),),
    keeps_note=True,
    passes_over=r"/(profiles/[^/]+|\.?hermes)/[^/]+(?<!/profiles)$",
)
