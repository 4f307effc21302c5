"""Every metric once: its name, kind, labels and meaning.

The exposition, the OTLP push, the dashboard, the rules and the table of docs/fleet.md are made from this
table, so a name cannot differ between two of them. Session ids are no label. Names of clients' own telemetry
(`claude_code_*`) are never used: a collector that also takes the client's would count twice.
"""

from typing import Literal, NamedTuple

from aitop.model.sums import MICRO, PICO

Kind = Literal["counter", "gauge", "histogram"]

# Where the numbers come from; on every metric.
ORIGIN = ("user", "host")
# What a response belongs to. Together they make a label set; their number is bounded.
SET = ("provider", "model", "project")
OTHER = "other"
PREFIX = "aitop_"


class Metric(NamedTuple):
    """One metric. `name` is without prefix and without the suffix `_total` of counters.

    `unit` is UCUM, as OTLP has it; `gen_ai`: the name of the OpenTelemetry GenAI conventions that says the same.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    unit: str = "1"
    gen_ai: str = ""

    @property
    def family(self) -> str:
        """The Prometheus name without the suffix that a counter's samples have."""
        return PREFIX + self.name

    @property
    def sample(self) -> str:
        """The name one writes in a query."""
        return self.family + (
            "_total" if self.kind == "counter" else "_bucket" if self.kind == "histogram" else ""
        )

    @property
    def otlp(self) -> str:
        """The name in OTLP. Receivers that turn it into a Prometheus name get `sample` again."""
        return f"aitop.{self.name}"

    @property
    def all_labels(self) -> tuple[str, ...]:
        return (*self.labels, *ORIGIN)


COST = Metric(
    "cost_usd",
    "counter",
    (*SET, "kind"),
    "USD spent, by the history. kind: counted responses, or untracked: what the client reports beyond them",
    "{USD}",
)
TOKENS = Metric(
    "tokens", "counter", (*SET, "type"),
    "Tokens. The types do not overlap: uncached_input, cache_read, cache_write_5m, cache_write_1h, output",
    "{token}", "gen_ai.client.inference.usage.*",
)  # fmt: skip
REQUESTS = Metric("requests", "counter", SET, "API responses", "{request}")
UNPRICED = Metric(
    "unpriced_requests",
    "counter",
    SET,
    "API responses without a known price: the cost is at least what is shown",
    "{request}",
)
CREDITS = Metric(
    "credits", "counter", SET,
    "What a client records in the credits it is billed in: no dollars, and never to be added over providers",
    "{credit}",
)  # fmt: skip
ERRORS = Metric("errors", "counter", ("provider", "project"), "Failed API requests", "{request}")
DURATION = Metric(
    "request_duration_seconds", "histogram", ("provider",),
    "From sending a request to the last byte of its answer, of the responses that were timed",
    "s", "gen_ai.client.operation.duration",
)  # fmt: skip
FIRST_TOKEN = Metric(
    "time_to_first_token_seconds", "histogram", ("provider",),
    "From sending a request to the first token, of the responses that were timed",
    "s", "gen_ai.client.operation.time_to_first_chunk",
)  # fmt: skip
LIMIT_USED = Metric(
    "limit_used_ratio",
    "gauge",
    ("provider", "account", "limit"),
    "How far a usage limit is used; 1 is all of it",
)
LIMIT_RESETS = Metric(
    "limit_resets_timestamp_seconds",
    "gauge",
    ("provider", "account", "limit"),
    "When the limit is reset",
    "s",
)
CONTEXT = Metric(
    "session_context_ratio",
    "gauge",
    ("project",),
    "The fullest context among the active sessions of a project",
)
BUDGET = Metric(
    "budget_used_ratio", "gauge", ("budget", "period"), "How far a budget is spent; 1 is all of it"
)
SESSIONS = Metric("sessions", "gauge", ("status",), "Listed sessions by status", "{session}")
ALERTS = Metric(
    "alerts", "gauge", ("level",), "Alerts that the machine itself shows now, by level", "{alert}"
)
STATE_AGE = Metric(
    "state_age_seconds",
    "gauge",
    (),
    "Seconds since the listener published; more than 10: it does not run",
    "s",
)
BUILD = Metric("build_info", "gauge", ("version",), "1, with the version as a label")

# How many of the unit that the history counts in are one of the metric's own.
SCALES = {COST.name: PICO, CREDITS.name: MICRO}

COUNTERS = (COST, TOKENS, REQUESTS, UNPRICED, CREDITS, ERRORS)
HISTOGRAMS = (DURATION, FIRST_TOKEN)
GAUGES = (LIMIT_USED, LIMIT_RESETS, CONTEXT, BUDGET, SESSIONS, ALERTS, STATE_AGE, BUILD)


def _corrected(metric: Metric) -> Metric:
    return Metric(
        f"{metric.name}_corrected", "gauge", metric.labels,
        f"What {metric.sample} shows beyond the history, since a correction lowered the history; absent: nothing",
        metric.unit,
    )  # fmt: skip


# A counter never falls; what a correction takes away is said beside it until the counter has caught up.
CORRECTIONS = {metric.name: _corrected(metric) for metric in COUNTERS}
METRICS = (*COUNTERS, *HISTOGRAMS, *GAUGES, *CORRECTIONS.values())

TOKEN_TYPES = {
    "uncached_input": "uncached_input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
}
# Upper bounds, seconds: those that the GenAI conventions advise for durations of operations.
BUCKETS = (
    0.01,
    0.02,
    0.04,
    0.08,
    0.16,
    0.32,
    0.64,
    1.28,
    2.56,
    5.12,
    10.24,
    20.48,
    40.96,
    81.92,
    163.84,
    327.68,
)
