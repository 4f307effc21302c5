"""A published state in which every key that is described is there, and any other key fails when it is read.

Made from `publish/state_types.py`, as the page and the schema are. A display that reads a misspelt key would
otherwise show an unknown value, or nothing, and no golden file would see it.
"""

from types import NoneType
from typing import Any, Literal, get_args, get_origin, is_typeddict

from aitop.publish import state_types
from aitop.publish.state_schema import keys_of

NOW = 1_790_000_000.0
ROWS = 2  # of each list
NAMES = {  # where a table's own names have a meaning
    "tools": ("Bash", "Read"), "stop_reasons": ("end_turn", "max_tokens"), "by_event": ("Stop",),
}  # fmt: skip
TEXTS = {"provider": "claude-code", "cwd": "/home/ada/shop", "folder": "/home/ada/shop",
         "model": "claude-opus-4-6", "billing": "api",
         "source": "statusline", "preset": "full", "style": "plain"}  # fmt: skip


class NotPublishedError(AssertionError):
    """A key was read that no listener publishes."""


class Described(dict):
    """One table of the state. Reading a key that its type does not describe raises NotPublishedError."""

    def __init__(self, values: dict[str, Any], path: str) -> None:
        super().__init__(values)
        self.path = path

    def _check(self, key: object) -> None:
        if key != "" and not super().__contains__(key):  # "" is how a display asks for none
            raise NotPublishedError(f"{self.path}.{key} is read, and publish/state_types.py has no such key")

    def get(self, key: Any, default: Any = None) -> Any:
        self._check(key)
        return super().get(key, default)

    def __getitem__(self, key: Any) -> Any:
        self._check(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._check(key)
        return super().__contains__(key)


class _Maker:
    def __init__(self, *, unknown: bool) -> None:
        self.unknown, self._number = unknown, 0

    def number(self) -> int:
        self._number += 1
        return self._number

    def value(self, hint: Any, path: str, key: str) -> Any:
        if is_typeddict(hint):
            keys = keys_of(hint).items()
            return Described(
                {name: self.value(inner, f"{path}.{name}", name) for name, (inner, _) in keys}, path
            )
        origin, inner = get_origin(hint), get_args(hint)
        if origin is Literal:
            return inner[0]
        if NoneType in inner:
            first = next(one for one in inner if one is not NoneType)
            return None if self.unknown else self.value(first, path, key)
        if origin is list:
            many = 60 if path.startswith("state.sparklines") else ROWS
            return [self.value(inner[0], f"{path}[]", key) for _ in range(many)]
        if origin is dict:
            return {
                name: self.value(inner[1], f"{path}.*", name) for name in NAMES.get(key, ("claude-code",))
            }
        return self.plain(hint, key)

    def plain(self, hint: Any, key: str) -> Any:
        if hint in (None, NoneType):
            return None
        if hint is bool:
            return True
        if hint is str:
            return TEXTS.get(key, f"{key} {self.number()}")
        if key == "at":  # when something was done or heard: a moment ago
            return NOW - 30.0
        if key.endswith(("_at", "ends_at", "since")):
            return NOW + 100.0 * self.number()
        return self.number() if hint is int else self.number() + 0.5


def state(*, unknown: bool = False) -> Described:
    """A whole state with distinct numbers; `unknown`: every value that may be null is null."""
    whole = _Maker(unknown=unknown).value(state_types.State, "state", "")
    whole["level"] = "warning"
    whole["sessions"][1]["status"] = "waiting"
    for limit, name, used in zip(whole["limits"], ("five_hour", "seven_day_opus"), (41.5, 61.5), strict=True):
        limit["name"], limit["used_percent"] = name, used
    for row, session in zip(whole["projects_today"], whole["sessions"], strict=True):
        row["project"] = session["project"]
    return whole


def payload() -> Described:
    """The JSON that Claude Code 2.1.330 gives its status line, every part that we read."""
    limit = {"used_percentage": 23.5, "resets_at": NOW + 4200}
    cache = {
        "warm": True,
        "ttl": "1h",
        "expires_at": NOW + 3000,
        "requests": 9,
        "misses": 1,
        "hit_ratio": 0.93,
    }
    parts = {
        "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
        "workspace": {"current_dir": "/home/ada/shop", "project_dir": "/home/ada/shop", "added_dirs": []},
        "output_style": {"name": "default"},
        "cost": {"total_cost_usd": 1000.25, "total_duration_ms": 60_000, "total_api_duration_ms": 21_000,
                 "total_lines_added": 10, "total_lines_removed": 2},
        "context_window": {"total_input_tokens": 42_000, "total_output_tokens": 900, "used_percentage": 4,
                           "context_window_size": 1_000_000, "remaining_percentage": 96, "current_usage": {}},
        "effort": {"level": "high"},
        "rate_limits": {"five_hour": limit, "seven_day": limit, "seven_day_opus": limit},
        "prompt_cache": cache,
        "worktree": {"name": "wt1", "path": "/home/ada/wt1", "branch": "fix", "original_branch": "main"},
    }  # fmt: skip
    known = {name: Described(part, f"payload.{name}") for name, part in parts.items()}
    plain = {
        "session_id": "id 1",
        "session_name": "fix-login",
        "cwd": "/home/ada/shop",
        "folder": "/home/ada/shop",
        "version": "2.1.330",
    }
    return Described(plain | known, "payload")
