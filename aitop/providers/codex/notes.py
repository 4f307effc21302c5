"""What one run of a rollout's lines leaves for the next run of the same file. Pure.

It travels as `Source.pending`: JSON of at most 4,096 characters, kept with the file's offset. It must hold
no text of a conversation.
"""

import json
from dataclasses import dataclass, field

from aitop.model.events import Usage
from aitop.providers.lenient import loads

MAX_ANCESTORS = 32  # each is one more name of every response


@dataclass(slots=True)
class FirstResponse:
    """The first response of a turn. The turn's end says how long its first token took."""

    at: float
    model: str
    usage: Usage
    name: str
    numbers: str  # running total and last usage, which name its copies; "" where it has none
    local: bool


@dataclass(slots=True)
class Notes:
    """The state of one rollout between two runs of lines."""

    thread: str | None = None
    agent: str | None = None  # the thread, where it is a sub-agent's
    account: str | None = None  # the Codex home, where it is not the usual one
    opened: bool = False  # the rollout's own `session_meta` was read
    ancestors: list[str] = field(default_factory=list)
    model: str | None = None
    cwd: str | None = None
    branch: str | None = None
    tier: str = ""
    local: bool = False  # the model runs on a machine of the user's
    records: bool = False  # `token_usage_record` lines were seen: token counts say nothing new
    last_record: list[str] | None = None  # of the newest usage record: response id, total, name
    total: list[int] | None = None  # the newest running total
    turn_open: bool = False  # a turn began and has no response yet
    first: FirstResponse | None = None

    def descends_from(self, thread: str | None) -> None:
        """Note a thread of which this rollout may hold copied responses."""
        if thread and thread != self.thread and thread not in self.ancestors:
            self.ancestors = [*self.ancestors, thread][:MAX_ANCESTORS]

    def dump(self) -> str:
        """The notes as JSON, without what is not set."""
        kept: dict[str, object] = {
            name: value for name in _SIMPLE if (value := getattr(self, name)) not in (None, False, "", [])
        }
        if self.first is not None:
            one = self.first
            kept["first"] = [
                one.at,
                one.model,
                [*one.usage[:6], one.usage.tier],
                one.name,
                one.numbers,
                one.local,
            ]
        return json.dumps(kept, separators=(",", ":"))


_SIMPLE = (
    "thread", "agent", "account", "opened", "ancestors", "model", "cwd", "branch", "tier", "local", "records",
    "last_record", "total", "turn_open",
)  # fmt: skip


def load(pending: str | None) -> Notes:
    """The notes of an earlier run; empty ones where there was none."""
    kept = loads((pending or "{}").encode())
    notes = Notes()
    if not isinstance(kept, dict):
        return notes
    for name in _SIMPLE:
        if name in kept:
            setattr(notes, name, kept[name])
    first = kept.get("first")
    if isinstance(first, list) and len(first) == 6:
        at, model, usage, name, numbers, local = first
        notes.first = FirstResponse(at, model, _usage(usage), name, numbers, local)
    return notes


def _usage(values: list[int | str]) -> Usage:
    """The six numbers of a usage and its tier, as `dump` wrote them."""
    *numbers, tier = values
    return Usage(*numbers, tier=tier)  # type: ignore[arg-type, misc]
