"""The steps of `install --otel` and of its way back, over every settings file; each says what it did."""

import importlib.util
import os

from aitop import config, paths
from aitop.install import apply, files, otel, record, user_config
from aitop.install.toml_text import Value
from aitop.receiver import token

KEYS = ("otel.enabled", "otel.forward")


def wanted(forward: str | None) -> otel.Wanted:
    """Where telemetry is to go, by the configuration; without a token where none was made. Raises files.Refused."""
    if importlib.util.find_spec("h11") is None:
        raise files.Refused(token.missing())
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
    lines = []
    for path in dict.fromkeys([*(installed.settings if others_too else ()), *named]):
        step = apply.without_telemetry(path, installed)
        if step is None:
            lines.append(f"{path}: sends us no telemetry")
            continue
        if path in installed.settings:
            apply.write(step, installed)
            installed.settings[path].env = {}
        else:
            files.replace(path, step.before, step.after)
        lines.append(f"{path}: sends us no telemetry any more")
    if not any(entry.env for entry in installed.settings.values()):
        lines += switch_off(installed)
    return lines


def keys(sending: otel.Wanted) -> dict[str, Value]:
    """The keys of the user's configuration that switch the receiver on."""
    forward: dict[str, Value] = {"otel.forward": sending.forward} if sending.forward else {}
    return {"otel.enabled": True, **forward}


def switch_off(installed: record.Installed) -> list[str]:
    """The receiver off and the token removed, when no settings send to it any more."""
    return [line for line in (user_config.unset(KEYS, installed), remove_token()) if line]


def remove_token() -> str | None:
    path = paths.in_home(paths.OTEL)
    if not os.path.lexists(path):
        return None
    os.unlink(path)
    return f"{path}: removed"
