"""Takes what LiteLLM's `generic_api` callback posts, and keeps it as lines of the journal.

So a call is durable before it is counted, and counts once when it is posted twice. Contents must not pass
this point.
"""

from aitop.gateway import journal
from aitop.otlp import JSON, Malformed
from aitop.providers.gateway import litellm_payload
from aitop.providers.lenient import loads

MEDIA = (JSON, "application/x-ndjson")
PATH = "/v1/litellm"


def take(body: bytes, media: str, now: float) -> None:  # noqa: ARG001
    """Keep one payload, a list of them, or one per line. Raises Malformed, and OSError where writing fails."""
    session = journal.session("litellm", "proxy", now)
    entries = [made for one in _payloads(body) if (made := litellm_payload.entry(one, session))]
    if entries:
        journal.append("litellm", entries, now)


def _payloads(body: bytes) -> list[object]:
    whole = loads(body)
    if whole is not None:
        return whole if isinstance(whole, list) else [whole]
    lines = [loads(line) for line in body.splitlines() if line.strip()]
    if not lines or None in lines:
        raise Malformed("no JSON: send a payload, a list of payloads, or one on each line")
    return lines
