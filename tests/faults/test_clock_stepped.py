"""The clock jumps: a day on, a day back, an hour at the change to summer time and from it, or all stands still.

libfaketime gives the listener another time of day, changed while it runs; the monotonic clock stays true, as
it does when somebody sets the clock. What is counted never depends on it, what is shown follows it.
"""

import glob
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from conftest import ROOT
from support.lines import append, assistant, transcript

from .conftest import LONG
from .ground import fill, name, numbers, recount

pytestmark = pytest.mark.timeout(180)
DAY = 86_400


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Set the listener's clock: `fake("+1d")` or by so many seconds."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "needs libfaketime: apt-get install libfaketime"
        )
    stamp = tmp_path / "faketimerc"

    def step(how):
        fresh = tmp_path / "fresh"
        fresh.write_text(how + "\n")
        os.replace(fresh, stamp)

    step("+0")
    step.environ = {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": str(stamp), "FAKETIME_NO_CACHE": "1",
                    "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}  # fmt: skip
    return step


def wait(listener, true, seconds=20.0):
    return listener.wait_for(true, seconds)


@pytest.mark.parametrize(
    "steps", [("+1d", "+0"), ("-1d", "+0")], ids=["a day on and back", "a day back and on"]
)
def test_a_stepped_clock_moves_the_periods_and_no_number(steps, listener, claude, fake, tally, tmp_path):
    path = transcript(
        claude, [assistant("a", time.time() - 60, request_id="ra", session=name(0))], session=name(0)
    )
    today = time.time()
    listener.start(**fake.environ).wait_for(lambda s: s["today"]["requests"] == 1)
    for number, how in enumerate(steps):
        with tally.fault():
            fake(how)
            shift = {"+1d": DAY, "-1d": -DAY, "+0": 0}[how]
            wait(listener, lambda s, shift=shift: abs(s["written_at"] - time.time() - shift) < 20)
            append(path, assistant(f"b{number}", today + number, request_id=f"rb{number}", session=name(0)))
            wait(listener, lambda s, n=number: sum(x["requests"] for x in s["sessions"]) == n + 2)
            # what comes from the future counts when it was seen, on the day the clock said; what was counted stays
            count = {"+1d": 0, "-1d": 2}.get(how, 3 if "+1d" in steps else 2)
            wait(listener, lambda s, count=count: s["today"]["requests"] == count)
    listener.end()
    found, wanted = numbers(listener.home), recount(tmp_path)
    tally.same(
        {key: value[:1] for key, value in found.items()}, {key: value[:1] for key, value in wanted.items()}
    )


@pytest.mark.parametrize(
    "before", ["2026-03-29 00:59:50", "2026-10-25 00:59:50"], ids=["to summer time", "from it"]
)
def test_the_hour_that_is_missing_or_comes_twice_belongs_to_its_day(
    before, listener, claude, fake, tally, monkeypatch
):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    change = datetime.fromisoformat(before).replace(tzinfo=UTC).timestamp() + 10
    hours = [change - 7200, change - 600, change - 1, change + 1, change + 2]
    records = [assistant(f"d{n}", at, request_id=f"d{n}", session=name(0)) for n, at in enumerate(hours)]
    path = transcript(claude, records[:3], session=name(0))
    fake(f"{round(change - 6 - time.time()):+d}")
    with tally.fault():
        listener.start(wait=False, **fake.environ)
        state = wait(listener, lambda s: s["today"]["requests"] == 3)
        started_at = state["listener"]["started_at"]  # by the faked clock, which runs on as fast as ours
        assert started_at < change
        time.sleep(change + 4 - started_at)
        append(path, *records[3:])
        state = wait(listener, lambda s: s["today"]["requests"] == 5)
        assert state["windows"]["15m"]["requests"] == 4  # 600 s before it, and after it: no hour between them
        assert state["month"]["requests"] == 5


def test_while_suspended_displays_are_blank_and_waking_up_counts_everything(
    listener, claude, tally, tmp_path
):
    path = fill(claude, time.time())[0]
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    front = os.path.join(os.path.dirname(sys.executable), "aitop")
    with tally.fault():
        listener.signal(signal.SIGSTOP)
        append(
            path, *[assistant(f"w{n}", time.time(), request_id=f"w{n}", session=name(0)) for n in range(9)]
        )
        time.sleep(35 if LONG else 11)
        blank = subprocess.run(
            ["sh", front, "tmux"], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": ROOT}
        )
        assert (blank.stdout, blank.stderr, blank.returncode) == ("", "", 0)
        woken = time.time()
        listener.signal(signal.SIGCONT)
        listener.wait_for(lambda s: s["written_at"] >= woken and s["since_start"]["requests"] >= 9, 20)
    listener.end()
    tally.same(numbers(listener.home), recount(tmp_path))
