"""`aitop top --fleet`: every machine, as the listener last heard it from Prometheus. Reads its copy alone."""

from __future__ import annotations

import json
import os
import sys
import time

from aitop import paths
from aitop import state as published
from aitop.fleet import totals, view
from aitop.segments import money, text_table
from aitop.segments.text import cut
from aitop.top import screen
from aitop.top.once import put

GROUPS = ("host", "user", "project", "model")
NOTHING = 'nothing is known of a fleet: set fleet.read = "http://HOST:9090" in the configuration and start the listener'


def lines(now: float, width: int) -> list[str] | None:
    """The table; None where nothing was ever heard."""
    found = totals.read(paths.home())
    if found is None:
        return None
    currency = money.currency(published.read() or {})
    shown = view.lines(
        found, now, GROUPS, lambda usd: money.text(usd, currency) if usd is not None else "-",
        lambda rows, align, heads: text_table.lines(rows, align, heads=heads),
    )  # fmt: skip
    return [cut(line, width) for line in shown]


def once(*, as_json: bool, width: int) -> int:
    """Print it and leave; 1 where nothing is known."""
    found = totals.read(paths.home())
    shown = lines(time.time(), width)
    if found is None or shown is None:
        print(f"aitop: {NOTHING}", file=sys.stderr)
        return 1
    put(json.dumps(found) if as_json else "\n".join(shown))
    return 0 if found.get("at") else 1


def live() -> None:
    """Redraw it each second until q."""
    try:
        with screen.taken() as resized:
            key: str | None = ""
            while key is not None and "q" not in key and "Q" not in key:
                width, height = screen.size()
                now = time.time()
                shown = lines(now, width) or ["aitop", "", *[cut(f"Waiting: {NOTHING}.", width)]]
                screen.draw([*_painted(shown), "", "q leaves"], height)
                key = screen.wait(resized, 1.0 - now % 1.0 + 0.02)
    except KeyboardInterrupt:
        return


def _painted(shown: list[str]) -> list[str]:
    if os.environ.get("NO_COLOR"):
        return shown
    return [f"\x1b[33m{line}\x1b[0m" if line.startswith("! ") else line for line in shown]
