"""One line of the journal: what is known of one finished API request. Pure.

The gateway and the LiteLLM logger write such lines, the provider reads them. Everything here is a number,
a word of a closed set, or a name with no room for a sentence: no prompt, answer, header or key fits in.
"""

import json
import re
from typing import NamedTuple

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+ \[\]-]{0,127}")  # a model's or a response's
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")  # a reason, a kind of error


class Tokens(NamedTuple):
    """What a response reported, as the OpenTelemetry conventions count: all input, cached included."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0  # a part of the output
    tier: str = ""  # "flex", "priority", "batch", else ""


class Entry(NamedTuple):
    """One finished request. Times are epoch seconds, `at` is its end; `tokens` is None where none were told."""

    id: str
    at: float
    session: str
    model: str | None
    tokens: Tokens | None = None
    stop_reason: str | None = None  # None: it did not come to its end
    error: str | None = None  # a failed request: its kind
    response_id: str | None = None  # the API's own
    local: bool = False  # run on a machine of the user's: free
    duration_ms: float | None = None
    ttft_ms: float | None = None
    billed_usd: float | None = None  # what the API or LiteLLM says it cost
    cwd: str | None = None


def to_line(entry: Entry) -> bytes:
    """The entry as a line of JSON, without what is not known."""
    told = {"v": 1, **{key: value for key, value in entry._asdict().items() if value not in (None, False)}}
    if entry.tokens is not None:
        told["tokens"] = {key: value for key, value in entry.tokens._asdict().items() if value}
    for key in ("at", "duration_ms", "ttft_ms"):
        if isinstance(told.get(key), float):
            told[key] = round(told[key], 3)
    return json.dumps(told, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def name(value: object) -> str | None:
    """A model's or a response's name, None for what does not look like one."""
    return value if isinstance(value, str) and NAME.fullmatch(value) else None


def word(value: object) -> str | None:
    """One word such as `length` or `rate_limit_exceeded`, None for anything else."""
    return value if isinstance(value, str) and WORD.fullmatch(value) else None
