"""The configuration: every key once, with its type, default and meaning.

One table feeds the reader, `aitop config --defaults` and the documentation. An unknown key or a
wrong type is an error that names the dotted path, and the line where a plain search finds it; the
caller decides what to do (the listener keeps the last good configuration). Reads one file, writes
nothing, looks at no environment but through `paths`.
"""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from aitop import paths, rules

HIGHEST_PRICE = 10_000  # USD per million tokens; anything above is a slip of the unit
MOST_SAID = 600  # characters of an error


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key: its dotted path, type, default, and what it means to a user."""

    path: str
    kind: str  # str, bool, number (0 or more), positive, port, strings, or "a|b|c"
    default: Any
    help: str


KEYS = (
    Key(
        "billing",
        "auto|api|subscription",
        "auto",
        'How you pay. "auto": a subscription when the client reports limits. A subscription shows limits '
        'first and dollars as API-equivalent (≈$); "api" shows plain dollars.',
    ),
    Key("preset", "cost|burn|limits|full", "full", "What displays show unless a segment says otherwise."),
    Key("currency.symbol", "str", "$", "Shown before money. Display only: every file holds USD."),
    Key("currency.rate", "positive", 1.0, "Units of that currency for one USD."),
    Key(
        "claude.config_dirs",
        "strings",
        [],
        "Claude Code's folders. Empty: $CLAUDE_CONFIG_DIR (commas), else ~/.claude and ~/.config/claude.",
    ),
    Key("listener.autostart", "bool", True, "Let the SessionStart hook start the listener when none runs."),
    Key("prices.update", "manual|daily", "manual", "Whether the listener refreshes prices once a day."),
    Key("prices.source", "str", "litellm", 'Where `aitop prices update` looks: "litellm", a URL or a file.'),
    Key("alerts.burn_warning", "number", 5.0, "Warn at this burn rate over one minute, USD/hour. 0: off."),
    Key("alerts.burn_critical", "number", 20.0, "Critical at this burn rate, USD/hour. 0: off."),
    Key("alerts.context_warning", "number", 80.0, "Warn when the context is this full, percent. 0: off."),
    Key("alerts.context_critical", "number", 95.0, "Critical when the context is this full. 0: off."),
    Key(
        "alerts.cache_hit_warning",
        "number",
        30.0,
        "Warn when the share of input read from the cache over five minutes falls below this percent. 0: off.",
    ),
    Key(
        "alerts.silent_requests",
        "number",
        3,
        "Warn when at least this many requests in five minutes cost money and put out next to nothing. 0: off.",
    ),
    Key("alerts.limit_warning", "number", 80.0, "Warn when a usage limit is used this far, percent. 0: off."),
    Key("alerts.limit_critical", "number", 95.0, "Critical when a usage limit is used this far. 0: off."),
    Key(
        "alerts.pace_points",
        "number",
        15.0,
        "Warn when the used percent of a limit is this many points ahead of its elapsed time. 0: off.",
    ),
    Key(
        "alerts.anomaly_score",
        "number",
        3.5,
        "Warn when today's cost lies this many robust standard deviations above your own days. 0: off.",
    ),
    Key(
        "alerts.runaway_usd",
        "number",
        5.0,
        "Warn when a session spends this much in 15 minutes and changes no line (told by the status line). 0: off.",
    ),
    Key(
        "alerts.runaway_requests",
        "number",
        30,
        "Warn when a session makes this many requests in 15 minutes with next to no output. 0: off.",
    ),
    Key(
        "alerts.compaction_tokens",
        "number",
        10_000,
        "Warn when a working session is this many tokens from its automatic compaction. 0: off.",
    ),
    Key(
        "alerts.cache_expiry_seconds",
        "number",
        60,
        "Warn this long before the cache of a session at rest expires (told by the status line). 0: off.",
    ),
    Key(
        "alerts.max_tokens",
        "number",
        2,
        "Warn when this many responses in 15 minutes were cut off at their output limit. 0: off.",
    ),
    Key("alerts.errors", "number", 5, "Warn when this many API requests failed in 5 minutes. 0: off."),
    Key(
        "limits.plan",
        "none|pro|max5|max20|p90",
        "none",
        "Judge the five-hour block by a plan's usual allowance, or by your own busiest blocks (p90), while the "
        "client gives no official number. Always marked as an estimate.",
    ),
    Key(
        "advise.disable",
        "strings",
        [],
        "Rules of `aitop advise` that are switched off; `aitop advise --rules` lists them.",
    ),
    Key("advise.least_usd", "number", 0.5, "What a finding must be worth to be told, USD."),
    Key(
        "energy.zone",
        "str",
        "",
        "Whose electricity `aitop energy` assumes: FRA, USA, WOR for the world. Empty: as EcoLogits for the provider.",
    ),
    Key("gateway.port", "port", 4330, "Where `aitop gateway` listens on this machine."),
    Key(
        "otel.enabled",
        "bool",
        False,
        "Take in OpenTelemetry (OTLP/HTTP) on this machine's loopback, from programs that show our token.",
    ),
    Key("otel.port", "port", 4319, "The port for it, on 127.0.0.1."),
    Key(
        "otel.forward",
        "str",
        "",
        "Your own collector, such as http://localhost:4318: what is received is passed on to it unchanged.",
    ),
    Key("notify.desktop", "bool", False, "Show alerts as desktop notifications (notify-send, osascript)."),
    Key("notify.tmux", "bool", False, "Show alerts in every tmux client of a server with our plugin."),
    Key(
        "notify.command",
        "str",
        "",
        "A shell command to run for each alert, which gets it as JSON on its standard input.",
    ),
    Key("notify.level", "warning|critical", "warning", "The least level that is notified."),
    Key(
        "notify.mute",
        "strings",
        ["cache-expiry"],
        "Alerts that are shown but not notified, by the part of their id before the colon.",
    ),
    Key(
        "notify.cooldown_minutes",
        "number",
        30,
        "Quiet time after a notification before the same one comes again.",
    ),
)
BY_PATH = {key.path: key for key in KEYS}

NAME = re.compile(r"[A-Za-z0-9_-]+")
PRICE_FIELDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
SEGMENT_DISPLAYS = ("tmux", "bash", "zsh", "fish", "plain", "waybar", "swiftbar")
SEGMENT_FIELDS = {"display": "|".join(SEGMENT_DISPLAYS), "preset": BY_PATH["preset"].kind, "format": "str",
                  "provider": "str"}  # fmt: skip


PROVIDER_FIELDS = {"enabled": "bool", "folders": "strings"}


class ConfigError(ValueError):
    """What is wrong with the configuration, said so that a user can mend it; one line that a terminal can take."""

    def __init__(self, text: str) -> None:
        shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
        super().__init__(shown if len(shown) <= MOST_SAID else shown[: MOST_SAID - 1] + "…")


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment the listener renders each second: a built-in's look changed, or one of the user's own."""

    name: str
    display: str
    preset: str | None = None
    format: str | None = None
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """What the user said of one provider: whether it is used (None: as by default) and where its records are."""

    name: str
    enabled: bool | None = None
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, checked."""

    values: dict[str, Any] = field(default_factory=lambda: {key.path: key.default for key in KEYS})
    segments: tuple[Segment, ...] = ()
    # model id → USD per million tokens by PRICE_FIELDS name, and optional "from" (ISO date)
    price_overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    budgets: tuple[rules.Budget, ...] = ()
    tags: tuple[rules.TagRule, ...] = ()
    providers: tuple[ProviderChoice, ...] = ()
    upstreams: dict[str, str] = field(default_factory=dict)  # name → URL

    def provider(self, name: str) -> ProviderChoice:
        """What the user said of a provider; nothing, where there is nothing."""
        return next((choice for choice in self.providers if choice.name == name), ProviderChoice(name))

    def __getitem__(self, path: str) -> Any:
        return self.values[path]


def load(path: str | None = None) -> Config:
    """Read the configuration file; a missing file means all defaults. Raises ConfigError."""
    path = path or paths.config_file()
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(raw, path)


def parse(raw: bytes, path: str) -> Config:
    """Check the text of a configuration file. Raises ConfigError naming file, line and key."""
    try:
        text = raw.decode()
        return _checked(text, tomllib.loads(text), path)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: tables or lists are nested too deep") from error


def _checked(text: str, data: dict[str, Any], path: str) -> Config:
    def fail(dotted: str, message: str) -> ConfigError:
        line = _line_of(text, dotted)
        return ConfigError(f"{path}{f':{line}' if line else ''}: {dotted}: {message}")

    values = {key.path: key.default for key in KEYS}
    segments = tuple(_segments(data.pop("segments", {}), fail))
    overrides = _price_overrides(data, fail)
    budgets = rules.budgets(data.pop("budgets", {}), fail)
    tags = rules.tags(data.pop("tags", {}), fail)
    providers = tuple(_providers(data.pop("providers", {}), fail))
    upstreams = _upstreams(data, fail)
    for dotted, value in _flatten(data):
        key = BY_PATH.get(dotted)
        if key is None:
            raise fail(dotted, f"unknown key{_nearest(dotted, BY_PATH)}; see `aitop config --defaults`")
        problem = _mismatch(key.kind, value)
        if problem:
            raise fail(dotted, problem)
        values[dotted] = value
    return Config(values, segments, overrides, budgets, tags, providers, upstreams)


def defaults_toml() -> str:
    """Every key with its meaning and default, as a configuration file that changes nothing."""
    lines = [
        "# aitop's configuration. Every key is shown with its default; keep what you change.",
        "# File: $AITOP_CONFIG, else $XDG_CONFIG_HOME/aitop/config.toml, else ~/.config/aitop/config.toml",
        "",
    ]
    table = ""
    for key in KEYS:
        head, _, name = key.path.rpartition(".")
        if head != table:
            lines += ["", f"[{head}]"]
            table = head
        choices = f" ({key.kind.replace('|', ', ')})" if "|" in key.kind else ""
        lines += [f"# {key.help}{choices}", f"{name} = {_toml(key.default)}"]
    lines += [
        "",
        "# A segment of your own, rendered each second to $AITOP_HOME/segments/NAME, or a built-in's look:",
        "# [segments.NAME]",
        f'# display = "tmux"      # whose escaping: {", ".join(SEGMENT_DISPLAYS)}',
        '# preset = "burn"       # cost, burn, limits, full',
        '# format = "{cost_today} {burn}"   # or a template; `aitop tmux --help` lists the placeholders',
        '# provider = "codex"     # one client only; default: the sum of all',
        "",
        "# [providers.codex]      # or claude-code, gemini, opencode, copilot, one of another package",
        "# enabled = false        # leave it out; default: used wherever it has records",
        '# folders = ["~/.codex"]   # its folders; default: where the client itself writes',
        "",
        "# APIs behind `aitop gateway`, each by the first part of the path (/openrouter/v1/...):",
        "# [gateway.upstreams]",
        '# openrouter = "https://openrouter.ai/api"',
        '# ollama = "http://127.0.0.1:11434"',
        "",
        "# Your own price for a model, USD per million tokens; wins over every table:",
        '# [prices.models."my-model"]',
        "# input = 1.0",
        "# output = 5.0",
        "# cache_read = 0.1",
        "# cache_write_5m = 1.25",
        "# cache_write_1h = 2.0",
        '# from = "2026-01-01"   # optional: valid from this day on',
        "",
        "# What may be spent; `aitop guard` tells scripts and hooks:",
        "# [budgets.NAME]",
        '# period = "month"         # day, week, month, or session (each session may cost that much)',
        "# limit_usd = 200.0",
        '# project = "~/work/shop"  # only this folder (a pattern); or tag = "client-a"; neither: everything',
        "# warning = 80             # percent",
        "# critical = 100",
        "",
        "# A tag for sessions of a folder or branch; $AITOP_TAG and `aitop tag` win over it:",
        "# [tags.NAME]",
        '# folders = ["~/work/client-a"]',
        '# branches = ["release/*"]',
        "",
    ]
    return "\n".join(lines)


def _segments(data: Any, fail: Any) -> list[Segment]:
    if not isinstance(data, dict):
        raise fail("segments", "must be a table of tables")
    found = []
    for name, body in data.items():
        dotted = f"segments.{name}"
        if not isinstance(body, dict):
            raise fail(dotted, "must be a table")
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise fail(dotted, "a segment's name is letters, digits, - and _")
        for key, value in body.items():
            if key not in SEGMENT_FIELDS:
                raise fail(f"{dotted}.{key}", f"unknown key{_nearest(key, SEGMENT_FIELDS)}")
            problem = _mismatch(SEGMENT_FIELDS[key], value)
            if problem:
                raise fail(f"{dotted}.{key}", problem)
        display = body.get("display") or (name if name in SEGMENT_DISPLAYS else None)
        if display is None:
            raise fail(dotted, f"needs display = one of {', '.join(SEGMENT_DISPLAYS)}")
        found.append(Segment(name, display, body.get("preset"), body.get("format"), body.get("provider")))
    return found


def _providers(data: Any, fail: Any) -> list[ProviderChoice]:
    if not isinstance(data, dict):
        raise fail("providers", "must be a table of tables")
    found = []
    for name, body in data.items():
        if not isinstance(body, dict):
            raise fail(f"providers.{name}", "must be a table")
        for key, value in body.items():
            if key not in PROVIDER_FIELDS:
                raise fail(f"providers.{name}.{key}", f"unknown key{_nearest(key, PROVIDER_FIELDS)}")
            problem = _mismatch(PROVIDER_FIELDS[key], value)
            if problem:
                raise fail(f"providers.{name}.{key}", problem)
        found.append(ProviderChoice(name, body.get("enabled"), tuple(body.get("folders", ()))))
    return found


def _upstreams(data: dict[str, Any], fail: Any) -> dict[str, str]:
    gateway = data.get("gateway")
    found = gateway.pop("upstreams", {}) if isinstance(gateway, dict) else {}
    if not isinstance(found, dict):
        raise fail("gateway.upstreams", "must be a table of names and URLs")
    for name, url in found.items():
        if not NAME.fullmatch(name):
            raise fail(f"gateway.upstreams.{name}", "an upstream's name is letters, digits, - and _")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise fail(f"gateway.upstreams.{name}", 'must be a URL such as "https://api.openai.com"')
    return found


def _price_overrides(data: dict[str, Any], fail: Any) -> dict[str, dict[str, Any]]:
    prices = data.get("prices")
    models = prices.pop("models", {}) if isinstance(prices, dict) else {}
    if not isinstance(models, dict):
        raise fail("prices.models", "must be a table of tables")
    for model, row in models.items():
        dotted = f"prices.models.{model}"
        if not isinstance(row, dict):
            raise fail(dotted, "must be a table")
        for name, value in row.items():
            if name == "from":
                if not _is_date(value):
                    raise fail(f"{dotted}.from", 'must be a date such as "2026-01-31"')
            elif name not in PRICE_FIELDS:
                raise fail(f"{dotted}.{name}", f"unknown key{_nearest(name, PRICE_FIELDS)}")
            elif _mismatch("number", value) or value > HIGHEST_PRICE:
                raise fail(
                    f"{dotted}.{name}", f"must be a number of USD per million tokens, 0 to {HIGHEST_PRICE}"
                )
        for name in ("input", "output"):
            if name not in row:
                raise fail(dotted, f"needs {name} (USD per million tokens)")
    return models


def _is_date(value: Any) -> bool:
    import datetime

    if isinstance(value, datetime.date):
        return True
    try:
        datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _flatten(data: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in data.items():
        dotted = f"{prefix}{name}"
        if isinstance(value, dict) and dotted not in BY_PATH:
            found += _flatten(value, f"{dotted}.") if value else [(dotted, value)]
        else:
            found.append((dotted, value))
    return [(dotted, value) for dotted, value in found if value != {} or dotted not in _TABLES]


_TABLES = {key.path.rpartition(".")[0] for key in KEYS} - {""}


def _mismatch(kind: str, value: Any) -> str | None:
    """What is wrong with a value, or None."""
    if "|" in kind:
        choices = kind.split("|")
        return None if value in choices else f"must be one of {', '.join(choices)}, not {value!r}"
    if kind == "bool":
        return None if isinstance(value, bool) else f"must be true or false, not {value!r}"
    if kind in ("number", "positive"):
        right = isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124
        if not right or abs(value) >= 1e15:
            return f"must be a number, not {value!r}"
        if value < 0 or (kind == "positive" and value == 0):
            return f"must be {'more than 0' if kind == 'positive' else '0 or more'}, not {value!r}"
        return None
    if kind == "port":
        right = type(value) is int and 0 < value < 65_536
        return None if right else f"must be a port number, 1 to 65535, not {value!r}"
    if kind == "strings":
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return None if right else f"must be a list of strings, not {value!r}"
    return None if isinstance(value, str) else f"must be a string, not {value!r}"


def _nearest(name: str, known: Any) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


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


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
