"""One task of Cline or a relative in an editor → events: `ui_messages.json`, rewritten at each change.

Each `api_req_started` message is a request; its text is JSON, with tokens once the answer is there. Whether `tokensIn`
holds the cache depends on the client: Roo writes the whole prompt since 1 November 2025, Cline what is left of it,
but for some of its API providers. The model is in the message, in the task's metadata, or in the `<model>` of the
conversation. Looks at the two files beside this one. Must not keep any text.
"""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from aitop.model.events import ApiError, Event, Place, Response, SessionInfo, Status, ToolUse, Usage
from aitop.model.json_types import JsonObject
from aitop.providers import Parsed, Source, documents
from aitop.providers.files import read_regular
from aitop.providers.lenient import count, epoch, loads, rows, table, text

AGAIN = 600.0  # seconds: messages that are this much older than the newest do not change any more
DONE = "completed"
MAX_HISTORY = 64 << 20
MAX_TEXT = 16 << 20
MAX_USD = 1e6
ROO_WHOLE_SINCE = 1_761_955_200.0  # 2025-11-01, version 3.29.5
# With these API providers Cline's `tokensIn` is the whole prompt.
WHOLE = frozenset(
    (
        "openai",
        "litellm",
        "doubao",
        "fireworks",
        "hicap",
        "lmstudio",
        "qwen",
        "xai",
        "zai",
        "openai-compatible",
    )
)
MODEL = re.compile(rb"<model>([^<\\]{1,100})</model>")
MOMENT = re.compile(rb'"ts":\s*(\d{12,14})')
FOLDER = re.compile(rb"Current (?:Working|Workspace) Directory \((/[^)\\]{0,1000})\)")
STATUSES = {
    "completion_result": "idle", "resume_task": "idle", "resume_completed_task": "idle", "api_req_failed": "idle",
    "followup": "waiting", "command": "waiting", "tool": "waiting", "plan_mode_respond": "waiting",
    "use_mcp_server": "waiting", "mistake_limit_reached": "waiting",
}  # fmt: skip


def identify(path: str) -> Source:
    return Source(os.path.basename(os.path.dirname(path)), None)


def read(path: str, source: Source) -> Iterator[Parsed]:
    """The task, from a while before the note on: the time of the newest message seen. Raises OSError."""
    document = documents.load(path)
    if not isinstance(document.value, list):
        yield Parsed([], 0, None, source.session, source.pending, documents.NOT_WHOLE)
        return
    messages = [table(one) for one in document.value]
    task = _Task(path, source.session or "unknown", float(source.pending or 0))
    for message in messages:
        task.message(message)
    first_at = next((at for one in messages if (at := epoch(one.get("ts")))), None)
    yield Parsed(task.done(), 0, first_at, task.session, f"{task.newest:.3f}")


class _Used(NamedTuple):
    """The model and API provider from a moment on."""

    at: float
    model: str
    provider: str | None


class _Task:
    """One pass over the messages."""

    def __init__(self, path: str, session: str, seen: float) -> None:
        self.session, self.newest = session, seen
        self._path, self._since = path, seen - AGAIN
        self._events: list[Event] = []
        self._used: list[_Used] | None = None
        self._cwd: str | None = None
        self._status: Status | None = None

    def message(self, message: JsonObject) -> None:
        at = epoch(message.get("ts"))
        if at is None or message.get("partial") is True:
            return
        self.newest = max(self.newest, at)
        asked, word_said = message.get("ask"), message.get("say")
        what = asked if message.get("type") == "ask" else word_said
        status = STATUSES.get(text(asked) or "", "waiting") if message.get("type") == "ask" else "working"
        if word_said == "completion_result":
            status = "idle"
        self._status = Status(self.session, at, status, "messages", live=False)
        if at < self._since:
            return
        if what == "api_req_started":
            self._request(message, _inner(message), at)
        elif what in ("api_req_failed", "api_req_retried"):
            final = what == "api_req_failed"
            key = f"{self.session}:{at:.3f}"
            self._events.append(ApiError(self.session, at, key, "error" if final else "retried", final))
        elif what in ("tool", "command"):
            name = text(table(_inner(message)).get("tool"), 64)
            self._events.append(
                ToolUse(
                    self.session,
                    at,
                    f"{self.session}:{at:.3f}",
                    (name or "unknown") if what == "tool" else "command",
                )
            )

    def _request(self, message: JsonObject, raw: object, at: float) -> None:
        request = table(raw)
        whole, output = count(request.get("tokensIn")), count(request.get("tokensOut"))
        read, written = count(request.get("cacheReads")), count(request.get("cacheWrites"))
        if not (whole or output or read or written):
            return
        info = table(message.get("modelInfo"))
        used = _Used(at, text(info.get("modelId")) or "", text(info.get("providerId"), 64))
        if not used.model:
            used = self._model_at(at)
        cached = read + written
        if whole >= cached and _is_whole(request.get("apiProtocol"), used.provider, at):
            whole -= cached
        usd = request.get("cost")
        has_cost = type(usd) in (int, float) and isinstance(usd, int | float) and 0 < usd < MAX_USD
        self._events.append(
            Response(
                self.session, at, used.model or "unknown", Usage(whole, output, read, written),
                f"{self.session}:{at:.3f}", stop_reason=DONE, place=Place(self._cwd) if self._cwd else None,
                client_usd=float(usd) if has_cost and isinstance(usd, int | float) else None,
            )
        )  # fmt: skip

    def _model_at(self, at: float) -> _Used:
        """What was used at a moment, by the files beside this one."""
        if self._used is None:
            self._used = self._of_metadata() or self._of_history()
        before = [one for one in self._used if one.at <= at]
        return before[-1] if before else self._used[0] if self._used else _Used(at, "", None)

    def _of_metadata(self) -> list[_Used]:
        raw = rows(documents.beside(self._path, "task_metadata.json").get("model_usage"))
        used = [
            _Used(moment, model, text(one.get("model_provider_id"), 64))
            for one in map(table, raw)
            if (moment := epoch(one.get("ts"))) and (model := text(one.get("model_id")))
        ]
        return sorted(used)

    def _of_history(self) -> list[_Used]:
        try:
            data = read_regular(
                os.path.join(os.path.dirname(self._path), "api_conversation_history.json"), MAX_HISTORY
            )
        except OSError:
            return []
        if folder := FOLDER.search(data):
            self._cwd = folder[1].decode("utf-8", "replace")
        requests = []
        for one in MODEL.finditer(data):
            moment = MOMENT.search(data, one.end())
            at = epoch(int(moment[1])) if moment else None
            requests.append(_Used(at or 0.0, one[1].decode("utf-8", "replace").rpartition("/")[2], None))
        return sorted(requests, key=lambda used: used.at)

    def done(self) -> list[Event]:
        item = documents.beside(self._path, "history_item.json")
        folder = (
            text(item.get("workspace"), 4096) or text(item.get("cwdOnTaskInitialization"), 4096) or self._cwd
        )
        model = next((one.model for one in reversed(self._events) if isinstance(one, Response)), None)
        if self._events:
            self._events.append(SessionInfo(self.session, self.newest, cwd=folder, model=model))
        return [*self._events, *([self._status] if self._status else [])]


def _inner(message: JsonObject) -> object:
    """The JSON that a message's text is; None for any other text."""
    return loads((text(message.get("text"), MAX_TEXT) or "").encode("utf-8", "replace"))


def _is_whole(protocol: object, provider: str | None, at: float) -> bool:
    """Whether `tokensIn` is the whole prompt. Only Roo names the protocol."""
    if protocol == "anthropic":
        return at >= ROO_WHOLE_SINCE
    return protocol is not None or provider in WHOLE
