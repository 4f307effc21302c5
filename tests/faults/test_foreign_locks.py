"""Another program holds the history: a browser's write lock, a reader that never ends, an exclusive lock."""

import os
import sqlite3
import time

import pytest
from support.lines import append, assistant, transcript

from .conftest import LONG
from .ground import name, numbers, recount

pytestmark = pytest.mark.timeout(300)
SECONDS = (0.1, 1, 5, 20, 60) if LONG else (0.1, 4)


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("how", ["BEGIN IMMEDIATE", "BEGIN; SELECT count(*) FROM response"])
def test_displays_stay_fresh_and_everything_is_counted_afterwards(
    how, seconds, listener, claude, tally, tmp_path
):
    begun = time.time() - 60
    path = transcript(claude, [assistant("a", begun, request_id="ra", session=name(0))], session=name(0))
    listener.start().wait_for(lambda s: s["today"]["requests"] == 1)
    history = os.path.join(listener.home, "history.db")
    held = sqlite3.connect(history, isolation_level=None)
    sent, oldest, errors = 0, 0.0, set()
    with tally.fault():
        for statement in how.split("; "):
            held.execute(statement).fetchall()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            sent += 1
            append(path, assistant(f"b{sent}", time.time(), request_id=f"rb{sent}", session=name(0)))
            time.sleep(0.2)
            state = listener.state()
            oldest = max(oldest, time.time() - state["written_at"])
            errors.add(state["doctor"]["history_error"])
        held.execute("ROLLBACK")
        held.close()
        state = listener.wait_for(lambda s: s["sessions"] and s["sessions"][0]["requests"] == sent + 1)
        listener.wait_for(lambda s: s["doctor"]["history_error"] is None)
    if how == "BEGIN IMMEDIATE" and seconds > 2:
        assert any("another program holds" in (error or "") for error in errors)
        assert listener.log().count("another program holds") == 1
    assert oldest < 10  # the age from which displays go blank
    listener.end()
    tally.same(numbers(listener.home), recount(tmp_path), how)


def test_hooks_that_come_while_the_history_is_held_are_kept(listener, tally):
    listener.start()
    held = sqlite3.connect(os.path.join(listener.home, "history.db"), isolation_level=None)
    with tally.fault():
        held.execute("BEGIN IMMEDIATE")
        for number in range(50):
            listener.send({"hook_event_name": "PostToolUse", "session_id": name(0), "tool_name": "Bash",
                           "tool_use_id": f"t{number}", "cwd": "/w"})  # fmt: skip
        listener.wait_for(lambda s: s["hooks"]["unique"] == 50)
        assert listener.state()["today"]["tool_calls"] == 0
        held.execute("ROLLBACK")
        listener.wait_for(lambda s: s["today"]["tool_calls"] == 50)
    held.close()
