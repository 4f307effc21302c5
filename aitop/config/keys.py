"""Every configuration key once: its type, default and meaning.

One table feeds the reader, `aitop config --defaults` and the documentation.
"""

from dataclasses import dataclass
from typing import Any


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
    Key(
        "week_start",
        "monday|sunday",
        "monday",
        "The day on which weeks begin: in displays, budgets by week and `aitop report weekly`.",
    ),
    Key("preset", "cost|burn|limits|full", "full", "What displays show unless a segment says otherwise."),
    Key(
        "statusline.format",
        "str",
        "",
        "Claude Code's status line as a template of your own, several lines if you like; empty: its preset. "
        "`aitop statusline --preview` shows it.",
    ),
    Key("statusline.preset", "cost|burn|limits|full", "full", "What it shows without a format."),
    Key("statusline.style", "plain|powerline|nerd", "plain", "How it looks; nerd adds icons of a Nerd Font."),
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
    Key(
        "alerts.burn_warning",
        "number or auto",
        "auto",
        'Warn at this burn rate over five minutes, USD/hour. "auto": learned from your own past. 0: off.',
    ),
    Key(
        "alerts.burn_critical",
        "number or auto",
        "auto",
        'Critical when the burn rate stays above this for fifteen minutes, USD/hour. "auto": learned. 0: off.',
    ),
    Key("alerts.context_warning", "number", 80.0, "Warn when the context is this full, percent. 0: off."),
    Key("alerts.context_critical", "number", 0.0, "Critical when the context is this full. 0: off."),
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
    Key("alerts.limit_back", "bool", True, "Say when a usage limit that was used up has been reset."),
    Key(
        "alerts.waiting_seconds",
        "number",
        60,
        "Warn when a session has waited this long for a permission or an answer. 0: off.",
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
        "Warn when a session spends this much in 15 minutes and changes no line (known from the status line). 0: off.",
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
        "Warn this long before the cache of a session at rest expires (known from the status line). 0: off.",
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
    Key("advise.least_usd", "number", 0.5, "A finding is shown when it is worth at least this, USD."),
    Key(
        "energy.zone",
        "str",
        "",
        "Country of the electricity for `aitop energy`: FRA, USA; WOR for the world. Empty: by provider.",
    ),
    Key("web.port", "port", 4331, "Where `aitop web` listens on this machine."),
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
    Key(
        "quality.enabled",
        "bool",
        False,
        "Let a judge score sampled turns. Their texts go to quality.url and nowhere else; only numbers are kept. "
        "While this is off no text is read for it.",
    ),
    Key(
        "quality.url",
        "str",
        "",
        "The judge: an OpenAI-compatible API up to and with /v1. An Ollama here: http://localhost:11434/v1.",
    ),
    Key("quality.model", "str", "", "The judge's model, as that API names it."),
    Key("quality.key_file", "str", "", "A file that holds the key of that API, readable by you alone."),
    Key("quality.turns_a_day", "number", 5, "How many turns are judged in a day at most."),
    Key("quality.usd_a_day", "number", 0.25, "What the judge may cost in a day, USD."),
    Key(
        "fleet.enabled",
        "bool",
        False,
        "Serve the numbers to Prometheus at http://127.0.0.1:4322/metrics (needs the extra fleet). docs/fleet.md.",
    ),
    Key(
        "fleet.address",
        "str",
        "127.0.0.1",
        "Another address than this machine's own asks for a token: see there.",
    ),
    Key("fleet.port", "port", 4322, "The port for it."),
    Key("fleet.token", "bool", False, "Ask for the token on this machine's own address too."),
    *(
        Key(f"fleet.{label}", "on|off|hashed|listed", default, f"The label {label}: {meaning}.")
        for label, default, meaning in (
            ("provider", "on", "the client"),
            ("model", "on", "the model's id"),
            ("project", "on", "the folder's name"),
            ("user", "on", "your name on this machine"),
            ("host", "on", "this machine's name"),
            ("account", "hashed", "the account that a limit belongs to"),
            ("budget", "on", "the budget's name"),
        )
    ),
    Key(
        "fleet.listed",
        "strings",
        [],
        'Values that a "listed" label may show, such as "project=shop"; others: other.',
    ),
    Key(
        "fleet.salt",
        "str",
        "",
        "The key of hashed labels: the same in a team, so that one project has one hash.",
    ),
    Key(
        "fleet.max_series",
        "positive",
        500,
        "Sets of provider, model and project that are shown; others: other.",
    ),
    Key(
        "fleet.step_minutes",
        "number",
        0,
        "Counters move only once in so many minutes, and sessions are not told at all. 0: at once.",
    ),
    Key(
        "fleet.read",
        "str",
        "",
        'The engine that has the totals of every machine, such as "http://prometheus:9090"; for `aitop top --fleet`.',
    ),
    Key("fleet.read_seconds", "positive", 60, "How often the listener asks it."),
    Key("fleet.credentials", "str", "", "A file that holds USER:PASSWORD or a token for it."),
    Key(
        "fleet.machines",
        "strings",
        [],
        "Your other machines, as ssh names them, for `aitop pull`.",
    ),
    Key("fleet.ssh", "str", "ssh", "The command that reaches them."),
    Key("fleet.command", "str", "aitop", "What aitop is called there."),
    Key(
        "fleet.push",
        "str",
        "",
        'An OTLP/HTTP receiver of metrics, such as "http://collector:4318/v1/metrics" (needs the extra fleet).',
    ),
    Key("fleet.push_seconds", "positive", 60, "How often the numbers are pushed to it."),
    Key(
        "fleet.push_temporality",
        "cumulative|delta",
        "cumulative",
        "Whether it gets sums since the beginning or differences.",
    ),
    Key("fleet.push_headers", "strings", [], 'Headers for it, such as "authorization=Bearer …".'),
    Key("notify.desktop", "bool", False, "Show alerts as desktop notifications (notify-send, osascript)."),
    Key("notify.tmux", "bool", False, "Show alerts in every tmux client of a server with our plugin."),
    Key(
        "notify.command",
        "str",
        "",
        "A shell command to run for each alert, which gets it as JSON on its standard input.",
    ),
    Key("notify.level", "warning|critical", "warning", "Notify from this level on."),
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

PRICE_FIELDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")

SEGMENT_DISPLAYS = ("tmux", "bash", "zsh", "fish", "plain", "waybar", "swiftbar")

SEGMENT_FIELDS = {"display": "|".join(SEGMENT_DISPLAYS), "preset": BY_PATH["preset"].kind, "format": "str",
                  "provider": "str"}  # fmt: skip

PROVIDER_FIELDS = {"enabled": "bool", "folders": "strings"}
