"""Zed's own agent: its database of threads. Read `threads.py` first."""

from aitop.providers.declaration import Client

provider = Client(
    "zed",
    ("~/.local/share/zed/threads/threads.db", "DATA/Zed/threads/threads.db"),
    r"/threads\.db$",
    "aitop.providers.zed.threads",
    keeps_note=True,
)
