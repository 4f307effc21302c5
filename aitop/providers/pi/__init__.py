"""pi and its relatives, which write its sessions into folders of their own. Read `session.py` first."""

from aitop.providers.declaration import Client

PARSER = "aitop.providers.pi.session"
# OpenClaw renames a session that is reset or deleted. Its `.bak` files are copies.
ARCHIVED = r"\.jsonl(\.(reset|deleted)\.[^/]*(?<!\.bak))?$"

provider = Client(
    "pi",
    ("~/.pi/agent/sessions",),
    r"\.jsonl$",
    PARSER,
    moved_by=(("PI_CODING_AGENT_SESSION_DIR", ""), ("PI_CODING_AGENT_DIR", "sessions")),
)
omp = Client(
    "omp", ("~/.omp/agent/sessions",), r"\.jsonl$", PARSER, moved_by=(("OMP_CODING_AGENT_DIR", "sessions"),)
)
openclaw = Client(
    "openclaw",
    ("~/.openclaw/agents", "~/.clawdbot/agents", "~/.moltbot/agents", "~/.moldbot/agents"),
    rf"/sessions/[^/]*{ARCHIVED}|/agent/openclaw-agent\.sqlite$",
    "aitop.providers.pi.agent_store",
    moved_by=(("OPENCLAW_STATE_DIR", "agents"),),
)
