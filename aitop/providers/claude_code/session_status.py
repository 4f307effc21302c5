"""Whether a session works or rests, judged by the last record in its file. Pure."""

from collections.abc import Iterator

from aitop.model.json_types import JsonObject
from aitop.providers.claude_code import record_kind
from aitop.providers.lenient import epoch, loads

MAX_LINE = 262_144  # bytes; a longer line is passed over
LAST_LINES = 6  # among which a record of a turn is looked for
OF_A_TURN = ("user", "assistant", "system")


def last_record(
    data: bytes, offset: int = 0, parsed: tuple[int, JsonObject] | None = None
) -> tuple[JsonObject, float] | None:
    """The newest record of a turn among the last lines, and when it was written.

    `offset` is where `data` begins in its file; `parsed` is one record that is parsed already, and where it begins.
    """
    record: JsonObject | None
    for start, stop in _last_lines(data):
        if parsed is not None and parsed[0] == offset + start:
            record = parsed[1]
        else:
            record = loads(data[start:stop]) if 1 < stop - start < MAX_LINE else None
        if isinstance(record, dict) and record.get("type") in OF_A_TURN:
            at = epoch(record.get("timestamp"))
            if at is not None:
                return record, at
    return None


def _last_lines(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the last lines of a run begin and end, the newest first, without those of other kinds."""
    stop = len(data) - 1
    for _ in range(LAST_LINES):
        if stop <= 0:
            return
        start = data.rfind(b"\n", 0, stop) + 1
        if record_kind.of(data, start, stop) in (None, b"user", b"assistant", b"system"):
            yield start, stop
        stop = start - 1


def status_after(record: JsonObject) -> tuple[str, str]:
    """Working or idle, judged by the last record of a file."""
    kind = record["type"]
    message = record.get("message")
    if kind == "assistant":
        stop = message.get("stop_reason") if isinstance(message, dict) else None
        done = stop not in (None, "tool_use", "pause_turn") or record.get("isApiErrorMessage")
        return ("idle", "turn ended") if done else ("working", "tool or response under way")
    if kind == "user":
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and content and isinstance(content[0], dict):
            content = content[0].get("text")
        if isinstance(content, str) and content.startswith(
            ("[Request interrupted", "<local-command", "<command-")
        ):
            return "idle", "interrupted" if content.startswith("[") else "local command"
        return "working", "prompt or tool result sent"
    return ("working", "retrying") if record.get("subtype") == "api_error" else ("idle", "turn ended")
