"""The steps of `install --otel` and of its way back, over every settings file; each says what it did."""

import importlib.util
import os

from aitop import config, paths
from aitop.install import apply, files, otel, otel_config, record
from aitop.receiver import token


def wanted(forward: str | None) -> otel.Wanted:
    """Where telemetry is to go, by the configuration; without a token where none was made. Raises files.Refused."""
    if importlib.util.find_spec("h11") is None:
        raise files.Refused(token.MISSING)
    try:
        loaded = config.load()
        shown = token.read(paths.home())
    except config.ConfigError as error:
        raise files.Refused(f"{error}; mend that line and run this again") from error
    except OSError as error:
        raise files.Refused(str(error)) from error
    return otel.Wanted(loaded["otel.port"], shown or "", forward or loaded["otel.forward"], dict(os.environ))


def with_token(sending: otel.Wanted) -> otel.Wanted:
    """The same with the token, made at first need. Raises files.Refused."""
    try:
        return sending._replace(token=token.read_or_make(paths.home()))
    except OSError as error:
        raise files.Refused(str(error)) from error


def undo(served: list[str], installed: record.Installed, *, others_too: bool) -> list[str]:
    """Our variables out of these folders' settings, and out of all others that we wrote. Raises files.Refused."""
    named = [os.path.join(root, "settings.json") for root in served]
    said = []
    for path in dict.fromkeys([*(installed.settings if others_too else ()), *named]):
        step = apply.without_telemetry(path, installed)
        if step is None:
            said.append(f"{path}: sends us no telemetry")
            continue
        if path in installed.settings:
            apply.write(step, installed)
            installed.settings[path].env = {}
        else:
            files.replace(path, step.before, step.after)
        said.append(f"{path}: sends us no telemetry any more")
    if not any(entry.env for entry in installed.settings.values()):
        said += forget(installed)
    return said


def forget(installed: record.Installed) -> list[str]:
    """Nobody sends us anything any more: the receiver off, the token gone."""
    return [line for line in (otel_config.forget(installed), otel_config.remove_token()) if line]
