"""Kimi Code and the older Kimi CLI: their sessions' wire logs. Read `wire.py` first."""

from aitop.providers.declaration import Client

DESKTOP = "CONFIG/kimi-desktop/daimon-share/daimon/runtime/kimi-code/home/sessions"

provider = Client(
    "kimi",
    ("~/.kimi-code/sessions", "~/.kimi/sessions", DESKTOP),
    r"/wire\.jsonl$",
    "aitop.providers.kimi.wire",
    moved_by=(("KIMI_CODE_HOME", "sessions"), ("KIMI_SHARE_DIR", "sessions")),
)
