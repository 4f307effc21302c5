"""One line of the journal: the facts of one finished API request. Pure.

The gateway and the LiteLLM logger write such lines, and the provider reads them. A field is a number, a word
of a closed set, or a name too short for a sentence: it must not hold a prompt, an answer, a header or a key.
"""

import json
import re
from typing import NamedTuple

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+ \[\]-]{0,127}")  # a model's or a response's
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")  # a reason, a kind of error


class Tokens(NamedTuple):
    """A response's tokens. `input` is all input, cache included, as in the OpenTelemetry conventions."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0  # a part of the output
    tier: str = ""  # "flex", "priority", "batch", else ""
    cache_write_1h: int = 0  # a part of cache_write


class Entry(NamedTuple):
    """One finished request. `at`: its end in epoch seconds. `tokens` is None where the answer had no usage."""

    id: str
    at: float
    session: str
    model: str | None
    tokens: Tokens | None = None
    stop_reason: str | None = None  # None: it did not end
    error: str | None = None  # a failed request: its kind
    response_id: str | None = None  # the API's own
    local: bool = False  # ran on a machine of the user's: costs nothing
    duration_ms: float | None = None
    ttft_ms: float | None = None
    billed_usd: float | None = None  # by the API itself or LiteLLM
    cwd: str | None = None


def to_line(entry: Entry) -> bytes:
    """The entry as a line of JSON, without empty fields."""
    fields = {"v": 1, **{key: value for key, value in entry._asdict().items() if value not in (None, False)}}
    if entry.tokens is not None:
        fields["tokens"] = {key: value for key, value in entry.tokens._asdict().items() if value}
    for key in ("at", "duration_ms", "ttft_ms"):
        if isinstance(fields.get(key), float):
            fields[key] = round(fields[key], 3)
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def name(value: object) -> str | None:
    """A model's or a response's name, None for what does not look like one."""
    return value if isinstance(value, str) and NAME.fullmatch(value) else None


def word(value: object) -> str | None:
    """One word such as `length` or `rate_limit_exceeded`, None for anything else."""
    return value if isinstance(value, str) and WORD.fullmatch(value) else None
