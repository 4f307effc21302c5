"""A week in fast motion: what a machine does to a listener in seven days, in minutes.

libfaketime moves the wall clock and the monotonic clock on by half an hour at a time. Meanwhile the client works by
day and rests by night; the user travels to another zone, suspends the machine, logs out and in; the listener is
killed twice and its disk is full once. At each midnight the state and the report must equal a recount of the same
files in a new home. The short form is one such day.
"""

import contextlib
import glob
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import append, assistant, result, use

from .conftest import LONG
from .ground import name, numbers, recount, take_away

pytestmark = pytest.mark.timeout(3600)
HOUR, DAY = 3600, 86_400
DAYS = 7 if LONG else 1
STEP = HOUR // 2 if LONG else HOUR
AT_HOME, ABROAD = (
    ("Etc/GMT-1", 1),
    ("Etc/GMT+5", -5),
)  # a zone and its hours before UTC; the signs of the names differ
ZONES = "/usr/share/zoneinfo"
# At which hour of the week: each comes once.
EVENTS = (
    {"crash": (20, 45), "suspend": 31, "zone": 62, "logout": 81, "login": 86, "full": 105, "room": 107}
    if LONG
    else {"crash": (2, 5), "suspend": 7, "zone": 11, "logout": 13, "login": 15, "full": 17, "room": 18}
)
PLATEAU = 0.8  # of the time: each event is past, and what only it needs is loaded; memory may grow by a tenth from here


class World:
    """The faked clock, the zone, the client's work, and what it adds up to."""

    def __init__(self, listener, claude, tmp_path, monkeypatch):
        found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not found or not os.path.exists(os.path.join(ZONES, AT_HOME[0])):
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
                "needs libfaketime and the zones of the system: apt-get install libfaketime tzdata"
            )
        self.listener, self.claude, self.tmp_path = listener, claude, tmp_path
        self.runtime, self.stamp, self.zone_file = tmp_path / "run", tmp_path / "clock", tmp_path / "zone"
        self.runtime.mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(self.runtime))
        monkeypatch.setenv("TZ", str(self.zone_file))
        self.environ = {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": str(self.stamp), "FAKETIME_NO_CACHE": "1",
                        "NO_FAKE_STAT": "1"}  # fmt: skip
        self.hours = 0
        self.move_to(AT_HOME)
        now = time.time()
        self.offset = self.midnight(now) + DAY - now + 120  # two minutes after a midnight
        self.set_clock()
        self.responses = []  # the time of each
        self.backups = set()

    # -- the clock -----------------------------------------------------------------------------------------------

    @property
    def now(self):
        return time.time() + self.offset

    def set_clock(self):
        fresh = self.tmp_path / "fresh"
        fresh.write_text(f"{self.offset:+.3f}\n")
        os.replace(fresh, self.stamp)

    def go_on(self, seconds):
        self.offset += seconds
        self.set_clock()

    def move_to(self, zone):
        self.hours = zone[1]
        fresh = self.tmp_path / "fresh-zone"
        shutil.copy(os.path.join(ZONES, zone[0]), fresh)
        os.replace(fresh, self.zone_file)

    def midnight(self, at):
        return (at + self.hours * HOUR) // DAY * DAY - self.hours * HOUR

    def hour(self):
        return (self.now - self.midnight(self.now)) / HOUR

    # -- the client ----------------------------------------------------------------------------------------------

    def work(self, count):
        """So many responses in the session of the day, and its hook."""
        now, session = self.now, name(int(self.now // (DAY / 4)) % 1000)
        path = os.path.join(self.claude, "projects", "-work", f"{session}.jsonl")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        for _ in range(count):
            key = f"w{len(self.responses)}"
            append(path, assistant(key, now, request_id=key, session=session, content=[use(f"t{key}")]),
                   result(f"t{key}", now, session=session))  # fmt: skip
            self.responses.append(now)
        os.utime(path, (now, now))  # as the kernel would have dated it
        with contextlib.suppress(OSError):  # no listener: a hook ends without a word
            self.listener.send({"hook_event_name": "Stop", "session_id": session})

    # -- the listener --------------------------------------------------------------------------------------------

    def start(self):
        self.listener.start(wait=False, **self.environ)

    def caught_up(self, **more):
        """The state once it is of now and has everything; `more` is what else must be so."""
        now, wanted = self.now, self.today()
        return self.listener.wait_for(
            lambda s: (
                s["written_at"] >= now
                and s["scan"]["complete"]
                and s["today"]["requests"] == wanted
                and all(bool(s["doctor"][key]) == value for key, value in more.items())
            ),
            60,
        )

    def today(self):
        begin = self.midnight(self.now)
        return sum(at >= begin for at in self.responses)

    def memory(self):
        with open(f"/proc/{self.listener.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def date_the_backup(self):
        """A new copy gets the faked date, as the kernel would have given it."""
        path = os.path.join(self.listener.home, "history.backup-1.db")
        if os.path.exists(path) and os.stat(path).st_ino not in self.backups:
            self.backups.add(os.stat(path).st_ino)
            os.utime(path, (self.now, self.now))

    # -- counting again --------------------------------------------------------------------------------------------

    def report(self, home):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "aitop", "report", "daily", "--json"], capture_output=True, timeout=120,
            env=os.environ | self.environ | {"PYTHONPATH": ROOT, "AITOP_HOME": home},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def check(self, tally):
        """The state and the report against a recount in a home that knew no fault."""
        state = self.caught_up(history_error=False)
        clean = str(self.tmp_path / "clean")
        shutil.rmtree(clean, ignore_errors=True)
        wanted = self.report(clean)
        tally.same(
            {row["day"]: row for row in self.report(self.listener.home)}, {row["day"]: row for row in wanted}
        )
        begins = {"today": self.midnight(self.now)}
        weekday = int((begins["today"] + self.hours * HOUR) // DAY + 3) % 7
        begins["week"] = begins["today"] - weekday * DAY
        for period, begin in begins.items():
            first = time.strftime("%Y-%m-%d", time.gmtime(begin + self.hours * HOUR))
            rows = [row for row in wanted if row["day"] >= first]
            for key in ("requests", "input_tokens", "output_tokens", "tool_calls", "spent_usd"):
                total = round(sum(row[key] for row in rows), 6)
                tally.same({key: round(state[period][key], 6)}, {key: total}, f"{period} of {first}:")


@pytest.fixture
def world(listener, claude, tmp_path, monkeypatch):
    return World(listener, claude, tmp_path, monkeypatch)


def test_a_week_of_a_machine_ends_with_every_number_and_no_more_memory(world, listener, tally, tmp_path):
    began, midnights, plateau = world.now, 0, None
    world.start()
    done = set()
    while midnights < DAYS:
        hours = (world.now - began) / HOUR
        for event in ("zone", "suspend", "logout", "login", "full", "room"):
            if event not in done and hours >= EVENTS[event]:
                done.add(event)
                with tally.fault():
                    HAPPENS[event](world)
        for crash in EVENTS["crash"]:
            if crash not in done and hours >= crash:
                done.add(crash)
                with tally.fault():
                    listener.end(signal.SIGKILL)
                    world.work(5)
                    world.start()
        if 7 <= world.hour() < 22:
            world.work(3)
        if not ("full" in done and "room" not in done):
            world.caught_up()
        world.date_the_backup()
        if hours >= DAYS * 24 * PLATEAU and plateau is None:
            plateau = world.memory()
        until = world.midnight(world.now) + DAY - world.now
        if until > STEP + 60:
            world.go_on(STEP)
            continue
        world.go_on(until - 20)  # the last moment of the day, and the first of the next one
        world.check(tally)
        world.go_on(world.midnight(world.now) + DAY - world.now + 1)
        world.check(tally)
        midnights += 1
    assert len(world.backups) >= DAYS
    assert done >= {*EVENTS["crash"], "zone", "suspend", "logout", "login", "full", "room"}
    grown = world.memory() / plateau
    assert grown <= 1.1, f"memory is {grown:.2f} times what it was"
    assert listener.end() == 0
    tally.same(numbers(listener.home), recount(tmp_path, world.now))


# -- what happens ------------------------------------------------------------------------------------------------


def travel(world):
    world.move_to(ABROAD)


def sleep_for_hours(world):
    world.listener.signal(signal.SIGSTOP)
    world.go_on(5 * HOUR)
    world.listener.signal(signal.SIGCONT)


def log_out(world):
    take_away(world.runtime)


def log_in(world):
    world.runtime.mkdir(mode=0o700)


def fill_the_disk(world):
    """A limit on the size of files stands in for it, as it needs no root: room for the state, not for the history."""
    resource.prlimit(world.listener.pid, resource.RLIMIT_FSIZE, (1 << 16, resource.RLIM_INFINITY))
    world.work(600)
    world.listener.wait_for(lambda s: s["doctor"]["history_error"], 60)


def make_room(world):
    resource.prlimit(
        world.listener.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    world.caught_up(history_error=False)


HAPPENS = {"zone": travel, "suspend": sleep_for_hours, "logout": log_out, "login": log_in, "full": fill_the_disk,
           "room": make_room}  # fmt: skip
