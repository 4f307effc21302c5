"""Claude Code's transcripts as acts. Pure.

The lines of an edit come from the patch that the client records with the tool's result (`structuredPatch`: hunks of
lines that begin with +, - or a space), because it says what was really written, also with `replace_all` and where the
user changed the edit. Without one they come from what the model asked for.
"""

from collections.abc import Iterable, Iterator

from aitop.model.json_types import JsonObject
from aitop.providers.lenient import epoch, rows, table, text
from aitop.providers.lines import records
from aitop.reports.shipped.acts import Acts, Call, Edit, Prompt, Stop, added, numbers

PATHS = {"Edit": "file_path", "MultiEdit": "file_path", "Write": "file_path", "NotebookEdit": "notebook_path"}
INTERRUPTED = "[Request interrupted by user"
NO_PROMPT = ("<local-command", "<bash-stdout", "<bash-stderr", "Caveat:")
NOT_THE_USERS = ("isMeta", "isSidechain", "isCompactSummary", "isVisibleInTranscriptOnly", "agentId")


def read(runs: Iterable[bytes], agent: str | None) -> Acts:
    """What the runs of lines of one transcript say; `agent` names a sub-agent's file."""
    reader = _Reader(agent)
    for data in runs:
        for _, record in records(data):
            if record is not None:
                reader.take(record)
    reader.acts.calls.extend(call for call, _ in reader.open.values())
    return reader.acts


class _Reader:
    """The calls that wait for their result, with their input."""

    def __init__(self, agent: str | None) -> None:
        self.agent = agent
        self.acts = Acts(set(), [], [], [])
        self.open: dict[str, tuple[Call, JsonObject]] = {}

    def take(self, record: JsonObject) -> None:
        kind, message = record.get("type"), record.get("message")
        at, session = epoch(record.get("timestamp")), text(record.get("sessionId"), 128)
        if kind not in ("user", "assistant") or not isinstance(message, dict) or at is None or not session:
            return
        self.acts.sessions.add(session)
        if kind == "assistant":
            self._answered(record, message, session, at)
            return
        results = [one for one in rows(message.get("content")) if table(one).get("type") == "tool_result"]
        for block in results:
            self._ended(block, table(record.get("toolUseResult")), len(results) == 1, record, at)
        if not results:
            self._said(record, message, session, at)

    def _answered(self, record: JsonObject, message: JsonObject, session: str, at: float) -> None:
        model = text(message.get("model")) or ""
        prompts = self.acts.prompts
        if prompts and not prompts[-1].model and not record.get("isSidechain") and model != "<synthetic>":
            prompts[-1] = prompts[-1]._replace(model=model)
        agent = self.agent or text(record.get("agentId")) or ("side" if record.get("isSidechain") else None)
        names = _names(text(message.get("id")), text(record.get("requestId")))
        for block in map(table, rows(message.get("content"))):
            identity, tool = text(block.get("id")), text(block.get("name"))
            if block.get("type") == "tool_use" and identity and tool:
                given = table(block.get("input"))
                path = text(given.get(PATHS.get(tool, "")), 4096)
                call = Call(identity, session, agent, names, model, tool, at, path=path)
                self.open.setdefault(identity, (call, given))

    def _ended(self, block: JsonObject, told: JsonObject, lone: bool, record: JsonObject, at: float) -> None:
        """A result. The client's own account of it is of the record's only result."""
        call, given = self.open.pop(text(block.get("tool_use_id")) or "", (None, {}))
        if call is None:
            return
        failed = block.get("is_error") is True
        edits: tuple[Edit, ...] = ()
        if not failed and call.path and call.tool in PATHS:
            lines = _lines(given, told if lone else {}, call.path)
            edits = (Edit(call.path, text(record.get("cwd"), 4096), lines),)
        self.acts.calls.append(call._replace(ended=at, failed=failed, edits=edits))

    def _said(self, record: JsonObject, message: JsonObject, session: str, at: float) -> None:
        """The user's own words, or that they stopped it; tools that are stopped belong to a sub-agent too."""
        words = _words(message.get("content"))
        identity = text(record.get("uuid")) or f"{session}-{at}"
        if words.startswith(INTERRUPTED):
            self.acts.stops.append(Stop(identity, session, at))
        elif words and not words.startswith(NO_PROMPT) and not any(map(record.get, NOT_THE_USERS)):
            self.acts.prompts.append(Prompt(identity, session, at))


def _names(message: str | None, request: str | None) -> tuple[str, ...]:
    """As the history calls a response: with its request id where its message id alone is not its own."""
    if message is None:
        return ()
    return (f"{message}:{request}", message) if request else (message,)


def _words(content: object) -> str:
    """How a message begins; a picture alone counts as words."""
    if isinstance(content, str):
        return content.strip()
    for block in map(table, rows(content)):
        if block.get("type") == "text" and isinstance(block.get("text"), str):
            return str(block["text"]).strip()
    return "(picture)" if rows(content) else ""


def _lines(given: JsonObject, told: JsonObject, path: str) -> tuple[int, ...]:
    patch = [line for hunk in rows(told.get("structuredPatch")) for line in rows(table(hunk).get("lines"))]
    if patch:
        plus, minus = (
            [line[1:] for line in patch if isinstance(line, str) and line.startswith(sign)] for sign in "+-"
        )
        return added(numbers(minus, path), numbers(plus, path))
    found: list[int] = []
    for old, new in _asked(given, told):
        found += added(numbers(old.split("\n"), path), numbers(new.split("\n"), path))
    return tuple(found)


def _asked(given: JsonObject, told: JsonObject) -> Iterator[tuple[str, str]]:
    """(old, new) text of each part that the model asked to change."""
    whole = given.get("content")
    if isinstance(whole, str):
        yield _text(told.get("originalFile")), whole
    elif given.get("edit_mode") != "delete" and isinstance(given.get("new_source"), str):
        yield "", given["new_source"]
    for part in map(table, rows(given.get("edits")) or [given]):
        if isinstance(part.get("new_string"), str):
            yield _text(part.get("old_string")), part["new_string"]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
