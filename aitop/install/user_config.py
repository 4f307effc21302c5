"""Set keys of the user's own configuration file for a feature, and put them back.

While the file is still what aitop wrote, the first original comes back byte for byte; after a change by
others each key alone goes back, and one that the user changed stays. Writes that one file and no other.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from aitop import paths
from aitop.install import files, toml_text
from aitop.install.record import Installed, UserConfig
from aitop.install.toml_text import Value


@dataclass(frozen=True, slots=True)
class Plan:
    """The user's configuration file as it is and as it should become, with the record of that."""

    path: str
    before: bytes | None
    after: bytes
    record: UserConfig
    text: str  # what is set, for people

    @property
    def diff(self) -> str:
        return files.diff(self.path, self.before, self.after)


def get(key: str) -> object:
    """A key as the user's file has it; None where it has none. Raises files.Refused."""
    path = paths.config_file()
    try:
        return toml_text.get(files.text_of(path, files.read(path)), key)
    except toml_text.CannotEdit as error:
        raise files.Refused(f"{path}: {error}") from error


def plan(wanted: Mapping[str, Value], installed: Installed) -> Plan | None:
    """What setting these keys changes; None where the file has them already. Raises files.Refused."""
    path = paths.config_file()
    raw = files.read(path)
    text = edited = files.text_of(path, raw)
    recorded = installed.user_config
    if recorded is None or recorded.path != path:
        recorded, intact = (
            UserConfig(path, None if raw is None else text, folders=files.missing_folders(path)),
            True,
        )
    else:
        intact = raw is not None and files.digest(raw) == recorded.written
    wrote, before = dict(recorded.wrote), dict(recorded.before)
    try:
        for key, value in wanted.items():
            current = toml_text.get(text, key)
            if current == value:
                continue
            before[key] = before[key] if key in wrote and wrote[key] == current else current
            wrote[key] = value
            edited = toml_text.put(edited, key, value)
    except toml_text.CannotEdit as error:
        raise files.Refused(f"{path}: {error}. Nothing was changed") from error
    if edited == text:
        return None
    after = files.bytes_of(edited, raw)
    digest = files.digest(after) if intact else ""
    shown = ", ".join(f"{key} = {toml_text.written(value)}" for key, value in wanted.items())
    return Plan(path, raw, after, replace(recorded, written=digest, wrote=wrote, before=before), shown)


def write(step: Plan, installed: Installed) -> str:
    """Carry out a plan; says what it set. Raises files.Refused."""
    files.replace(step.path, step.before, step.after)
    installed.user_config = step.record
    return f"{step.path}: {step.text}"


def unset(keys: Collection[str], installed: Installed) -> str | None:
    """Put keys back as they were before us; None where we set none of them. Raises files.Refused."""
    recorded = installed.user_config
    if recorded is None or not any(key in recorded.wrote for key in keys):
        return None
    raw = files.read(recorded.path)
    remaining = {key: value for key, value in recorded.wrote.items() if key not in keys}
    intact = raw is not None and files.digest(raw) == recorded.written
    if intact and not remaining:
        assert raw is not None
        installed.user_config = None
        return _restore(recorded, raw)
    return _unset_each(recorded, raw, remaining, installed, intact=intact)


def _restore(recorded: UserConfig, raw: bytes) -> str:
    if recorded.original is None:
        files.delete(recorded.path, raw)
        files.remove_folders(recorded.folders)
        return f"{recorded.path}: removed; aitop had created it"
    files.replace(recorded.path, raw, files.bytes_of(recorded.original, raw))
    return f"{recorded.path}: restored byte for byte"


def _unset_each(
    recorded: UserConfig,
    raw: bytes | None,
    remaining: dict[str, Value],
    installed: Installed,
    *,
    intact: bool,
) -> str | None:
    text = edited = files.text_of(recorded.path, raw)
    gone = [key for key in recorded.wrote if key not in remaining]
    try:
        current = {key: toml_text.get(text, key) for key in gone}
        changed = [key for key in gone if current[key] is not None and current[key] != recorded.wrote[key]]
        for key in gone:
            if current[key] == recorded.wrote[key]:
                edited = toml_text.put(edited, key, recorded.before.get(key))
    except toml_text.CannotEdit as error:
        return f"{recorded.path}: {error}; left as it is"
    after = files.bytes_of(edited, raw)
    before = {key: value for key, value in recorded.before.items() if key in remaining}
    digest = files.digest(after) if intact else ""
    installed.user_config = (
        replace(recorded, written=digest, wrote=remaining, before=before) if remaining else None
    )
    if changed:
        return f"{recorded.path}: {', '.join(changed)} was changed since; left as it is"
    if raw is None or edited == text:
        return None
    files.replace(recorded.path, raw, after)
    return f"{recorded.path}: {', '.join(gone)} is as it was before"
