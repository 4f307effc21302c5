"""Goose: its database of sessions. Read `ledger.py` first."""

from aitop.providers.declaration import Client

provider = Client(
    "goose",
    ("DATA/goose/sessions/sessions.db", "DATA/Block/goose/sessions/sessions.db"),
    r"/sessions\.db$",
    "aitop.providers.goose.ledger",
    moved_by=(("GOOSE_PATH_ROOT", "data/sessions/sessions.db"),),
)
