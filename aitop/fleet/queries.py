"""Every question to a Prometheus-compatible engine once: recording rules, alert rules, panels, and what we read back.

The rules file, the dashboard and the table in docs/fleet.md are generated from here by
scripts/make_fleet_files.py; `top --fleet` and `report --fleet` send the same expressions. Pure text.

Three things make the money exact. A counter's correction is taken off it. What a machine that is away spent
stays in the sum: the recorded series is carried on. And "since" is a difference of two sums, never `increase`,
which misses the first value of every new series and extrapolates at both ends.
"""

# ruff: noqa: E501 - an expression is one line, as in the rules file
from typing import NamedTuple

from aitop.fleet import names
from aitop.fleet.names import ORIGIN, SET

# `instance` keeps two homes of one user on one machine apart.
MACHINE = (*ORIGIN, "instance")
COST_LABELS = (*SET, *MACHINE, "kind")
AWAY = "1h"  # how long a gap of the engine itself may be without losing what absent machines spent
RECORDED = "aitop:cost_usd"
GROUPS = ("host", "user", "project", "model", "provider")


class Recording(NamedTuple):
    record: str
    expr: str
    help: str


class AlertRule(NamedTuple):
    """`value` always has an answer while machines are scraped; the alert is `value` beyond the threshold."""

    name: str
    value: str
    beyond: str
    lasts: str
    severity: str
    when: str
    summary: str

    @property
    def expr(self) -> str:
        return f"{self.value} {self.beyond}"


class Panel(NamedTuple):
    """One panel of the dashboard. `legend` is a Grafana template, "" for one value."""

    row: str
    title: str
    kind: str  # stat, timeseries, bargauge, table, gauge
    expr: str
    unit: str
    legend: str = ""
    width: int = 12


def _by(*labels: str) -> str:
    return f"({', '.join(labels)})"


def money(*, recorded: bool, at: str = "") -> str:
    """USD by every label, exact: the counters of each machine less their corrections. `at`: `offset 3600s` …"""
    moment = f" {at}" if at else ""
    if recorded:
        return f"{RECORDED}{moment}"
    counter = f"max by {_by(*COST_LABELS)} (last_over_time({names.COST.sample}[{AWAY}]{moment}))"
    correction = f"max by {_by(*COST_LABELS)} ({names.CORRECTIONS['cost_usd'].sample}{moment})"
    return f"(({counter} - {correction}) or {counter})"


def _first(window: str, *, recorded: bool) -> str:
    if recorded:
        return f"min_over_time({RECORDED}[{window}])"
    return f"min by {_by(*COST_LABELS)} (min_over_time({names.COST.sample}[{window}]))"


def spent(window: str, *, recorded: bool) -> str:
    """USD spent within a window, by every label.

    A series that is new counts in full where its machine was known before, and from its first value on where the
    machine itself is new: what it spent in the years before is not of today.
    """
    now, before = money(recorded=recorded), money(recorded=recorded, at=f"offset {window}")
    new_here = f"({now} * 0 and on {_by(*MACHINE)} {before})"
    return f"({now} - ({before} or {new_here} or {_first(window, recorded=recorded)}))"


def total_by(label: str, expression: str) -> str:
    return f"sum by ({label}) ({expression})" if label else f"sum({expression})"


RECORDINGS = (
    Recording(
        RECORDED,
        f"{money(recorded=False)} or last_over_time({RECORDED}[{AWAY}])",
        "USD by every label, exact, also of machines that are away",
    ),
    Recording(f"{RECORDED}:total", f"sum({RECORDED})", "USD of the whole fleet"),
    *(
        Recording(f"{RECORDED}:by_{label}", f"sum by ({label}) ({RECORDED})", f"the same by {label}")
        for label in GROUPS
    ),
    Recording(
        "aitop:cost_usd_per_hour:by_host",
        f"sum by (host) (rate({names.COST.sample}[5m])) * 3600",
        "the burn rate of each machine over five minutes, USD an hour",
    ),
    Recording(
        "aitop:cache_read_ratio:by_model",
        f'sum by (model) (rate({names.TOKENS.sample}{{type="cache_read"}}[1h])) / '
        f'(sum by (model) (rate({names.TOKENS.sample}{{type!="output"}}[1h])) > 0)',
        "the part of the input that was read from the cache within an hour",
    ),
)

_ERRORS = f"sum by (host, provider) (rate({names.ERRORS.sample}[15m]))"
ALERTS = (
    AlertRule(
        "AitopMachineAway", f"time() - max by (host) (timestamp({names.BUILD.sample}) or max_over_time(timestamp({names.BUILD.sample})[1d:1m]))", "> 600",
        "5m", "info", "A machine has not been scraped for ten minutes: its numbers are old", "{{ $labels.host }} has not been scraped for {{ $value | humanizeDuration }}: its numbers are old",
    ),
    AlertRule(
        "AitopListenerStopped", f"max by (host, user) ({names.STATE_AGE.sample})", "> 60", "5m", "warning", "A machine is scraped, but no listener publishes there",
        "aitop does not run on {{ $labels.host }}: `aitop start`; what is spent meanwhile is counted then",
    ),
    AlertRule(
        "AitopLimitNearlyUsed", f"max by (user, provider, account, limit) ({names.LIMIT_USED.sample})", "> 0.8", "0m",
        "warning", "A usage limit is used beyond 80 %", "{{ $labels.user }}: {{ $labels.limit }} of {{ $labels.provider }} is {{ $value | humanizePercentage }} used",
    ),
    AlertRule(
        "AitopBudgetSpent", f"max by (user, host, budget) ({names.BUDGET.sample})", ">= 1", "0m", "warning", "A budget is spent",
        "The budget {{ $labels.budget }} of {{ $labels.user }} on {{ $labels.host }} is spent",
    ),
    AlertRule(
        "AitopBurnRateHigh", "aitop:cost_usd_per_hour:by_host", "> 50", "15m", "critical", "A machine spends more than $50 an hour",
        "{{ $labels.host }} has spent at ${{ $value | humanize }} an hour for fifteen minutes",
    ),
    AlertRule(
        "AitopErrors", f"({_ERRORS} / (sum by (host, provider) (rate({names.REQUESTS.sample}[15m])) + {_ERRORS}) or "
        f"sum by (host, provider) ({names.REQUESTS.sample}) * 0)", "> 0.2", "10m", "warning", "More than a fifth of a client's requests fail",
        "{{ $value | humanizePercentage }} of the requests of {{ $labels.provider }} on {{ $labels.host }} fail",
    ),
    AlertRule(
        "AitopUnpriced", f"(sum by (model) ({names.UNPRICED.sample}) or sum by (model) ({names.REQUESTS.sample}) * 0)",
        "> 0", "15m", "info", "A model has no price: totals are at least what is shown", "{{ $labels.model }} has no price: the totals are at least what is shown",
    ),
)  # fmt: skip

_RANGE = "${__range_s}"
_TOKENS = names.TOKENS.sample
PANELS = (
    Panel("Overview", "Spent in this range", "stat", total_by("", spent(f"{_RANGE}s", recorded=True)), "currencyUSD", width=6),
    Panel("Overview", "Spent in all", "stat", f"{RECORDED}:total", "currencyUSD", width=6),
    Panel("Overview", "USD an hour now", "stat", "sum(aitop:cost_usd_per_hour:by_host)", "currencyUSD", width=6),
    Panel("Overview", "Machines seen now", "stat", f"count(count by (host) ({names.BUILD.sample}))", "short", width=6),
    Panel("Overview", "USD an hour by provider", "timeseries", f"sum by (provider) (rate({names.COST.sample}[$__rate_interval])) * 3600", "currencyUSD", "{{provider}}"),
    Panel("Overview", "Requests a minute by provider", "timeseries", f"sum by (provider) (rate({names.REQUESTS.sample}[$__rate_interval])) * 60", "short", "{{provider}}"),
    Panel("Overview", "Time to answer, 95th percentile", "timeseries", f"histogram_quantile(0.95, sum by (le, provider) (rate({names.DURATION.sample}[$__range])))", "s", "{{provider}}"),
    Panel("Overview", "Time to first token, median", "timeseries", f"histogram_quantile(0.5, sum by (le, provider) (rate({names.FIRST_TOKEN.sample}[$__range])))", "s", "{{provider}}"),
    Panel("By user", "Spent by user", "bargauge", f"topk(20, {total_by('user', spent(f'{_RANGE}s', recorded=True))})", "currencyUSD", "{{user}}"),
    Panel("By user", "Spent by machine", "bargauge", f"topk(20, {total_by('host', spent(f'{_RANGE}s', recorded=True))})", "currencyUSD", "{{host}}"),
    Panel("By project", "Spent by project", "bargauge", f"topk(20, {total_by('project', spent(f'{_RANGE}s', recorded=True))})", "currencyUSD", "{{project}}"),
    Panel("By project", "Fullest context", "bargauge", f"topk(20, max by (project) ({names.CONTEXT.sample}))", "percentunit", "{{project}}"),
    Panel("By model", "Spent by model", "bargauge", f"topk(20, {total_by('model', spent(f'{_RANGE}s', recorded=True))})", "currencyUSD", "{{model}}"),
    Panel("By model", "Tokens a minute by type", "timeseries", f"sum by (type) (rate({_TOKENS}[$__rate_interval])) * 60", "short", "{{type}}"),
    Panel("Limits", "Usage limits", "bargauge", f"max by (user, provider, account, limit) ({names.LIMIT_USED.sample})", "percentunit", "{{user}} {{provider}} {{account}} {{limit}}"),
    Panel("Limits", "Resets in", "table", f"max by (user, provider, account, limit) ({names.LIMIT_RESETS.sample}) - time()", "s"),
    Panel("Limits", "Budgets", "bargauge", f"max by (user, budget, period) ({names.BUDGET.sample})", "percentunit", "{{user}} {{budget}} {{period}}"),
    Panel("Limits", "Sessions", "timeseries", f"sum by (status) ({names.SESSIONS.sample})", "short", "{{status}}"),
    Panel("Cache efficiency", "Input read from the cache, by model", "timeseries", "aitop:cache_read_ratio:by_model", "percentunit", "{{model}}"),
    Panel("Cache efficiency", "Written to the cache for each token read from it", "stat", f'sum({_TOKENS}{{type=~"cache_write_.*"}}) / sum({_TOKENS}{{type="cache_read"}})', "short"),
    Panel("Alerts", "Shown on the machines", "timeseries", f"sum by (level) ({names.ALERTS.sample})", "short", "{{level}}"),
    Panel("Alerts", "Seconds since each machine published", "table", f"max by (host, user) ({names.STATE_AGE.sample})", "s"),
    Panel("Alerts", "Failed requests a minute", "timeseries", f"sum by (provider) (rate({names.ERRORS.sample}[$__rate_interval])) * 60", "short", "{{provider}}"),
    Panel("Alerts", "Requests without a price", "table", f"sum by (model) ({names.UNPRICED.sample})", "short"),
)  # fmt: skip


def seen() -> str:
    """When each machine was last scraped, epoch seconds; of the last day."""
    return f"max by (host, user, instance) (timestamp({names.BUILD.sample}) or max_over_time(timestamp({names.BUILD.sample})[1d:1m]))"


def known() -> str:
    """Every machine of the last thirty days."""
    return f"count by (host, user, instance) (last_over_time({names.BUILD.sample}[30d]))"


def limits() -> str:
    return f"max by (user, provider, account, limit) (last_over_time({names.LIMIT_USED.sample}[1d]))"


def resets() -> str:
    return f"max by (user, provider, account, limit) (last_over_time({names.LIMIT_RESETS.sample}[1d]))"


def requests(label: str) -> str:
    return total_by(label, f"max by {_by(*SET, *MACHINE)} (last_over_time({names.REQUESTS.sample}[{AWAY}]))")
