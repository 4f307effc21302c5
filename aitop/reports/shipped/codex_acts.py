"""Codex's rollouts as acts. Pure: the provider's own parser says which calls there are and how they ended.

The lines of an edit come from the change that the client names for each file: `patch_apply_end`, and in newer versions
`item_completed` of a `FileChange`. Without either they come from the patch that the model sent, by itself or within a
shell command, if its output says that it was applied.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator

from aitop.model.events import ToolUse
from aitop.model.json_types import JsonObject
from aitop.providers import lines
from aitop.providers.codex import rollout
from aitop.providers.lenient import as_json, epoch, loads, rows, table, text
from aitop.reports.shipped.acts import Acts, Call, Edit, Prompt, Stop, added, numbers

APPLIED = "Success. Updated the following files"
BEGIN, END = "*** Begin Patch", "*** End Patch"
FILE = ("*** Add File: ", "*** Update File: ")
SAME_WORDS = 0.5  # seconds between two records of one prompt
MOVED = "*** Move to: "


def read(data: bytes, path: str) -> Acts:
    """What the lines of one rollout say."""
    parsed = rollout.parse(data, 0, rollout.identify(path))
    session = parsed.session or path
    calls = {one.tool_use_id: one for one in parsed.events if isinstance(one, ToolUse)}
    notes = _Notes(session)
    for _, record in lines.records(data):
        if record is not None:
            notes.take(record)
    agents = {one.agent for one in calls.values()} - {None}
    prompts = [] if agents else notes.prompts  # a sub-agent's task is no word of the user's
    return Acts({session}, prompts, notes.stops, [notes.call(one) for one in calls.values()])


class _Notes:
    """What the provider's parser has no event for."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.cwd: str | None = None
        self.prompts: list[Prompt] = []
        self.stops: list[Stop] = []
        self._models: list[tuple[float, str]] = []
        self._edits: dict[str, tuple[Edit, ...]] = {}
        self._applied: set[str] = set()
        self._asked: dict[str, tuple[Edit, ...]] = {}

    def take(self, record: JsonObject) -> None:
        payload, at = table(record.get("payload")), epoch(record.get("timestamp")) or 0.0
        kind = (record.get("type"), payload.get("type"))
        call = rollout.tool_id(self.session, text(payload.get("call_id")) or "")
        if record.get("type") in ("turn_context", "session_meta"):
            self.cwd = text(payload.get("cwd"), 4096) or self.cwd
            model = text(payload.get("model"))
            if model:
                self._models.append((at, model))
        elif kind == ("event_msg", "user_message"):
            self._said(at)
        elif kind == ("event_msg", "item_completed"):
            self._item(table(payload.get("item")), at)
        elif kind == ("event_msg", "turn_aborted") and payload.get("reason") == "interrupted":
            self.stops.append(Stop(f"{self.session}-{at}", self.session, at))
        elif kind == ("event_msg", "patch_apply_end") and payload.get("success") is True:
            self._edits[call] = tuple(self._changed(table(payload.get("changes"))))
        elif kind[0] == "response_item" and kind[1] in rollout.OUTPUTS:
            output = payload.get("output")
            if APPLIED in (output if isinstance(output, str) else as_json(output)):
                self._applied.add(call)
        elif kind[0] == "response_item" and kind[1] in rollout.CALLS:
            self._asked[call] = tuple(self._patched(_patch(payload)))

    def call(self, use: ToolUse) -> Call:
        """A call of the provider's with what is known beside it."""
        model = (
            self._models[max(0, bisect_right(self._models, (use.at, "\uffff")) - 1)][1]
            if self._models
            else ""
        )
        asked = self._asked.get(use.tool_use_id, ())
        is_refused = bool(asked) and use.tool_use_id not in {*self._edits, *self._applied}
        has_failed = use.failed or is_refused
        edits = () if has_failed or use.ended_at is None else self._edits.get(use.tool_use_id) or asked
        path = (edits or asked or (Edit("", None, ()),))[0].path
        failed = None if use.ended_at is None else has_failed
        return Call(use.tool_use_id, self.session, use.agent, (), model, use.name, use.at, use.ended_at, failed,
                    path or None, edits)  # fmt: skip

    def _said(self, at: float) -> None:
        """The user's words; two records of the same ones are one prompt."""
        if not self.prompts or at - self.prompts[-1].at >= SAME_WORDS:
            model = self._models[-1][1] if self._models else ""
            self.prompts.append(Prompt(f"{self.session}-{at}", self.session, at, model))

    def _item(self, item: JsonObject, at: float) -> None:
        if item.get("type") == "UserMessage":
            self._said(at)
        elif item.get("type") == "FileChange" and item.get("status") == "completed":
            call = rollout.tool_id(self.session, text(item.get("id")) or "")
            self._edits[call] = tuple(self._changed(table(item.get("changes"))))

    def _changed(self, changes: JsonObject) -> Iterator[Edit]:
        for before, raw in changes.items():
            change = table(raw)
            path = text(change.get("move_path"), 4096) or before
            content, diff = change.get("content"), change.get("unified_diff")
            if isinstance(diff, str):
                yield self._edit(path, diff.split("\n"))
            elif isinstance(content, str) and change.get("type") == "add":
                yield self._edit(path, ["+" + line for line in content.split("\n")])

    def _patched(self, patch: list[str]) -> Iterator[Edit]:
        """Each file of a patch as the model writes it."""
        path, part = "", list[str]()
        for line in [*patch, FILE[0]]:
            opening = next((word for word in FILE if line.startswith(word)), None)
            if opening is None:
                path = line.removeprefix(MOVED) if line.startswith(MOVED) else path
                part.append(line)
                continue
            if path:
                yield self._edit(path, part)
            path, part = line.removeprefix(opening), []

    def _edit(self, path: str, diff: list[str]) -> Edit:
        path = os.path.join(self.cwd or "", path)
        plus, minus = ([line[1:] for line in diff if line.startswith(sign)] for sign in "+-")
        return Edit(path, self.cwd, added(numbers(minus, path), numbers(plus, path)))


def _patch(payload: JsonObject) -> list[str]:
    """The lines of the patch in a call, none where there is none."""
    given = payload.get("input") or payload.get("arguments")
    if not isinstance(given, str) or BEGIN not in given:
        return []
    asked = loads(given.encode("utf-8", "replace"))
    words = asked if isinstance(asked, dict) else {}
    command = words.get("command") or words.get("cmd") or words.get("input") or given
    for one in rows(command) or [command]:
        if isinstance(one, str) and BEGIN in one:
            return one.partition(BEGIN)[2].partition(END)[0].split("\n")
    return []
