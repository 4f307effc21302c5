"""Claude Code's settings: add our hooks and status line, take them out again, touch nothing else.

Pure: data in, new data out. An entry is ours when it runs one of our own scripts, by path; other
people's hooks, on the same event or in the same group, are never changed.
"""

import copy
import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from aitop.model.json_types import JsonObject

# event → does the client go on without waiting? Waited for: what a run without a terminal would
# otherwise lose, since such a run kills what is still going on when it ends. PostCompact is left out: the
# client shows the user a line for each hook of it, and a transcript records compactions too.
EVENTS = {
    "SessionStart": False,
    "SessionEnd": False,
    "UserPromptSubmit": True,
    "PreToolUse": True,
    "PostToolUse": True,
    "PostToolUseFailure": True,
    "PermissionRequest": True,
    "Notification": True,
    "Stop": False,
    "StopFailure": False,
    "SubagentStart": True,
    "SubagentStop": False,
    "PostModelSwitch": True,
}
TIMEOUT = 5  # seconds; the forwarder needs 0.2 at most
# Seconds. The client draws its status line on events alone: without this, the rate of the last turn stays
# on the screen. Only for our own line: a line of the user's may be dear to run.
REFRESH = 1


class Unexpected(ValueError):  # noqa: N818
    """The settings are JSON, but not of the shape that can be merged into."""


@dataclass(frozen=True, slots=True)
class Entries:
    """What to put in: the hook script and the status-line script, each None to leave that alone."""

    hook: str | None
    statusline: str | None = None


def merge(data: object, entries: Entries) -> JsonObject:
    """The settings with our entries in them, in place where they already are. Raises Unexpected."""
    if not isinstance(data, dict):
        raise Unexpected("the top level must be an object")
    new = copy.deepcopy(data)
    if entries.hook:
        _merge_hooks(new, entries.hook)
    if entries.statusline:
        _merge_statusline(new, entries.statusline)
    return new


def _merge_hooks(new: JsonObject, script: str) -> None:
    hooks = new.setdefault("hooks", {})
    if not isinstance(hooks, dict):
        raise Unexpected('"hooks" must be an object')
    for event in EVENTS:
        groups = hooks.setdefault(event, [])
        if not isinstance(groups, list):
            raise Unexpected(f'"hooks.{event}" must be a list')
        _merge_event(groups, handler(event, script))


def handler(event: str, script: str) -> JsonObject:
    """One hook entry: exec form, so that no shell stands between."""
    entry: JsonObject = {"type": "command", "command": script, "args": [event], "timeout": TIMEOUT}
    return entry | {"async": True} if EVENTS[event] else entry


def _merge_event(groups: list[Any], wanted: JsonObject) -> None:
    is_there = False
    for group in groups:
        handlers = group.get("hooks") if isinstance(group, dict) else None
        if not isinstance(handlers, list):
            continue
        kept = []
        for entry in handlers:
            if is_ours(entry, [wanted["command"]]):
                if is_there:
                    continue  # once is enough
                is_there = True
                kept.append(wanted)
            else:
                kept.append(entry)
        handlers[:] = kept
    if not is_there:
        groups.append({"hooks": [wanted]})


def _merge_statusline(new: JsonObject, script: str) -> None:
    current = new.get("statusLine")
    if current is None:
        new["statusLine"] = {"type": "command", "command": shlex.quote(script), "refreshInterval": REFRESH}
        return
    command = current.get("command") if isinstance(current, dict) else None
    if not isinstance(current, dict) or not isinstance(command, str) or current.get("type") != "command":
        raise Unexpected('"statusLine" is not a command; leave out --statusline to keep it as it is')
    if wrapped(command, [script]) is None:
        current["command"] = (
            f"{shlex.quote(script)} -- {shlex.quote(command)}" if command else shlex.quote(script)
        )


def is_ours(entry: object, scripts: Collection[str]) -> bool:
    return isinstance(entry, dict) and entry.get("type") == "command" and entry.get("command") in scripts


def wrapped(command: object, scripts: Collection[str]) -> str | None:
    """The command inside a status line of ours, "" when it stands alone, None when it is not ours."""
    if not isinstance(command, str):
        return None
    for script in scripts:
        for start in {script, shlex.quote(script)}:
            if command == start:
                return ""
            if command.startswith(f"{start} -- "):
                rest = command[len(start) + 4 :]
                try:
                    words = shlex.split(rest)
                except ValueError:
                    return rest
                return words[0] if len(words) == 1 else rest
            if command.startswith(f"{start} "):
                return ""
    return None


def remove(data: object, scripts: Collection[str]) -> Any:
    """The settings without our entries; lists and objects that this leaves empty go too."""
    if not isinstance(data, dict):
        return data
    new = copy.deepcopy(data)
    value = new.get("hooks")
    hooks = value if isinstance(value, dict) else {}
    touched = False
    for event in list(hooks):
        groups = hooks[event]
        if not isinstance(groups, list) or not any(_has_ours(group, scripts) for group in groups):
            continue
        touched = True
        hooks[event] = [left for left in (_without(group, scripts) for group in groups) if left is not None]
        if not hooks[event]:
            del hooks[event]
    if touched and not hooks:
        del new["hooks"]
    return without_statusline(new, scripts)


def without_statusline(data: Any, scripts: Collection[str]) -> Any:
    """The settings with the status line that the user had before ours, or without one."""
    line = data.get("statusLine") if isinstance(data, dict) else None
    inner = wrapped(line.get("command"), scripts) if isinstance(line, dict) else None
    if inner is None:
        return data
    new = copy.deepcopy(data)
    if inner:
        new["statusLine"]["command"] = inner
    else:
        del new["statusLine"]
    return new


def _has_ours(group: object, scripts: Collection[str]) -> bool:
    handlers = group.get("hooks") if isinstance(group, dict) else None
    return isinstance(handlers, list) and any(is_ours(entry, scripts) for entry in handlers)


def _without(group: Any, scripts: Collection[str]) -> Any:
    """The group without our handlers; None when nothing else was in it."""
    if not _has_ours(group, scripts):
        return group
    left = [entry for entry in group["hooks"] if not is_ours(entry, scripts)]
    return {**group, "hooks": left} if left else None


def events_of_ours(data: object, scripts: Collection[str]) -> set[str]:
    """The events our hook is subscribed to in these settings."""
    hooks = data.get("hooks") if isinstance(data, dict) else None
    return {
        event
        for event, groups in (hooks.items() if isinstance(hooks, dict) else ())
        if isinstance(groups, list) and any(_has_ours(group, scripts) for group in groups)
    }
