"""Reading the configuration file: every key checked, every fault named with file, line and dotted path."""

from typing import Any

from aitop import paths
from aitop.config import budgets_and_tags, tables
from aitop.config.keys import BY_PATH, KEYS
from aitop.config.validation import mismatch, nearest
from aitop.config.values import Config, ConfigError
from aitop.model.json_types import JsonObject


def load(path: str | None = None) -> Config:
    """Read the configuration file; a missing file means all defaults. Raises ConfigError."""
    path = path or paths.config_file()
    try:
        raw = paths.read(path)
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(raw, path)


def parse(raw: bytes, path: str) -> Config:
    """Check the text of a configuration file. Raises ConfigError naming file, line and key."""
    import tomllib  # most have no such file

    try:
        text = raw.decode()
        return _checked(text, tomllib.loads(text), path)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: tables or lists are nested too deep") from error


def _checked(text: str, data: JsonObject, path: str) -> Config:
    def fail(dotted: str, message: str) -> ConfigError:
        line = _line_of(text, dotted)
        return ConfigError(f"{path}{f':{line}' if line else ''}: {dotted}: {message}")

    values = {key.path: key.default for key in KEYS}
    segments = tuple(tables.segments(data.pop("segments", {}), fail))
    overrides = tables.price_overrides(data, fail)
    budgets = budgets_and_tags.budgets(data.pop("budgets", {}), fail)
    tags = budgets_and_tags.tags(data.pop("tags", {}), fail)
    providers = tuple(tables.providers(data.pop("providers", {}), fail))
    upstreams = tables.upstreams(data, fail)
    for dotted, value in _flatten(data):
        key = BY_PATH.get(dotted)
        if key is None:
            raise fail(dotted, f"unknown key{nearest(dotted, BY_PATH)}; see `aitop config --defaults`")
        problem = mismatch(key.kind, value)
        if problem:
            raise fail(dotted, problem)
        values[dotted] = value
    return Config(values, segments, overrides, budgets, tags, providers, upstreams)


def _flatten(data: JsonObject, prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in data.items():
        dotted = f"{prefix}{name}"
        if isinstance(value, dict) and dotted not in BY_PATH:
            flat += _flatten(value, f"{dotted}.") if value else [(dotted, value)]
        else:
            flat.append((dotted, value))
    return [(dotted, value) for dotted, value in flat if value != {} or dotted not in _TABLES]


_TABLES = {key.path.rpartition(".")[0] for key in KEYS} - {""}


def _line_of(text: str, dotted: str) -> int | None:
    """The line a plain search finds the key on: its last part, below its table's header if there is one."""
    head, _, name = dotted.rpartition(".")
    lines = text.splitlines()
    start = 0
    for number, line in enumerate(lines):
        if head and line.strip().replace('"', "").replace(" ", "") == f"[{head}]".replace(" ", ""):
            start = number
            break
    for number in range(start, len(lines)):
        stripped = lines[number].strip().replace('"', "")
        if stripped.startswith((f"{name} ", f"{name}=", f"[{dotted}]", f"{dotted} ", f"{dotted}=")):
            return number + 1
    return None
