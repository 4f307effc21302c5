"""Single settings of Claude Code that advice changes: planned, written, remembered, taken out again.

What was written and when stands in `$AITOP_HOME/advised.json`, so that it can be undone and measured. As long as a
file is still what we wrote, the last undo brings its first original back byte for byte; in a file changed since, the
one setting is put back. A setting that was changed where we wrote it is left as it is. Each function that writes runs
under the caller's `files.lock()`. This module knows no advice: a rule is a name to it.
"""

import copy
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from aitop import paths
from aitop.install import checks_client, files, json_text, record
from aitop.model.json_types import JsonObject

RECORD = "advised.json"
RELOADED = "Claude Code reads its settings at its start: sessions that run now go on as before"


@dataclass(frozen=True, slots=True)
class Change:
    """One setting in one file, as it is and as it should become. `keys` lead to it from the top of the file."""

    rule: str
    path: str
    keys: tuple[str, ...]
    value: str
    before: bytes | None
    after: bytes

    @property
    def diff(self) -> str:
        return files.diff(self.path, self.before, self.after)


@dataclass(frozen=True, slots=True)
class Applied:
    """One setting that was written. Times are epoch seconds."""

    rule: str
    path: str
    keys: tuple[str, ...]
    value: str
    at: float
    had: bool  # a value stood there before
    old: object = None  # that value
    made_parent: bool = False  # the object around it is ours too
    undone_at: float | None = None
    withdrawn: bool = False  # measured, and it saved nothing: the rule is not offered again

    @property
    def name(self) -> str:
        return ".".join(self.keys)


@dataclass(frozen=True, slots=True)
class File:
    """A settings file as it was before us and as we left it."""

    backup: str | None  # name under backups/; None: there was no such file
    written: str  # digest of the file as we wrote it last
    diverged: bool = False  # others changed it between two of our writes


@dataclass(slots=True)
class Book:
    """Everything that advice wrote, undone entries included."""

    files: dict[str, File] = field(default_factory=dict)
    applied: list[Applied] = field(default_factory=list)

    def in_force(self) -> list[Applied]:
        return [entry for entry in self.applied if entry.undone_at is None]


E = TypeVar("E", File, Applied)


def load() -> Book:
    """What advice wrote so far; nothing where it never wrote. Raises files.Refused for a damaged record."""
    path = paths.in_home(RECORD)
    raw = files.read(path)
    if raw is None:
        return Book()
    try:
        data = json.loads(raw)
        return Book(
            {name: _checked(File(**entry), name) for name, entry in data["files"].items()},
            [
                _checked(Applied(**{**entry, "keys": _tuple(entry["keys"])}), f"entry {number}")
                for number, entry in enumerate(data["applied"], 1)
            ],
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise files.Refused(
            f"{path}: cannot be understood ({error}), so what was applied is not known; "
            f"the first originals are in {paths.in_home(paths.BACKUPS)}"
        ) from error


def _checked(entry: E, name: str) -> E:
    """An entry of the record. Raises TypeError, naming the first value that has a wrong type."""
    for key, is_right in CHECKS.items():
        if hasattr(entry, key) and not is_right(getattr(entry, key)):
            raise TypeError(f"{name}: {key} is {json.dumps(getattr(entry, key))[:60]}")
    return entry


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _is_moment(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_keys(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(key, str) for key in value)


CHECKS: dict[str, Callable[[object], bool]] = {
    "rule": _is_text,
    "path": _is_text,
    "keys": _are_keys,
    "value": _is_text,
    "at": _is_moment,
    "had": _is_flag,
    "made_parent": _is_flag,
    "undone_at": lambda value: value is None or _is_moment(value),
    "withdrawn": _is_flag,
    "backup": lambda value: value is None or _is_text(value),
    "written": _is_text,
    "diverged": _is_flag,
}


def save(book: Book) -> None:
    path = paths.in_home(RECORD)
    data: JsonObject = {"version": 1, **asdict(book)}
    files.replace(path, files.read(path), json.dumps(data, indent=2, ensure_ascii=False).encode() + b"\n")


def plan(rule: str, path: str, keys: tuple[str, ...], value: str, conflict: str | None = None) -> Change:
    """What writing one setting changes. Raises files.Refused with what is in its way.

    `conflict`: a sibling of the setting that must not be there.
    """
    before = files.read(path)
    text = files.text_of(path, before)
    data = parsed(path, text)
    for managed_path in checks_client.managed_files():
        ruled = _managed(managed_path, keys)
        if ruled is not None and ruled != value:
            raise files.Refused(
                f"{managed_path}: sets {'.'.join(keys)} to {ruled}, and what is managed overrules {path}"
            )
    parent = _parent(data, keys, path)
    if conflict is not None and conflict in parent:
        raise files.Refused(
            f"{path}: {conflict} is set there, which contradicts {keys[-1]}: take it out first"
        )
    new = _with(data, keys, value)
    return Change(rule, path, keys, value, before, files.bytes_of(json_text.patch(text, new), before))


def write(change: Change, now: float) -> None:
    """Carry out a plan. Raises files.Refused when the file changed meanwhile.

    Recorded first, written then: after a crash between the two, the way back is still known.
    """
    book = load()
    data = parsed(change.path, files.text_of(change.path, change.before))
    was = book.files.get(change.path)
    if was is None:
        backup = None if change.before is None else record.backup(change.path, change.before, "advised")
        kept = File(backup, files.digest(change.after))
    else:
        ours = change.before is not None and files.digest(change.before) == was.written
        kept = replace(was, written=files.digest(change.after), diverged=was.diverged or not ours)
    had, old = _value(data, change.keys)
    made = len(change.keys) > 1 and change.keys[0] not in data
    entry = Applied(change.rule, change.path, change.keys, change.value, now, had, old, made)
    earlier = replace(book)
    book = Book({**book.files, change.path: kept}, [*book.applied, entry])
    save(book)
    try:
        files.replace(change.path, change.before, change.after)
    except files.Refused:
        save(earlier)
        if was is None and kept.backup is not None:
            os.unlink(record.backup_path(kept.backup))
        raise


def undo(entry: Applied, now: float, *, withdrawn: bool = False) -> str:
    """Take one setting out again; says how. Raises files.Refused where it is no longer ours, and then forgets it."""
    book = load()
    others = [other for other in book.in_force() if other.path == entry.path and other != entry]
    ended = replace(entry, undone_at=now, withdrawn=withdrawn)
    after = Book(dict(book.files), [ended if other == entry else other for other in book.applied])
    current = files.read(entry.path)
    data = parsed(entry.path, files.text_of(entry.path, current))
    there, value = _value(data, entry.keys)
    if not there or value != entry.value:
        if not others:
            _forget(after, entry.path)
        save(after)
        state = f"is {json.dumps(value)} now" if there else "is not there any more"
        raise files.Refused(
            f"{entry.path}: {entry.name} {state}, so it was changed since aitop wrote it and stays as it is"
        )
    kept = book.files.get(entry.path)
    ours = kept is not None and not kept.diverged and files.digest(current or b"") == kept.written
    if ours and not others:
        assert kept is not None
        assert current is not None
        line = _restore(entry.path, kept, current)
        if line is not None:
            _forget(after, entry.path)
            save(after)
            return line
    new = _without(data, entry, _made_parent(book, entry))
    raw = files.bytes_of(json_text.patch(files.text_of(entry.path, current), new), current)
    files.replace(entry.path, current, raw)
    if not others:
        _forget(after, entry.path)
    elif kept is not None:
        after.files[entry.path] = replace(kept, written=files.digest(raw), diverged=not ours)
    save(after)
    back = f"is {json.dumps(entry.old)} again" if entry.had else "was taken out"
    return f"{entry.path}: {entry.name} {back}; all else stays"


def undo_all(now: float) -> list[str]:
    """Take out every setting that is in force, the newest first; says how. Under the caller's lock."""
    lines = []
    try:
        entries = load().in_force()
    except files.Refused as error:
        return [str(error)]
    for entry in reversed(entries):
        try:
            lines.append((entry.path, undo(entry, now)))
        except files.Refused as error:
            lines.append(("", str(error)))
    return record.end_states(lines)


def _restore(path: str, kept: File, current: bytes) -> str | None:
    """The first original again; None where its backup is gone."""
    if kept.backup is None:
        files.delete(os.path.realpath(path), current)  # a link to it is its user's
        return f"{path}: {record.REMOVED}"
    original = files.read(record.backup_path(kept.backup))
    if original is None:
        return None
    files.replace(path, current, original)
    return f"{path}: {record.RESTORED}"


def _forget(book: Book, path: str) -> None:
    """Nothing of ours is in the file any more."""
    kept = book.files.pop(path, None)
    if kept is not None and kept.backup is not None and os.path.exists(record.backup_path(kept.backup)):
        os.unlink(record.backup_path(kept.backup))


def parsed(path: str, text: str) -> JsonObject:
    """The settings that a file holds. Raises files.Refused, naming the line."""
    try:
        data = json_text.parse(text)
    except json_text.NotJson as error:
        raise files.Refused(
            f"{path}: cannot be parsed: {error}. Mend that line and run this again; nothing was changed"
        ) from error
    if not isinstance(data, dict):
        line = text[: len(text) - len(text.lstrip())].count("\n") + 1
        raise files.Refused(f"{path}: line {line}: the top level must be an object; nothing was changed")
    return data


def _managed(path: str, keys: Sequence[str]) -> object:
    """What the organisation's settings say there; None: nothing, or nothing that can be read."""
    try:
        data = json_text.parse(files.text_of(path, files.read(path)))
    except (files.Refused, json_text.NotJson):
        return None
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _parent(data: JsonObject, keys: Sequence[str], path: str) -> JsonObject:
    if len(keys) == 1:
        return data
    parent = data.get(keys[0], {})
    if not isinstance(parent, dict):
        raise files.Refused(f'{path}: "{keys[0]}" must be an object; nothing was changed')
    return parent


def _value(data: JsonObject, keys: Sequence[str]) -> tuple[bool, object]:
    """Whether something stands there, and what."""
    value: Any = data
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return False, None
        value = value[key]
    return True, value


def _with(data: JsonObject, keys: Sequence[str], value: str) -> JsonObject:
    new = copy.deepcopy(data)
    place = new if len(keys) == 1 else new.setdefault(keys[0], {})
    place[keys[-1]] = value
    return new


def _without(data: JsonObject, entry: Applied, made_parent: bool) -> JsonObject:
    new = copy.deepcopy(data)
    place = new if len(entry.keys) == 1 else new[entry.keys[0]]
    if entry.had:
        place[entry.keys[-1]] = entry.old
        return new
    del place[entry.keys[-1]]
    if made_parent and not place:
        del new[entry.keys[0]]
    return new


def _made_parent(book: Book, entry: Applied) -> bool:
    """Whether the object around the setting is ours: made by this entry, or by one undone before it."""
    return any(
        other.made_parent
        for other in book.applied
        if other.path == entry.path and other.keys[:-1] == entry.keys[:-1] and len(entry.keys) > 1
    )
