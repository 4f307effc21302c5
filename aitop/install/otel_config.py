"""The receiver switched on in the user's configuration, and every key put back as it was."""

import os

from aitop import paths
from aitop.install import configfile, files
from aitop.install.record import Installed, Telemetry


def record(forward: str, installed: Installed) -> str | None:
    """Write `otel.enabled` and, where there is a collector, `otel.forward`. Says what it did. Raises Refused."""
    path = paths.config_file()
    raw = files.read(path)
    text = new = files.text_of(path, raw)
    wanted: dict[str, str | bool] = {"otel.enabled": True} | ({"otel.forward": forward} if forward else {})
    known = installed.telemetry or Telemetry(path, original=None if raw is None else text)
    wrote, before = dict(known.wrote), dict(known.before)
    try:
        for key, value in wanted.items():
            found = configfile.get(text, key)
            if found != value:
                before[key] = before[key] if key in wrote and wrote[key] == found else found
                wrote[key] = value
                new = configfile.put(new, key, value)
    except configfile.CannotEdit as error:
        raise files.Refused(f"{path}: {error}") from error
    if new == text:
        return None
    after = files.bytes_of(new, raw)
    same = installed.telemetry is None or (raw is not None and files.digest(raw) == known.written)
    installed.telemetry = Telemetry(path, wrote, before, files.digest(after) if same else "", known.original)
    files.replace(path, raw, after)
    return f"{path}: {', '.join(f'{key} = {configfile.written(value)}' for key, value in wanted.items())}"


def forget(installed: Installed) -> str | None:
    """Undo `record`; a key that the user has changed since stays. Says what it did."""
    ours, installed.telemetry = installed.telemetry, None
    if ours is None:
        return None
    raw = files.read(ours.path)
    text = new = files.text_of(ours.path, raw)
    if raw is not None and files.digest(raw) == ours.written:
        return _restore(ours, raw)
    try:
        for key, value in ours.wrote.items():
            if configfile.get(text, key) == value:
                new = configfile.put(new, key, ours.before.get(key))
    except configfile.CannotEdit as error:
        return f"{ours.path}: {error}; left as it is"
    if raw is None or new == text:
        return None
    files.replace(ours.path, raw, files.bytes_of(new, raw))
    return f"{ours.path}: otel is as it was before"


def _restore(ours: Telemetry, raw: bytes) -> str:
    """Nobody changed the file since: it is again what it was before us."""
    if ours.original is None:
        files.delete(ours.path, raw)
        return f"{ours.path}: removed; aitop had created it"
    files.replace(ours.path, raw, files.bytes_of(ours.original, raw))
    return f"{ours.path}: restored byte for byte"


def remove_token() -> str | None:
    path = paths.in_home(paths.OTEL)
    if not os.path.lexists(path):
        return None
    os.unlink(path)
    return f"{path}: removed"
