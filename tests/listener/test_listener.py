"""The real listener, as a process: what it publishes, that nothing stops it, and that nothing counts twice."""

import errno
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT, left_over
from support.lines import (
    OTHER,
    SESSION,
    append,
    assistant,
    attempt,
    compact,
    cost_state,
    encode,
    gave_up,
    result,
    transcript,
    usage,
    use,
    user,
)

from aitop import paths
from aitop.hook import KEPT
from aitop.listener import lifecycle

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def claude(tmp_path):
    """The folder that Claude Code would use: `~/.claude`."""
    return str(tmp_path / "user" / ".claude")


def aitop(*words, **more):
    environ = os.environ | {"PYTHONPATH": ROOT} | more
    return subprocess.run(
        [sys.executable, "-m", "aitop", *words], env=environ, capture_output=True, text=True, timeout=30
    )


def recent(ago=5.0):
    return time.time() - ago


def hook(name, **more):
    return {"session_id": SESSION, "hook_event_name": name, "cwd": "/work/shop"} | more


def day(session=SESSION, ago=5.0):
    """A short day of one session: three responses, a tool that worked, one that failed, an error, a compaction."""
    at = recent(ago)
    return [
        user(at=at, session=session),
        attempt("1", at, session),
        assistant(
            "a",
            at,
            usage=usage(50, 10, 2000, 300),
            content=[use("t1"), use("t2", "Read")],
            stop="tool_use",
            request_id="ra",
            session=session,
        ),
        result("t1", at + 0.5, session=session),
        result("t2", at + 0.7, failed=True, session=session),
        assistant("b", at + 1, usage=usage(70, 10, 2300, 0), request_id="rb", session=session),
        gave_up(f"x-{session}", at + 2, session=session),
        compact(f"c-{session}", at + 2, session=session),
        assistant("c", at + 3, model="claude-opus-99", request_id="rc", session=session),
        cost_state(9.0, session=session),
    ]


# -- the contract ----------------------------------------------------------------------------------------------------

NUMBER, MAYBE = (int, float), (int, float, type(None))
TEXT, PERHAPS = str, (str, type(None))
SUM = dict.fromkeys(
    ("requests", "errors", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "tool_calls",
     "tool_failures", "unpriced_requests", "estimated_requests", "incomplete_requests", "understated_requests"), int,
) | {"error_rate": MAYBE, "cost_usd": NUMBER}  # fmt: skip
WINDOW = SUM | {"requests_per_minute": NUMBER, "tokens_per_minute": NUMBER, "cache_hit_rate": MAYBE,
                "cost_usd_per_hour": NUMBER}  # fmt: skip
ONE_SESSION = {
    "id": TEXT, "provider": TEXT, "project": TEXT, "cwd": TEXT, "branch": PERHAPS, "model": TEXT, "tag": PERHAPS,
    "pid": (int, type(None)), "status": TEXT, "started_at": NUMBER, "last_activity_at": NUMBER, "requests": int,
    "input_tokens": int, "output_tokens": int, "cache_read_tokens": int, "cache_write_tokens": int, "cost_usd": NUMBER,
    "client_cost_usd": MAYBE, "untracked_usd": MAYBE, "context_tokens": int, "context_limit": int, "compactions": int,
    "tool_calls": int, "errors": int, "stop_reasons": dict, "subagents": int, "title": PERHAPS, "pane": PERHAPS,
    "context_percent": MAYBE, "understated": bool,
}  # fmt: skip
STATE = {
    "version": int,
    "written_at": float,
    "host": TEXT,
    "listener": {"pid": int, "started_at": float, "version": TEXT},
    "providers": [TEXT],
    "active_sessions": int,
    "windows": {"1m": WINDOW, "5m": WINDOW, "15m": WINDOW},
    "since_start": SUM,
    "today": SUM,
    "week": SUM,
    "month": SUM,
    "sessions": [ONE_SESSION],
    "context": {"tokens": int, "limit": int, "percent": NUMBER, "session": TEXT},
    "compactions": int,
    "stop_reasons": dict,
    "tools": {"Bash": {"calls": int, "failures": int, "p50_ms": MAYBE, "p95_ms": MAYBE}},
    "limits": [
        {
            "provider": TEXT,
            "account": PERHAPS,
            "name": TEXT,
            "window_minutes": int,
            "used_percent": NUMBER,
            "resets_at": NUMBER,
            "source": TEXT,
            "seen_at": NUMBER,
        }
    ],
    "budgets": list,
    "forecast": dict,
    "alerts": [{"id": TEXT, "level": TEXT, "text": TEXT, "since": NUMBER}],
    "level": TEXT,
    "sparklines": {"cost_usd": [NUMBER], "tokens": [int]},
    "prices": {
        "as_of": TEXT,
        "source": TEXT,
        "stale": bool,
        "unpriced_models": [TEXT],
        "estimated_models": [TEXT],
    },
    "hooks": {"received": int, "unique": int, "rejected": int, "by_event": {"Stop": int}},
    "scan": {"done_bytes": int, "total_bytes": int, "complete": bool},
    "display": {
        "billing": TEXT,
        "symbol": TEXT,
        "rate": NUMBER,
        "preset": TEXT,
        "levels": {"burn": [NUMBER], "context": [NUMBER], "limit": [NUMBER], "cache_hit": NUMBER},
    },
}


def wrong(value, shape, where="state"):
    """Every place where a value is not of its contract's shape."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is no object"]
        missing = [f"{where}.{key} is missing" for key in shape if key not in value]
        return missing + [
            w for key in shape if key in value for w in wrong(value[key], shape[key], f"{where}.{key}")
        ]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [w for n, item in enumerate(value) for w in wrong(item, shape[0], f"{where}[{n}]")]
    if isinstance(value, bool) and shape is not bool:
        return [f"{where}: {value!r}"]
    return [] if isinstance(value, shape) else [f"{where}: {value!r}"]


def status_line():
    return {"session_id": SESSION, "workspace": {"project_dir": "/work/shop"}, "cost": {"total_cost_usd": 9.5},
            "rate_limits": {"five_hour": {"used_percentage": 42.0, "resets_at": time.time() + 3600}}}  # fmt: skip


def test_the_state_keeps_its_contract_and_tells_the_truth(listener, claude):
    transcript(claude, day())
    listener.start()
    listener.send(status_line())
    listener.send(hook("Stop"))
    state = listener.wait_for(lambda s: s["hooks"]["unique"] and s["limits"] and s["today"]["requests"] == 3)
    assert wrong(state, STATE) == []
    assert (state["version"], state["scan"]["complete"]) == (1, True)
    for period in ("today", "week", "month"):
        total = state[period]
        assert (total["requests"], total["errors"], total["tool_calls"], total["tool_failures"]) == (
            3,
            1,
            2,
            1,
        )
        assert (total["error_rate"], total["estimated_requests"]) == (0.25, 1)
    window = state["windows"]["1m"]
    assert (window["requests"], window["input_tokens"], window["output_tokens"]) == (3, 4630, 170)
    assert window["cache_hit_rate"] == 4300 / 4630
    assert window["cost_usd_per_hour"] == pytest.approx(window["cost_usd"] * 60)
    assert window["tokens_per_minute"] == 4800
    (session,) = state["sessions"]
    assert (session["id"], session["project"], session["branch"]) == (SESSION, "shop", "main")
    assert (session["requests"], session["compactions"], session["client_cost_usd"]) == (3, 1, 9.5)
    assert session["untracked_usd"] == pytest.approx(9.5 - session["cost_usd"])
    assert state["stop_reasons"] == session["stop_reasons"] == {"end_turn": 2, "tool_use": 1}
    assert state["tools"]["Bash"]["p50_ms"] == pytest.approx(500, abs=2)
    assert state["context"]["session"] == SESSION
    assert (len(state["sparklines"]["cost_usd"]), len(state["sparklines"]["tokens"])) == (60, 60)
    assert sum(state["sparklines"]["cost_usd"]) == pytest.approx(state["today"]["cost_usd"])
    assert state["prices"]["estimated_models"] == ["claude-opus-99"]
    assert state["display"]["billing"] == "subscription"
    assert state["hooks"]["by_event"] == {"Stop": 1}


def test_without_anything_the_state_is_whole_too(listener):
    state = listener.start().wait_for(lambda s: s["scan"]["complete"])
    assert wrong(state, STATE | {"context": type(None), "tools": dict, "hooks": dict}) == []
    assert (state["context"], state["level"], state["windows"]["1m"]["error_rate"]) == (None, "ok", None)


# -- seeing changes --------------------------------------------------------------------------------------------------


def test_a_new_line_is_seen_without_any_hook(listener, claude):
    path = transcript(claude, [assistant(at=recent())])
    listener.start().wait_for(lambda s: s["today"]["requests"] == 1)
    append(path, assistant("m2", recent(0), request_id="r2"))
    listener.wait_for(lambda s: s["today"]["requests"] == 2)


def test_folders_made_after_the_start_are_seen_without_any_hook(listener, claude):
    listener.start().wait_for(lambda s: s["scan"]["complete"])
    transcript(claude, [assistant(at=recent())])
    listener.wait_for(lambda s: s["today"]["requests"] == 1)
    transcript(claude, [assistant("m2", recent(0), request_id="r2")], session=OTHER, slug="-new")
    listener.wait_for(lambda s: s["today"]["requests"] == 2)
    append(transcript(claude, agent="a1"), assistant("m3", recent(0), request_id="r3"))
    listener.wait_for(lambda s: s["today"]["requests"] == 3)


def test_half_a_line_waits_for_its_other_half(listener, claude):
    path = transcript(claude, [assistant(at=recent())])
    line = encode([assistant("m2", recent(0), request_id="r2")])
    listener.start().wait_for(lambda s: s["today"]["requests"] == 1)
    append(path, line[:100])
    listener.send(hook("Stop", transcript_path=path))
    state = listener.wait_for(lambda s: s["hooks"]["received"] == 1)
    assert (state["today"]["requests"], state["doctor"]["bad_lines"]) == (1, 0)
    append(path, line[100:])
    listener.wait_for(lambda s: s["today"]["requests"] == 2 and s["doctor"]["bad_lines"] == 0)


def test_what_is_written_a_moment_after_the_stop_hook_is_read(listener, claude):
    path = transcript(claude, [assistant(at=recent())])
    listener.start().wait_for(lambda s: s["today"]["requests"] == 1)
    listener.send(hook("Stop", transcript_path=path))
    time.sleep(0.3)
    append(path, assistant("m2", recent(0), request_id="r2"))
    listener.wait_for(lambda s: s["today"]["requests"] == 2 and s["hooks"]["received"] == 1)


def test_a_fork_adds_nothing_and_a_growing_response_ends_at_its_last_value(listener, claude):
    at = recent(20)
    path = transcript(claude, [user(at=at), assistant("a", at, usage=usage(1), stop=None)])
    listener.start().wait_for(lambda s: s["today"]["output_tokens"] == 1)
    for output, stop in ((40, None), (900, "end_turn")):
        append(path, assistant("a", at + 1, usage=usage(output), stop=stop))
        listener.wait_for(lambda s, output=output: s["today"]["output_tokens"] == output)
    fork = [
        user(at=at, session=OTHER),
        assistant("a", at, usage=usage(900), session=OTHER, requestSessionId=SESSION),
    ]
    transcript(claude, [*fork, assistant("n", recent(0), request_id="rn", session=OTHER)], session=OTHER)
    state = listener.wait_for(lambda s: s["today"]["requests"] == 2)
    assert state["today"]["output_tokens"] == state["windows"]["1m"]["output_tokens"] == 950
    assert {s["id"]: s["requests"] for s in state["sessions"]} == {SESSION: 1, OTHER: 1}


# -- coming and going ------------------------------------------------------------------------------------------------


def test_killed_at_any_moment_it_loses_nothing_and_counts_nothing_twice(listener, claude, tmp_path):
    chance = random.Random(7)
    sessions = [f"{n:08d}-2222-4333-8444-555555555555" for n in range(4)]
    files = [transcript(claude, [user(at=recent(), session=s)], session=s) for s in sessions]
    done = threading.Event()
    written = []

    def write():
        number = 0
        while not done.wait(0.004):
            which = number % 4
            at = recent(0)
            append(files[which], assistant(f"m{number}", at, request_id=f"r{number}", usage=usage(1), stop=None,
                                           session=sessions[which], content=[use(f"t{number}")]))  # fmt: skip
            append(files[which], assistant(f"m{number}", at, request_id=f"r{number}", usage=usage(7), stop="tool_use",
                                           session=sessions[which]), result(f"t{number}", at))  # fmt: skip
            if number % 5 == 4:
                append(files[0], assistant(f"m{number - 1}", at, request_id=f"r{number - 1}", usage=usage(7),
                                           session=sessions[0], requestSessionId=sessions[3]))  # fmt: skip
            written.append(number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            listener.start(wait=False)
            time.sleep(chance.uniform(0.05, 0.55))
            listener.end(signal.SIGKILL)
    finally:
        done.set()
        writer.join()
    count = len(written)
    state = listener.start().wait_for(
        lambda s: s["today"]["requests"] == count and s["today"]["tool_calls"] == count
    )
    assert state["today"]["output_tokens"] == 7 * count
    assert listener.end() == 0
    with sqlite3.connect(os.path.join(listener.home, "history.db")) as db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
    db.close()
    kept, fresh = (json.loads(aitop("report", "sessions", "--json", AITOP_HOME=h).stdout)
                   for h in (listener.home, str(tmp_path / "fresh")))  # fmt: skip
    assert {row["session"]: numbers(row) for row in kept} == {row["session"]: numbers(row) for row in fresh}
    assert len(kept) == 4


def numbers(row):
    return {key: value for key, value in row.items() if isinstance(value, int) and key != "pid"} | {
        "cost": row["cost_usd"]
    }


def test_of_listeners_that_start_together_one_stays(listener):
    for _ in range(4):
        listener.start(wait=False)
    deadline = time.monotonic() + 10
    while sum(p.poll() is None for p in listener.started) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    alive = [p for p in listener.started if p.poll() is None]
    assert len(alive) == 1
    assert {p.returncode for p in listener.started if p not in alive} == {1}
    assert "another listener runs" in listener.output()
    listener.process = alive[0]
    listener.wait_for(lambda s: s["listener"]["pid"] == alive[0].pid)
    listener.send(hook("Stop"))
    listener.wait_for(lambda s: s["hooks"]["unique"] == 1)


def test_after_an_upgrade_it_starts_anew_in_the_same_process_and_loses_nothing(listener, claude, tmp_path):
    path = transcript(claude, [assistant(at=recent())])
    shutil.copytree(os.path.join(ROOT, "aitop"), tmp_path / "installed" / "aitop")
    maintenance = tmp_path / "installed" / "aitop" / "listener" / "maintenance.py"
    maintenance.write_text(maintenance.read_text().replace("LOOK_SECONDS = 10.0", "LOOK_SECONDS = 0.2"))
    listener.start(PYTHONPATH=str(tmp_path / "installed"), PYTHONSAFEPATH="1")
    pid, before = listener.pid, listener.wait_for(lambda s: s["today"]["requests"] == 1)
    init = tmp_path / "installed" / "aitop" / "__init__.py"
    text, old = init.read_text(), before["listener"]["version"]
    init.write_text(text.replace(f'"{old}"', '"99.0"'))
    append(path, assistant("m2", recent(0), request_id="r2"))
    after = listener.wait_for(lambda s: s["listener"]["version"] == "99.0")
    assert after["listener"]["pid"] == pid
    assert after["listener"]["started_at"] > before["listener"]["started_at"]
    listener.wait_for(lambda s: s["today"]["requests"] == 2)


def test_sigterm_writes_down_what_is_known_and_clears_the_displays(listener):
    listener.start(AITOP_LOG_LEVEL="debug")
    assert os.listdir(os.path.join(listener.home, "segments"))
    listener.send(hook("PostToolUse", tool_use_id="t1", tool_name="Bash", duration_ms=41))
    listener.wait_log("claude-code: PostToolUse")
    assert listener.end() == 0
    assert not os.path.exists(os.path.join(listener.home, "claudecode.sock"))
    assert os.listdir(os.path.join(listener.home, "segments")) == []
    state = listener.start().wait_for(lambda s: s["today"]["tool_calls"] == 1)
    assert state["tools"]["Bash"]["p50_ms"] == 41


def test_a_restart_goes_on_with_the_windows_of_before(listener, claude):
    transcript(claude, day())
    before = listener.start().wait_for(lambda s: s["today"]["requests"] == 3)
    listener.end()
    os.rename(claude, claude + ".gone")  # the history alone has to know
    after = listener.start().wait_for(lambda s: s["scan"]["complete"])
    for name in ("5m", "15m"):
        assert after["windows"][name] == before["windows"][name]
    assert {k: after[k] for k in ("today", "week", "month")} == {
        k: before[k] for k in ("today", "week", "month")
    }
    assert after["since_start"]["requests"] == 0
    assert after["sparklines"] == before["sparklines"] or sum(after["sparklines"]["tokens"]) == sum(
        before["sparklines"]["tokens"]
    )
    for key in ("tools", "stop_reasons", "compactions"):
        assert after[key] == before[key]
    assert after["sessions"][0]["cost_usd"] == before["sessions"][0]["cost_usd"]


def test_sighup_reads_the_configuration_again_and_a_broken_one_changes_nothing(listener, tmp_path, claude):
    path = tmp_path / "config.toml"
    path.write_text('preset = "cost"\n')
    listener.start(AITOP_CONFIG=str(path)).wait_for(lambda s: s["display"]["preset"] == "cost")
    path.write_text(
        f'preset = "burn"\n[claude]\nconfig_dirs = ["{claude}-more"]\n[segments.mine]\ndisplay = "plain"\n'
    )
    transcript(claude + "-more", [assistant(at=recent())])
    listener.signal(signal.SIGHUP)
    listener.wait_for(lambda s: s["display"]["preset"] == "burn" and s["today"]["requests"] == 1)
    assert "mine" in os.listdir(os.path.join(listener.home, "segments"))
    path.write_text('presets = "full"\n')
    listener.signal(signal.SIGHUP)
    state = listener.wait_for(lambda s: s["doctor"]["config_error"])
    assert f"{path}:1: presets: unknown key" in state["doctor"]["config_error"]
    assert state["display"]["preset"] == "burn"
    path.write_text('preset = "full"\n')
    listener.signal(signal.SIGHUP)
    listener.wait_for(lambda s: s["display"]["preset"] == "full" and s["doctor"]["config_error"] is None)


def test_sighup_during_the_first_reading_loses_nothing(listener, claude):
    for number in range(8):
        session = f"{number:08d}-2222-4333-8444-555555555555"
        lines = encode(
            [
                assistant(f"m{number}-{n}", recent(), request_id=f"r{number}-{n}", session=session)
                for n in range(50)
            ]
        )
        path = transcript(claude, [lines], session=session)
        filler = b'{"type":"attachment","x":"' + b"y" * 100_000 + b'"}\n'
        append(
            path,
            *[filler] * 20,
            encode([assistant(f"z{number}", recent(), request_id=f"z{number}", session=session)]),
        )
    listener.start(read=False)
    for _ in range(5):
        listener.signal(signal.SIGHUP)
        time.sleep(0.15)
    listener.wait_for(lambda s: s["scan"]["complete"] and s["today"]["requests"] == 8 * 51)


def test_a_home_on_a_wrong_configuration_starts_with_the_defaults(listener, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("nonsense = 1\n")
    state = listener.start(AITOP_CONFIG=str(path)).wait_for(lambda s: s["doctor"]["config_error"])
    assert state["display"]["preset"] == "full"
    assert f"config    not in force: {path}:1: nonsense: unknown key" in aitop("status").stdout


def test_a_newer_history_is_refused_in_plain_words(listener):
    with sqlite3.connect(os.path.join(listener.home, "history.db")) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    listener.start(wait=False)
    assert listener.process.wait(30) == 1
    assert "Upgrade this copy" in listener.output()
    assert "Traceback" not in listener.output()


# -- many and hostile ------------------------------------------------------------------------------------------------


def test_ten_thousand_events_from_eight_writers_all_count(listener):
    listener.start()

    def write(part):
        for number in range(part, 10_000, 8):
            listener.send(
                hook("PostToolUse", tool_use_id=f"t{number}", tool_name="Bash", duration_ms=number % 50)
            )

    writers = [threading.Thread(target=write, args=(part,)) for part in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    state = listener.wait_for(lambda s: s["hooks"]["unique"] == 10_000 and s["today"]["tool_calls"] == 10_000)
    assert (state["hooks"]["received"], state["hooks"]["rejected"]) == (10_000, 0)
    assert state["windows"]["15m"]["tool_calls"] == 10_000


def test_nothing_a_client_says_or_writes_can_end_it(listener, claude):
    listener.start()
    root = os.path.join(claude, "projects", "-w")
    os.makedirs(root)
    os.mkfifo(os.path.join(root, "pipe.jsonl"))
    os.symlink("/dev/zero", os.path.join(root, "zero.jsonl"))
    with open(os.path.join(os.fsencode(root), b"\xff.jsonl"), "wb") as file:
        file.write(encode([assistant()]))
    odd = [
        "/tmp/\0x.jsonl",
        f"{root}/\0.jsonl",
        "\udcff",
        "/" * 5000,
        f"{root}/pipe.jsonl",
        "/dev/zero",
        "",
        root,
    ]
    for path in odd:
        listener.send(json.dumps(hook("Stop", transcript_path=path)).encode("utf-8", "surrogatepass"))
    for payload in (b"\xff" * 1000, b"[" * 50_000, b'{"session_id":"\\ud800","hook_event_name":"Stop"}',
                    json.dumps(hook("\0", tool_name="\0" * 300, tool_use_id="\n", cwd="\x1b[2J")).encode(),
                    json.dumps(hook("PostToolUse", tool_use_id="x", duration_ms=1e300)).encode()):  # fmt: skip
        listener.send(payload)
    most = usage(2**62, 2**62, 2**62, 2**62, server_tool_use={"web_search_requests": 2**62})
    transcript(
        claude,
        [assistant("huge", recent(), usage=most, request_id="h"), assistant(at=recent(0))],
        session=OTHER,
    )
    listener.send(hook("SessionStart", session_id="last"))
    state = listener.wait_for(
        lambda s: s["today"]["requests"] and any(x["id"] == "last" for x in s["sessions"])
    )
    assert state["today"]["output_tokens"] == 50
    assert "error" not in listener.log()


SECRET = "zebra-crossing-4711"


def test_no_text_of_a_conversation_reaches_any_file_of_ours(listener, claude):
    text = [
        {"type": "text", "text": SECRET},
        {"type": "thinking", "thinking": SECRET},
        use("t1", given=SECRET),
    ]
    lines = [
        user(SECRET, at=recent()), assistant(at=recent(), content=text, stop=None, requestedModel=SECRET),
        result("t1", recent(), content=SECRET, toolUseResult={"stdout": SECRET}), b"broken " + SECRET.encode() + b"\n",
        {"type": "ai-title", "title": SECRET}, {"type": "system", "subtype": "api_error", "error": SECRET, "uuid": "e"},
        {"type": "attachment", "content": SECRET},
    ]  # fmt: skip
    path = transcript(claude, lines)
    listener.start(AITOP_LOG_LEVEL="debug", ANTHROPIC_API_KEY=SECRET)
    for name in (
        "UserPromptSubmit",
        "PreToolUse",
        "PostToolUse",
        "PostToolUseFailure",
        "Stop",
        "StopFailure",
        "PostCompact",
        "Notification",
        "Elicitation",
        "MessageDisplay",
    ):
        private = dict.fromkeys(
            (
                "prompt",
                "last_assistant_message",
                "compact_summary",
                "message",
                "title",
                "error_details",
                "delta",
                "command_args",
            ),
            SECRET,
        )
        listener.send(
            hook(
                name,
                transcript_path=path,
                tool_use_id="t1",
                tool_name="Bash",
                tool_input={"command": SECRET},
                tool_response={"stdout": SECRET},
                **private,
            )
        )
    listener.send(b"aitop/1\tkey=" + SECRET.encode() + b"\n{}")
    listener.send(b"garbage " + SECRET.encode())
    listener.send(b'{"session_id":"' + SECRET.encode())
    listener.wait_for(lambda s: s["hooks"]["rejected"] == 3 and s["today"]["requests"] == 1)
    listener.end()
    seen = 0
    for folder, _, names in os.walk(listener.home):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert SECRET.encode() not in file.read(), name
            seen += 1
    assert seen >= 4


# -- the commands ----------------------------------------------------------------------------------------------------


@pytest.fixture
def detached(home):
    """Whatever `aitop start` began is ended."""
    pids = []
    yield pids
    for pid in pids:
        if left_over(pid):
            os.kill(pid, signal.SIGKILL)
            pytest.fail(f"the listener {pid} was left")


def pid_of(home):
    with open(os.path.join(home, "state.json"), "rb") as file:
        return json.loads(file.read())["listener"]["pid"]


@pytest.mark.slow
def test_start_status_and_stop_tell_what_is(home, detached):
    assert aitop("status").returncode == 3
    assert aitop("stop").stdout == "no listener was running\n"
    started = aitop("start")
    assert (started.returncode, started.stderr) == (0, "")
    pid = pid_of(home)
    detached.append(pid)
    assert f"(pid {pid})" in started.stdout
    again = aitop("start")
    assert (again.returncode, again.stdout) == (0, f"the listener runs already (pid {pid})\n")
    status = aitop("status")
    assert (status.returncode, "state     written" in status.stdout) == (0, True)
    while not (answer := json.loads(aitop("status", "--json").stdout))["scan"]["complete"]:
        time.sleep(0.05)  # its first reading may end after the start
    assert (answer["running"], answer["listener"]["pid"]) == (True, pid)
    second = aitop("listen", "--quiet")
    assert (second.returncode, "another listener runs" in second.stderr) == (1, True)
    stopped = aitop("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "the listener is stopped\n")
    assert left_over(pid) == []
    held = aitop("status")
    assert (held.returncode, "stopped by `aitop stop`" in held.stdout) == (3, True)


@pytest.mark.slow
def test_stopped_by_the_user_it_stays_stopped_until_the_user_starts_it(home, detached):
    aitop("stop")
    assert aitop("start", "--quiet", "--from-hook").returncode == 0
    assert not lifecycle.is_locked(home)
    assert aitop("start", "--quiet").returncode == 0
    detached.append(pid_of(home))
    assert not os.path.exists(os.path.join(home, paths.STOPPED))
    aitop("stop")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_detached_listener_knows_no_secret_and_holds_nothing_of_its_starter(home, detached, tmp_path):
    secrets = {
        "ANTHROPIC_API_KEY": SECRET,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "OLDPWD": "/x",
        "PYTHONSTARTUP": "/x",
    }
    (tmp_path / "held").write_text("")
    with open(tmp_path / "held") as held:
        os.set_inheritable(held.fileno(), True)
        found = subprocess.run(
            [sys.executable, "-m", "aitop", "start"],
            env=os.environ | secrets | {"PYTHONPATH": ROOT},
            capture_output=True,
            cwd=ROOT,
            timeout=30,
            close_fds=False,
        )
    assert found.returncode == 0, found.stderr
    pid = pid_of(home)
    detached.append(pid)
    with open(f"/proc/{pid}/environ", "rb") as file:
        names = {entry.partition(b"=")[0].decode() for entry in file.read().split(b"\0") if entry}
    allowed = set(KEPT)
    assert {
        name for name in names if name not in allowed and not name.startswith(("XDG_", "AITOP_"))
    } == set()
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert os.getsid(pid) == pid
    held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert str(tmp_path / "held") not in held
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
    aitop("stop")


@pytest.mark.slow
def test_a_hook_starts_the_listener_only_at_a_session_s_start_and_only_when_wanted(home, detached, tmp_path):
    def send(event, **more):
        environ = os.environ | {"PYTHONPATH": ROOT} | more
        subprocess.run(
            [sys.executable, "-m", "aitop", "hook", event], env=environ, input=b"{}", timeout=30, check=True
        )

    config = tmp_path / "c.toml"
    config.write_text("[listener]\nautostart = false\n")
    send("Stop")
    send("SessionStart", AITOP_CONFIG=str(config))
    time.sleep(0.5)
    assert not os.path.exists(os.path.join(home, "state.json"))
    send("SessionStart")
    deadline = time.monotonic() + 15
    while not os.path.exists(os.path.join(home, "state.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    detached.append(pid_of(home))
    aitop("stop")


def test_the_environment_of_a_hook_is_cut_to_what_a_listener_needs():
    given = {
        "HOME": "/h",
        "PATH": "/p",
        "LANG": "C",
        "TZ": "UTC",
        "XDG_RUNTIME_DIR": "/r",
        "AITOP_HOME": "/a",
        "LD_PRELOAD": "x",
        "ANTHROPIC_API_KEY": "x",
        "PYTHONPATH": "x",
        "CLAUDE_CONFIG_DIR": "/c",
        "SSH_AUTH_SOCK": "x",
    }
    kept = {"HOME", "PATH", "LANG", "TZ", "XDG_RUNTIME_DIR", "AITOP_HOME", "CLAUDE_CONFIG_DIR"}
    assert set(lifecycle.clean_environment(given)) == kept


def test_a_home_others_may_enter_is_closed_and_one_that_is_not_ours_is_refused(home, monkeypatch):
    os.chmod(home, 0o755)
    lifecycle.prepare_home(home)
    assert os.stat(home).st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(lifecycle.LifeError, match="belongs to another user"):
        lifecycle.prepare_home(home)


def test_a_home_that_cannot_be_closed_to_others_is_refused_in_plain_words(home, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    os.chmod(home, 0o755)
    monkeypatch.setattr(os, "chmod", refuse)
    with pytest.raises(lifecycle.LifeError, match="Read-only file system. Set AITOP_HOME"):
        lifecycle.prepare_home(home)


def test_a_home_on_a_network_file_system_is_refused_with_the_remedy(home, monkeypatch):
    monkeypatch.setattr(lifecycle, "file_system", lambda _: "nfs4")
    with pytest.raises(lifecycle.LifeError, match="Set AITOP_HOME to a local folder"):
        lifecycle.prepare_home(home)
