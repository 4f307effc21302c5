"""Telling people of alerts: once for each cause, through real processes, never waiting for one."""

import json
import os
import re
import subprocess
import time

import pytest

from aitop.config import KEYS, Config
from aitop.live.alerts import Alert
from aitop.publish.notify import channels, memory
from aitop.publish.notify.memory import Memory, Told
from aitop.publish.notify.sender import Sender

NOW = 1_790_000_000.0
QUIET = 1800.0


def alert(name="burn", level="warning", text="burning $7.50/h", cause=""):
    return Alert(name, level, text, NOW, cause)


class Person:
    """Somebody who is told, tick by tick; the memory may be forgotten only by way of its file."""

    def __init__(self, least="warning", mute=()):
        self.memory, self.least, self.mute = Memory({}), least, mute

    def told(self, *alerts, now=NOW):
        news, self.memory = memory.decide(self.memory, alerts, self.least, self.mute, QUIET, now)
        return [(one.id, one.level) for one in news]

    def restart(self):
        self.memory = memory.decode(json.loads(json.dumps(memory.encode(self.memory))))


def test_an_alert_that_stays_is_told_once():
    person = Person()
    told = [person.told(alert(), now=NOW + second) for second in range(0, 20_000, 10)]
    assert told[0] == [("burn", "warning")]
    assert not any(told[1:])


def test_a_level_that_rises_is_told_once_more_and_one_that_flickers_is_not():
    person = Person()
    levels = ["warning", "critical", "warning", "critical", "warning"]
    told = [person.told(alert(level=level), now=NOW + n) for n, level in enumerate(levels)]
    assert told == [[("burn", "warning")], [("burn", "critical")], [], [], []]


def test_an_alert_that_comes_back_within_the_quiet_time_is_the_same_news():
    person = Person()
    person.told(alert())
    assert person.told(now=NOW + 60) == []
    assert person.told(alert(), now=NOW + 600) == []
    assert person.told(alert(), now=NOW + 600 + QUIET + 61) == [("burn", "warning")]


def test_one_cause_is_told_once_however_long_it_is_away():
    person = Person()
    weekly = alert("limit:x", cause="1790500000")
    assert person.told(weekly) == [("limit:x", "warning")]
    assert person.told(weekly, now=NOW + 5 * 86_400) == []
    assert person.told(weekly._replace(level="critical"), now=NOW + 5 * 86_400) == [("limit:x", "critical")]


def test_a_new_cause_is_news_after_the_quiet_time():
    person = Person()
    person.told(alert("compaction:s", cause="0"))
    assert person.told(alert("compaction:s", cause="1"), now=NOW + 600) == []
    assert person.told(alert("compaction:s", cause="1"), now=NOW + QUIET) == [("compaction:s", "warning")]


@pytest.mark.parametrize("cause", ["", "1790500000"])
def test_a_restart_tells_nothing_again(cause):
    person = Person()
    person.told(alert(cause=cause))
    person.restart()
    assert person.told(alert(cause=cause), now=NOW + 20) == []
    assert person.told(alert(cause=cause, level="critical"), now=NOW + 30) == [("burn", "critical")]


def test_only_levels_and_rules_that_were_asked_for_are_told():
    assert Person(least="critical").told(alert(), alert("context", "critical")) == [("context", "critical")]
    assert Person(mute=["cache-expiry"]).told(alert("cache-expiry:s1"), alert("cache")) == [
        ("cache", "warning")
    ]


def test_what_is_long_past_is_forgotten():
    person = Person()
    person.told(alert("old"))
    person.told(alert("new"), now=NOW + 41 * 86_400)
    assert set(person.memory.told) == {"new"}
    for number in range(700):
        person.told(alert(f"n{number}"), now=NOW + 41 * 86_400 + number)
    assert len(person.memory.told) == memory.MAX_REMEMBERED


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {},
        {"told": 3},
        {
            "told": {
                "a": 1,
                "b": ["loud", "", 1, 2],
                "c": ["warning", "", "x", 2],
                "d": ["warning", "c", 1, 2],
            }
        },
    ],
)
def test_a_broken_memory_is_one_that_knows_less(broken):
    assert set(memory.decode(broken).told) <= {"d"}
    assert all(isinstance(one, Told) for one in memory.decode(broken).told.values())


# -- what each program gets ------------------------------------------------------------------------------------


def test_a_notification_gets_its_text_as_text():
    hostile = alert("x", "critical", 'shop<b>&"$(touch x)\n\x1b[31m: 3 requests')
    linux = channels.desktop(hostile, "linux").arguments
    assert linux == [
        "notify-send", "--app-name=aitop", "--urgency=critical", "--", "aitop: critical",
        'shop&lt;b&gt;&amp;"$(touch x) [31m: 3 requests',
    ]  # fmt: skip
    mac = channels.desktop(hostile, "darwin").arguments
    assert mac[0] == "osascript"
    assert mac[-2:] == ['shop<b>&"$(touch x) [31m: 3 requests', "aitop: critical"]
    assert not any("touch" in word for word in mac[:-2])


def test_a_users_command_gets_the_whole_alert_as_json():
    message = channels.command(alert("runaway:s1", text="shop: $6.00"), "cat > out", "box", NOW + 5)
    assert message.arguments == ["/bin/sh", "-c", "cat > out"]
    assert json.loads(message.stdin) == {
        "version": 1, "id": "runaway:s1", "rule": "runaway", "about": "s1", "level": "warning",
        "text": "shop: $6.00", "since": NOW, "at": NOW + 5, "host": "box",
    }  # fmt: skip
    assert channels.payload(alert(), "box", NOW)["about"] is None


# -- real processes --------------------------------------------------------------------------------------------


def config(**more):
    return Config({key.path: key.default for key in KEYS} | {f"notify.{k}": v for k, v in more.items()})


@pytest.fixture
def sender(tmp_path):
    made = []

    def make(servers=(), system="linux"):
        made.append(
            Sender(str(tmp_path / "notified.json"), "box", system, lambda: servers, make.complaints.append)
        )
        return made[-1]

    make.complaints = []
    yield make
    for one in made:
        one.close()


def lines_of(path, count=1, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().count("\n") >= count:
            break
        time.sleep(0.01)
    return path.read_text().splitlines() if path.exists() else []


def settle(one, settings, seconds=10.0):
    """Tick without alerts until nothing runs any more."""
    deadline = time.monotonic() + seconds
    while one._running and time.monotonic() < deadline:
        one.tick((), settings, NOW + 1)
        time.sleep(0.01)


def test_a_command_is_run_once_for_each_alert_and_not_again_after_a_restart(tmp_path, sender):
    out = tmp_path / "out"
    settings = config(command=f"cat >> '{out}'")
    first = sender()
    for second in range(3):
        first.tick([alert()], settings, NOW + second)
    settle(first, settings)
    again = sender()
    again.tick([alert(), alert("context", "critical")], settings, NOW + 10)
    settle(again, settings)
    assert [json.loads(line)["id"] for line in lines_of(out, 2)] == ["burn", "context"]
    assert sender.complaints == []


def test_nothing_is_started_or_kept_where_nobody_asked(tmp_path, sender):
    sender().tick([alert()], config(), NOW)
    assert not (tmp_path / "notified.json").exists()


def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path, sender):
    one, settings = sender(), config(command=f"echo $$ > '{tmp_path}/pid'; sleep 600 | sleep 600")
    one.tick([alert()], settings, NOW)
    (pid,) = lines_of(tmp_path / "pid")
    one.tick((), settings, NOW + 5)
    assert one._running
    one.tick((), settings, NOW + 11)
    assert not one._running
    assert sender.complaints == ["notify: command did not end within 10 seconds and was stopped"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_command_that_fails_or_reads_nothing_is_complained_of_and_no_more(tmp_path, sender):
    one, settings = sender(), config(command="exec 0<&-; exit 3")
    one.tick([alert()], settings, NOW)
    settle(one, settings)
    assert sender.complaints == ["notify: command failed with exit code 3"]


def test_a_program_that_is_missing_is_complained_of(monkeypatch, tmp_path, sender):
    monkeypatch.setenv("PATH", str(tmp_path))
    sender().tick([alert()], config(desktop=True), NOW)
    assert sender.complaints == ["notify: notify-send: No such file or directory"]


def test_many_alerts_start_few_processes_at_a_time(tmp_path, sender):
    out = tmp_path / "out"
    one, settings = sender(), config(command=f"cat >> '{out}'; sleep 0.05")
    one.tick([alert(f"n{number}") for number in range(100)], settings, NOW)
    most = 0
    while one._running or one._waiting:
        most = max(most, len(one._running))
        one.tick((), settings, NOW + 1)
        time.sleep(0.005)
    assert most == 4
    assert len(lines_of(out, 32)) == 32  # the newest; nobody reads a hundred


def test_news_that_cannot_be_remembered_is_not_told(tmp_path, sender):
    one = sender()
    one._path = str(tmp_path / "missing" / "notified.json")
    one.tick([alert()], config(command=f"touch '{tmp_path}/told'"), NOW)
    settle(one, config())
    assert not (tmp_path / "told").exists()
    assert "nothing is sent that could not be remembered" in sender.complaints[0]


def test_a_desktop_program_is_started_with_the_alert(monkeypatch, tmp_path, sender):
    program = tmp_path / "notify-send"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{tmp_path}/args'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    sender().tick([alert(text="context 96% full")], config(desktop=True), NOW)
    assert lines_of(tmp_path / "args", 5)[-1] == "context 96% full"


# -- the real tmux and the real listener -----------------------------------------------------------------------


@pytest.fixture
def daemon(home, monkeypatch):
    """A session bus and a real notification daemon on a screen of their own; what it was told, oldest first."""
    from golden.home import need
    from support.desktop import Desktop
    from support.hosts import seconds

    for program, package in (("notify-send", "libnotify-bin"), ("dunst", None), ("dbus-daemon", "dbus")):
        need(program, package)
    with Desktop(home, sway=False) as desktop:
        desktop.start("bus", "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1")
        found = seconds(lambda: re.search(r"^unix:\S+", desktop.log("bus"), re.MULTILINE))
        address = found.group()
        desktop.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        desktop.start("dunst", "dunst")

        def control(word):
            found = subprocess.run(
                ["dunstctl", *word.split()], env=desktop.environment, capture_output=True, text=True
            )
            return found.stdout.strip()

        seconds(lambda: control("count displayed") == "0")

        def told(count):
            seconds(lambda: control("count displayed") == str(count))
            control("close-all")
            shown = seconds(lambda: json.loads(control("history"))["data"][0])
            return [(one["summary"]["data"], one["body"]["data"]) for one in reversed(shown)]

        yield told


@pytest.mark.real
def test_a_real_notification_daemon_shows_an_alert_once_and_its_names_as_text(daemon, sender):
    from support.hosts import HOSTILE

    one, settings = sender(), config(desktop=True)
    for second in range(3):
        one.tick([alert(text=f"{HOSTILE}: $6.00", level="critical")], settings, NOW + second)
    settle(one, settings)
    ((title, body),) = daemon(1)
    assert title == "aitop: critical"
    assert "&lt;b&gt;" in body
    assert body.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == f"{HOSTILE}: $6.00"
    assert sender.complaints == []


@pytest.mark.real
def test_every_client_of_a_real_tmux_shows_the_message_and_runs_nothing_of_it(tmp_path, home, sender):
    from support.hosts import HOSTILE, Tmux, seconds

    quiet = "set -g status on\nset -g status-right ''\nset -g status-left ''\n"
    with Tmux(tmp_path, home, quiet, clients=2, width=180) as tmux:
        one = sender([("tmux", tmux.socket)])
        one.tick([alert(text=f"{HOSTILE}: 12% left")], config(tmux=True), NOW)
        for client in (0, 1):
            seen = tmux.until("aitop: #(touch RAN)", client=client)
            assert "#S #{pane_id}" in seen
            assert ": 12% left" in seen
        seconds(lambda: not one._running or one.tick((), config(), NOW + 1))
        assert not list(tmp_path.glob("**/RAN"))
    assert sender.complaints == []


LOW = "burn_warning = 0.01\nburn_critical = 0.02\n"


def test_the_listener_tells_a_command_once_also_after_it_was_killed(tmp_path, home, listener):
    import signal

    from support.hosts import Claude

    out = tmp_path / "out"
    settings = tmp_path / "config.toml"
    settings.write_text(f"[alerts]\n{LOW}[notify]\ncommand = \"cat >> '{out}'\"\n")
    claude = Claude(tmp_path)
    claude.respond()
    environment = {"CLAUDE_CONFIG_DIR": claude.root, "AITOP_CONFIG": str(settings)}
    listener.start(**environment)
    listener.wait_for(lambda state: any(one["id"] == "burn" for one in state["alerts"]))
    (told,) = [json.loads(line) for line in lines_of(out)]
    assert (told["rule"], told["level"]) == ("burn", "critical")
    listener.signal(signal.SIGKILL)
    listener.process.wait()
    listener.start(**environment)
    again = listener.wait_for(lambda state: any(one["id"] == "burn" for one in state["alerts"]))
    listener.wait_for(lambda state: state["written_at"] >= again["written_at"] + 2)  # two ticks and more
    assert len(out.read_text().splitlines()) == 1


def test_a_hanging_command_delays_no_tick_and_ends_with_the_listener(tmp_path, home, listener):
    from support.hosts import Claude

    settings = tmp_path / "config.toml"
    settings.write_text(
        f"[alerts]\n{LOW}[notify]\ncommand = \"echo $$ > '{tmp_path}/pid'; exec sleep 600\"\n"
    )
    claude = Claude(tmp_path)
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root, AITOP_CONFIG=str(settings))
    state = listener.wait_for(lambda state: any(one["id"] == "burn" for one in state["alerts"]))
    (pid,) = lines_of(tmp_path / "pid")
    listener.wait_for(lambda one: one["written_at"] >= state["written_at"] + 3)
    assert listener.end() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


@pytest.mark.parametrize(("knows_actions", "clicked"), [(True, True), (True, False), (False, False)])
def test_a_click_on_a_notification_goes_to_its_session(tmp_path, knows_actions, clicked):
    program, front = tmp_path / "notify-send", tmp_path / "aitop"
    refuse = "" if knows_actions else "case $1 in --action=*) exit 1 ;; esac\n"
    program.write_text(
        f'#!/bin/sh\n{refuse}echo "$@" >>"{tmp_path}/said"\n{"echo default" if clicked else ""}\n'
    )
    front.write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/jumped"\n')
    for file in (program, front):
        file.chmod(0o755)
    words = channels.desktop(alert("waiting:5f0c-77", "warning", "shop waits"), "linux").arguments
    words[4] = str(front)
    subprocess.run(
        words,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    assert (tmp_path / "said").read_text().rstrip().endswith("-- aitop: warning shop waits")
    assert (tmp_path / "jumped").exists() is clicked
    if clicked:
        assert (tmp_path / "jumped").read_text() == "jump 5f0c-77\n"


def test_a_session_that_waits_again_is_told_after_five_minutes_not_after_the_quiet_time():
    person = Person()
    waits = [Alert("waiting:s1", "warning", "shop: waits for you", NOW, cause=str(n)) for n in (1, 2, 3)]
    assert len(person.told(waits[0], now=NOW)) == 1
    assert person.told(waits[1], now=NOW + 200) == []
    assert len(person.told(waits[2], now=NOW + 301)) == 1


def test_good_news_is_told_where_warnings_are():
    back = Alert("limit-back:codex//weekly", "ok", "weekly limit is back", NOW, cause="1790000000")
    assert memory.decide(Memory({}), [back], "warning", (), QUIET, NOW)[0] == [back]
    assert memory.decide(Memory({}), [back], "critical", (), QUIET, NOW)[0] == []
