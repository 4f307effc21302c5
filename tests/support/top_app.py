"""The full-screen table without a terminal, for its tests: a home with a published state, a pilot, keys."""

import asyncio
import json
import os
from unittest import mock

import pytest
from golden import states

pytest.importorskip("textual", reason="the full table is missing: pip install 'aitop-status[top]'")

from aitop.top.app import Top
from aitop.top.choices import Choices
from aitop.top.paint import text_of

NOW = states.NOW
QUIET_TURNS = 5
FRAME_SECONDS = 0.025  # Textual draws 60 times a second


def busy():
    """Four sessions, one of each status, and tools."""
    state = states.subscription()
    state["sessions"] = [
        states.session(1, project="shop", cost_usd=1.5, subagents=2, errors=2, last_activity_at=NOW - 5),
        states.session(2, project="docs", cost_usd=9.25, status="waiting", model="claude-sonnet-4-6", pid=None,
                       branch="fix/typo", last_activity_at=NOW - 90),
        states.session(3, project="attic", cost_usd=0.5, status="idle", last_activity_at=NOW - 2000),
        states.session(4, project="cellar", cost_usd=3.0, status="ended", last_activity_at=NOW - 9000),
    ]  # fmt: skip
    state["tools"] = {
        "Bash": {"calls": 40, "failures": 2, "p50_ms": 850, "p95_ms": 48_000},
        "Read": {"calls": 90, "failures": 0, "p50_ms": 12, "p95_ms": 80},
    }
    state["written_at"] = NOW
    return state


def publish(home, state):
    os.makedirs(home, exist_ok=True)
    path = os.path.join(home, "state.json")
    with open(path + ".new", "w") as file:
        json.dump(state, file)
    if "written_at" in state:  # a reader takes the later of the file's time and the state's own
        os.utime(path + ".new", (state["written_at"],) * 2)
    os.replace(path + ".new", path)


def stopped(home):
    """A home whose listener the user stopped, so that no test starts one."""
    os.makedirs(home, exist_ok=True)
    with open(os.path.join(home, "stopped"), "w"):
        pass


def run(home, steps, state=None, size=(120, 40), choices=None, clock=lambda: NOW):
    """Run the table and hand it with its pilot to `steps`."""
    stopped(home)
    if state is not None:
        publish(home, state)
    app = Top(choices or Choices(), clock)

    async def main():
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    # Textual sleeps until the process does little, which costs a key 60 ms and says nothing on a busy machine.
    with (
        mock.patch("textual.app.wait_for_idle", settled),
        mock.patch("textual.pilot.wait_for_idle", rested),
        mock.patch("aitop.top.app.LOOK_SECONDS", 0.05),
    ):
        asyncio.run(main())
    return app


async def rested(*_):
    """As `settled`, before and after the time in which each timer of a screen comes round."""
    await settled()
    await asyncio.sleep(FRAME_SECONDS)
    await settled()


async def settled(*_):
    """Wait until every message is handled: until the loop has nothing else to run, some turns in a row."""
    ready, turns = asyncio.get_running_loop()._ready, 0
    while turns < QUIET_TURNS:
        await asyncio.sleep(0)
        turns = 0 if ready else turns + 1


def press(home, *keys, state=None, **more):
    """The table after some keys, and what its screen then said."""
    seen = []

    async def steps(app, pilot):
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        seen.append(screen(app))

    app = run(home, steps, busy() if state is None else state, **more)
    return app, seen[0]


async def until(pilot, true):
    """Wait until something holds, however slow the machine is."""
    for _ in range(1500):
        if true():
            return
        await pilot.pause(0.02)
    pytest.fail(f"never held; the screen:\n{screen(pilot.app)}")


def screen(app):
    """What stands on the screen, line by line, as the terminal would show it."""
    from rich.segment import Segment

    lines = Segment.split_lines(
        segment for strip in app.screen._compositor.render_strips() for segment in [*strip, Segment.line()]
    )
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


__all__ = ["NOW", "Choices", "Top", "busy", "press", "publish", "run", "screen", "stopped", "text_of",
           "until"]  # fmt: skip
