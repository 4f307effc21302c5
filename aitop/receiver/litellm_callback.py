"""What LiteLLM's `generic_api` callback posts: payloads of calls, kept as lines of the journal.

So they are durable before they are counted, and told twice they count once. Contents end here.
"""

from typing import Any

from aitop.gateway import journal
from aitop.otlp import JSON, Malformed
from aitop.providers.gateway import litellm_payload
from aitop.providers.lenient import loads

MEDIA = (JSON, "application/x-ndjson")
PATH = "/v1/litellm"


def take(body: bytes, media: str, now: float) -> None:  # noqa: ARG001
    """One payload, a list of them, or one a line. Raises Malformed, and OSError where nothing can be written."""
    session = journal.session("litellm", "proxy", now)
    entries = [found for one in _payloads(body) if (found := litellm_payload.entry(one, session))]
    if entries:
        journal.append("litellm", entries, now)


def _payloads(body: bytes) -> list[Any]:
    whole = loads(body)
    if whole is not None:
        return whole if isinstance(whole, list) else [whole]
    lines = [loads(line) for line in body.splitlines() if line.strip()]
    if not lines or None in lines:
        raise Malformed("no JSON: send a payload, a list of payloads, or one on each line")
    return lines
