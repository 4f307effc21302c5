"""Install into one settings file, and take it out again.

Each step reads, decides, and writes under the caller's lock; what it wrote and how the file was
before goes into the record, so that the way back is exact.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aitop.install import files, json_text, otel, record, settings
from aitop.install.record import Installed


@dataclass(frozen=True, slots=True)
class Plan:
    """One settings file as it is and as it should become."""

    root: str
    path: str
    before: bytes | None
    after: bytes
    env: otel.Written = field(default_factory=dict)  # variables that this writes over

    @property
    def diff(self) -> str:
        return files.diff(self.path, self.before, self.after)


def plan(root: str, entries: settings.Entries, telemetry: otel.Wanted | None = None) -> Plan:
    """What installing would make of this folder's settings. Raises files.Refused."""
    path = os.path.join(root, "settings.json")
    before = files.read(path)
    text = files.text_of(path, before)
    env: otel.Written = {}
    try:
        new = settings.merge(json_text.parse(text), entries)
        if telemetry is not None:
            new, env = otel.merge(new, telemetry)
    except json_text.NotJson as error:
        raise files.Refused(
            f"{path}: cannot be parsed: {error}. Mend that line and run this again; nothing was changed"
        ) from error
    except settings.Unexpected as error:
        raise files.Refused(f"{path}: {error}; nothing was changed") from error
    return Plan(root, path, before, files.bytes_of(json_text.patch(text, new), before), env)


def write(step: Plan, installed: Installed) -> None:
    """Carry out a plan. Raises files.Refused when the file changed meanwhile.

    Recorded first, written then: after a crash between the two, the way back is still known.
    """
    was = installed.settings.get(step.path)
    if was is None:
        name = None if step.before is None else record.backup(step.path, step.before)
        fresh_root = not os.path.isdir(step.root)
        kept = record.Settings(
            step.root, step.before is None, fresh_root, files.digest(step.after), name, env=step.env
        )
    else:
        as_before = (
            step.before is None or files.digest(step.before) == was.written or _is_backup(step.before, was)
        )
        kept = replace(
            was,
            written=files.digest(step.after),
            diverged=was.diverged or not as_before,
            env=_first_before(was.env, step.env),
        )
    installed.settings[step.path] = kept
    record.save(installed)
    try:
        if step.before != step.after:
            files.replace(step.path, step.before, step.after)
    except files.Refused:
        installed.settings.pop(step.path)
        if was is not None:
            installed.settings[step.path] = was
        record.save(installed)
        raise


def _first_before(earlier: otel.Written, fresh: otel.Written) -> otel.Written:
    """Written over twice, a variable goes back to what stood there first."""
    return earlier | {
        name: [ours, earlier[name][1] if name in earlier and earlier[name][0] == before else before]
        for name, (ours, before) in fresh.items()
    }


def _is_backup(raw: bytes, earlier: record.Settings) -> bool:
    return earlier.backup is not None and files.read(record.backup_path(earlier.backup)) == raw


def undo(path: str, installed: Installed) -> str:
    """Take our entries out of one settings file; says how. Raises files.Refused."""
    kept = installed.settings.get(path)
    now = files.read(path)
    line = _restore(path, kept, now) if kept and now is not None and _is_ours_still(kept, now) else None
    if line is None:
        line = _remove_entries(path, now, installed)
        if kept and kept.backup:
            line += f"; the first original is kept as {record.backup_path(kept.backup)}"
    installed.settings.pop(path, None)
    return line


def _is_ours_still(kept: record.Settings, now: bytes) -> bool:
    return not kept.diverged and files.digest(now) == kept.written


def _restore(path: str, kept: record.Settings, now: bytes) -> str | None:
    if kept.created:
        files.delete(path, now)
        if kept.created_root and os.path.isdir(kept.root) and not os.listdir(kept.root):
            os.rmdir(kept.root)
        return f"{path}: removed; aitop had created it"
    original = files.read(record.backup_path(kept.backup)) if kept.backup else None
    if original is None:
        return None
    if original != now:
        files.replace(path, now, original)
    assert kept.backup
    os.unlink(record.backup_path(kept.backup))
    return f"{path}: restored byte for byte"


def without_telemetry(path: str, installed: Installed) -> Plan | None:
    """The plan that takes our variables alone out of one settings file; None when none are in it."""
    kept = installed.settings.get(path)
    return _without(path, lambda data: otel.remove(data, kept.env if kept else {}))


def without_statusline(path: str, installed: Installed) -> Plan | None:
    """The plan that takes our status line alone out of one settings file; None when it is not in it."""
    return _without(path, lambda data: settings.without_statusline(data, record.hook_scripts(installed)))


def _without(path: str, removed: Callable[[Any], Any]) -> Plan | None:
    before = files.read(path)
    text = files.text_of(path, before)
    data = _parsed(path, text)
    new = removed(data)
    if before is None or new == data:
        return None
    return Plan(os.path.dirname(path), path, before, files.bytes_of(json_text.patch(text, new), before))


def _parsed(path: str, text: str, still: str = "") -> Any:
    try:
        return json_text.parse(text)
    except json_text.NotJson as error:
        raise files.Refused(
            f"{path}: cannot be parsed: {error}. Mend it and run this again{still}"
        ) from error


def _remove_entries(path: str, now: bytes | None, installed: Installed) -> str:
    if now is None:
        return f"{path}: there is no such file"
    text = files.text_of(path, now)
    data = _parsed(path, text, "; our entries are still in it")
    kept = installed.settings.get(path)
    new = otel.remove(settings.remove(data, record.hook_scripts(installed)), kept.env if kept else {})
    if new == data:
        return f"{path}: has no entries of ours"
    files.replace(path, now, files.bytes_of(json_text.patch(text, new), now))
    return f"{path}: changed since aitop wrote it, so only our entries were removed; all else stays"
