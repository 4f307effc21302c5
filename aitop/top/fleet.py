"""`aitop top --fleet`: every machine, as the listener last heard it from Prometheus. Reads its copy alone."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time

from aitop import paths
from aitop import state as published
from aitop.fleet import machines, totals, view
from aitop.fleet.machines import HostRow
from aitop.model.sums import in_usd
from aitop.segments import money, text_table
from aitop.segments.text import cut
from aitop.top import screen
from aitop.top.once import put

GROUPS = ("host", "user", "project", "model")
PULLED_SECONDS = 10.0  # between two looks at what was pulled
NOTHING = 'nothing is known of a fleet: set fleet.read = "http://HOST:9090" in the configuration and start the listener'


def lines(now: float, width: int, pulled: list[HostRow]) -> list[str] | None:
    """The table; None where nothing was ever heard or pulled."""
    fleet_totals = totals.read(paths.home())
    if fleet_totals is None and not pulled:
        return None
    currency = money.currency(published.read() or {})
    shown = [] if fleet_totals is None else view.lines(
        fleet_totals, now, GROUPS, lambda usd: money.text(usd, currency) if usd is not None else "-",
        lambda rows, align, heads: text_table.lines(rows, align, heads=heads),
    )  # fmt: skip
    if pulled:
        rows = [
            (view.name(row.host), f"{row.requests:,}", money.text(in_usd(row.spent), currency),
             view.credits_text(row.credits), f"{view.span(now - (row.pulled_at or 0.0))} ago")
            for row in pulled
        ]  # fmt: skip
        heads = ("over ssh", "requests", "spent", "credits", "as of")
        shown = [*shown, *([""] if shown else []), *text_table.lines(rows, "lrrrr", heads=heads)]
    return [cut(line, width) for line in shown]


def machines_pulled() -> list[HostRow]:
    """What `aitop pull` brought from each machine; none where its file cannot be read."""
    try:
        return machines.by_host(paths.home())
    except (sqlite3.Error, OSError):
        return []


def once(*, as_json: bool, width: int) -> int:
    """Print it and leave; 1 where nothing is known."""
    fleet_totals = totals.read(paths.home())
    shown = lines(time.time(), width, machines_pulled())
    if shown is None or (as_json and fleet_totals is None):
        print(f"aitop: {NOTHING}", file=sys.stderr)
        return 1
    put(json.dumps(fleet_totals) if as_json else "\n".join(shown))
    return 0 if fleet_totals is None or fleet_totals.get("at") else 1


def live() -> None:
    """Redraw it each second until q."""
    pulled, next_look = machines_pulled(), time.monotonic() + PULLED_SECONDS
    try:
        with screen.taken() as resized:
            key: str | None = ""
            while key is not None and "q" not in key and "Q" not in key:
                width, height = screen.size()
                now = time.time()
                if time.monotonic() >= next_look:
                    pulled, next_look = machines_pulled(), time.monotonic() + PULLED_SECONDS
                shown = lines(now, width, pulled) or ["aitop", "", *[cut(f"Waiting: {NOTHING}.", width)]]
                screen.draw([*_painted(shown), "", "q leaves"], height)
                key = screen.wait(resized, 1.0 - now % 1.0 + 0.02)
    except KeyboardInterrupt:
        return


def _painted(shown: list[str]) -> list[str]:
    if os.environ.get("NO_COLOR"):
        return shown
    return [f"\x1b[33m{line}\x1b[0m" if line.startswith("! ") else line for line in shown]
