"""All checks of `doctor`, in the order a person would look.

A check reads; it repairs nothing, starts nothing, and never raises: what cannot be looked at is a
finding of its own. `now` and the published state are handed in.
"""

from collections.abc import Callable

from aitop import state as published
from aitop.install import (
    checks_client,
    checks_coverage,
    checks_displays,
    checks_fleet,
    checks_gateway,
    checks_listener,
    checks_otel,
    checks_web,
    record,
    roots,
)
from aitop.install.findings import WARN, Context, Finding, Results

CHECKS: dict[str, Callable[[Context], Results]] = {
    "command": checks_client.command,
    "configuration": checks_listener.configuration,
    "home": checks_listener.home,
    "listener": checks_listener.listener,
    "service": checks_listener.service,
    "clients": checks_coverage.clients,
    "settings": checks_client.client_settings,
    "managed settings": checks_client.managed,
    "forwarder": checks_client.forwarding,
    "displays": checks_displays.displays,
    "telemetry": checks_otel.telemetry,
    "gateway": checks_gateway.gateway,
    "web": checks_web.web,
    "exporter": checks_fleet.exporter,
    "prices": checks_listener.prices,
    "reading": checks_listener.reading,
    "history": checks_listener.history,
}


def run(context: Context) -> list[Finding]:
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        try:
            findings += [
                Finding(name, one.level, one.text, one.remedy, one.details) for one in check(context)
            ]
        except Exception as error:
            findings.append(Finding(name, WARN, f"could not be checked: {type(error).__name__}: {error}"))
    return findings


def context(now: float, *, prove: bool = True) -> Context:
    installed = record.load()
    served = tuple(dict.fromkeys([*roots.chosen(()), *installed.roots]))
    return Context(now, published.read(), served, installed, prove)
