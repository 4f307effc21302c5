"""Amp: the threads that older versions kept here. Read `thread.py` first."""

from aitop.providers.declaration import Client

provider = Client(
    "amp",
    ("~/.local/share/amp/threads", "DATA/amp/threads"),
    r"/threads/[^/]+\.json$",
    "aitop.providers.amp.thread",
    moved_by=(("AMP_DATA_DIR", "threads"),),
)
