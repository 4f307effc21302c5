"""`aitop top`: the plain table, once or redrawn each second, as text or JSON.

Reads `state.json` only. On a terminal without fresh numbers it starts the listener and says so; it
never shows an old number as if it were new.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import click

from aitop import state as published
from aitop.model.json_types import JsonObject
from aitop.segments.text import cut
from aitop.system import installation
from aitop.top import choices, plain, screen
from aitop.top import once as once_text
from aitop.top.once import trouble
from aitop.top.start import start_listener

if TYPE_CHECKING:
    from collections.abc import Mapping

STYLES = {"warning": "\x1b[33m", "critical": "\x1b[1;31m"}


@click.command()
@click.option("--once", is_flag=True, help="Print the table once and leave.")
@click.option("--json", "as_json", is_flag=True, help='With --once: print {"state": …, "rows": …}.')
@click.option("--plain", "simple", is_flag=True, help="The plain table even where the full one is installed.")
@click.option("--theme", type=click.Choice(choices.THEMES), help="Colours of the full table; c changes them.")
@click.option("--provider", metavar="NAME", help="Only one client: claude-code, codex, gemini, …")
@click.option("--fleet", is_flag=True, help="Every machine, from the Prometheus named in fleet.read.")
def top(
    *, once: bool, as_json: bool, simple: bool, theme: str | None, provider: str | None, fleet: bool
) -> None:
    """Show what is being spent: overview, sessions, tools, models, history, and one session in detail.

    The full table needs the extra `top`. Without it a plain table is redrawn in place. The key ? lists
    all keys; q or Ctrl-C leaves. Windows are sums of the last 1, 5 and 15 minutes; $/hr is their
    rate for an hour. A ratio that is not known yet is `-` (null in JSON). NO_COLOR is honoured.

    Exit codes: 0 fine, 1 no fresh numbers (--once), 2 wrong usage.
    """
    if as_json and not once:
        raise click.UsageError("--json needs --once: aitop top --once --json")
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if fleet:
        from aitop.top import fleet as machines

        if once or not on_terminal:
            width = screen.size()[0] if sys.stdout.isatty() else once_text.WIDTH
            sys.exit(machines.once(as_json=as_json, width=width))
        machines.live()
        return
    if once or not on_terminal or os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
        width = screen.size()[0] if sys.stdout.isatty() else once_text.WIDTH
        sys.exit(once_text.once(as_json=as_json, provider=provider, width=width))
    # Textual draws on stderr
    if simple or not full_installed() or not sys.stderr.isatty():
        _live("" if simple else f"The full table: {installation.add_extra('top')}", provider)
    else:
        sys.exit(_full(theme, provider))


def full_installed() -> bool:
    """Whether Textual is there; looks, does not import."""
    from importlib.util import find_spec

    return find_spec("textual") is not None


def _full(theme: str | None, provider: str | None) -> int:
    """The full-screen table."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]  # empty means nothing by its own rule; Textual asks only whether it is set
    from aitop.top.app import Top

    app = Top(choices.Choices(theme=theme or default_theme(os.environ)))
    app.show_only(provider)
    code = app.run()
    signal.alarm(0)  # it left in time
    return app.return_code or 0 if code is None else code


def default_theme(environ: Mapping[str, str]) -> str:
    """Our own colours where the terminal has enough of them, else the terminal's."""
    term, deep = environ.get("TERM", ""), environ.get("COLORTERM", "")
    rich = deep in ("truecolor", "24bit") or any(
        word in term for word in ("256", "direct", "kitty", "ghostty")
    )
    return "dark" if rich else "terminal"


def frame(
    published_state: JsonObject | None, now: float, width: int, notice: str, hint: str = ""
) -> list[str]:
    """The lines of one redraw: the table, or why there is none; `hint` is advice below the title."""
    if published_state is None or not published.is_fresh(published_state, now):
        return ["aitop", "", f"Waiting: {trouble(published_state, now)}.", notice, "", "q leaves"]
    title, *lines = plain.lines(published_state, width)
    return [title, *([cut(hint, width)] if hint else []), *lines, "", "q leaves"]


def painted(lines: list[str], published_state: JsonObject | None) -> list[str]:
    """Alerts in the colour of the state's level."""
    style = STYLES.get(str((published_state or {}).get("level")), "")
    if not style or os.environ.get("NO_COLOR"):
        return lines
    return [f"{style}{line}\x1b[0m" if line.startswith("! ") else line for line in lines]


def _live(hint: str, provider: str | None) -> None:
    published_state = published.read()
    notice = "" if published.is_fresh(published_state, time.time()) else start_listener(unless_stopped=True)
    try:
        with screen.taken() as resized:
            key: str | None = ""
            while key is not None and "q" not in key and "Q" not in key:
                width, height = screen.size()
                published_state, now = published.read(provider), time.time()
                screen.draw(
                    painted(frame(published_state, now, width, notice, hint), published_state), height
                )
                key = screen.wait(resized, 1.0 - now % 1.0 + 0.02)
    except KeyboardInterrupt:
        return
