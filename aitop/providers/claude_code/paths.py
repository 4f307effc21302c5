"""What the path of a transcript says: its session and, for a sub-agent's file, the agent. Pure."""

import os

from aitop.providers import Source


def identify(path: str) -> Source:
    """Session and agent by one of `SESSION/subagents/**/agent-ID.jsonl`, `agent-ID.jsonl`, `SESSION.jsonl`."""
    parts = path.split(os.sep)
    stem = parts[-1].removesuffix(".jsonl")
    if "subagents" in parts[:-1]:
        at = len(parts) - 1 - parts[::-1].index("subagents")
        return Source(parts[at - 1] if at else None, stem.removeprefix("agent-"))
    if stem.startswith("agent-"):
        return Source(None, stem.removeprefix("agent-"))
    return Source(stem if _is_uuid(stem) else None, None)


def _is_uuid(stem: str) -> bool:
    return len(stem) == 36 and stem.count("-") == 4 and all(c in "0123456789abcdefABCDEF-" for c in stem)
