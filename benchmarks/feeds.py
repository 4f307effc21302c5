"""What the client waits for: a hook, a status line; and what a burst of hooks does to the listener."""

import json
import os
import shutil
import signal
import socket
import time

from aitop.install import scripts
from benchmarks import homes
from benchmarks.harness import BARE_PYTHON, Row, compared, missing

EVENTS, WRITERS = 10_000, 8
PAYLOAD = {"hook_event_name": "PostToolUse", "session_id": "be7c0000-0000-4000-8000-000000000001", "tool_name": "Bash",
           "tool_use_id": "toolu_1", "duration_ms": 40, "tool_response": "x" * 400}  # fmt: skip
STATUS = {"session_id": PAYLOAD["session_id"], "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
          "cost": {"total_cost_usd": 1.25}, "context_window": {"context_window_size": 200_000, "used_percentage": 31},
          "rate_limits": {"five_hour": {"used_percentage": 42, "resets_at": time.time() + 4000}}}  # fmt: skip


def hooks(effort):
    """The hook as `aitop install` writes it, with a reader on the socket, compared with the bare interpreters."""
    with homes.folder() as home:
        env = homes.environment(home)
        stdin = os.path.join(home, "payload")
        with open(stdin, "w") as file:
            json.dump(PAYLOAD, file)
        for kind in (scripts.PERL, scripts.PYTHON):
            yield _hook(kind, home, env, stdin, effort.times(150, 30))


def _hook(kind, home, env, stdin, times):
    what = f"`hook` as installed, {kind.title()}"
    budget, bound = ("≤ 4 ms", 4.0) if kind == scripts.PERL else ("≤ 1.5 × bare Python", None)
    perl, sh = shutil.which("perl"), shutil.which("sh")
    floors = {"bare Python": BARE_PYTHON, "`sh -c :`": [sh, "-c", ":"]}
    if kind == scripts.PERL:
        if perl is None:
            return missing(what, budget, "perl is not installed")
        floors = {"`perl -e 0`": [perl, "-e", "0"], **floors}
    hook, _ = homes.scripts_in(home, kind)
    with homes.reader(home):
        command = [hook, "PostToolUse"]
        return compared(what, budget, 1.5, command, floors, times, env, stdin=stdin, bound_ms=bound)


def status_line(effort):
    """Claude Code's status line as installed: answered by the listener, without one, and around a user's command."""
    times = effort.times(150, 30)
    with homes.folder() as home:
        env = homes.environment(home)
        stdin = os.path.join(home, "payload")
        with open(stdin, "w") as file:
            json.dump(STATUS, file)
        _, script = homes.scripts_in(home)
        bare = {"bare Python": BARE_PYTHON}
        with homes.listening(home) as listener:
            listener.until(bool)
            row = compared("`statusline` as installed, answered by the listener", "≤ 3.5 ms, ≤ 0.4 × bare Python",
                           0.4, [script], bare, times, env, stdin=stdin, bound_ms=3.5)  # fmt: skip
            yield row._replace(within=row.within and row.ratio <= 0.4)
            yield _wrapped(script, env, stdin, times)
            os.kill(listener.process.pid, signal.SIGSTOP)
            try:
                yield compared("`statusline` as installed, the listener hangs", "≤ 100 ms", 0, [script], bare,
                               effort.times(20, 3), env, stdin=stdin, bound_ms=100.0)  # fmt: skip
            finally:
                os.kill(listener.process.pid, signal.SIGCONT)
        yield compared("`statusline` as installed, no listener", "≤ 100 ms", 0, [script], bare, times, env,
                       stdin=stdin, bound_ms=100.0)  # fmt: skip


def _wrapped(script, env, stdin, times):
    """A user's own command behind the status line, compared with the same command alone."""
    command = "cat >/dev/null; echo mine"
    row = compared("`statusline -- COMMAND` as installed", "≤ 2 ms more than COMMAND alone", 0,
                   [script, "--", command], {"`sh -c COMMAND`": [shutil.which("sh"), "-c", command]}, times, env,
                   stdin=stdin)  # fmt: skip
    alone = row.values["floors_ms"]["`sh -c COMMAND`"]
    added = row.values["median_ms"] - alone
    return row._replace(measured=f"{added:+.2f} ms", within=added <= 2.0)


def burst(effort):
    """Send thousands of hook events at once: are all counted, and how old does the state get?"""
    events = effort.times(EVENTS, 2_000)
    with homes.folder() as home, homes.listening(home) as listener:
        listener.until(bool)
        os.makedirs(os.path.join(home, "sent"))
        began = time.perf_counter()
        writers = [_writer(home, number, events // WRITERS) for number in range(WRITERS)]
        oldest, found, sent = 0.0, None, None
        while time.perf_counter() - began < 60:
            found = homes.state(home)
            if found:
                oldest = max(oldest, time.time() - found["written_at"])
            if sent is None and all(_ended(pid) for pid in writers):
                sent = time.perf_counter() - began
            if sent and found and found["hooks"]["received"] >= events:
                break
            if sent and time.perf_counter() - began > sent + 10:
                break
            time.sleep(0.01)
        slowest = max(_noted(home, number) for number in range(WRITERS))
        unique, calls = found["hooks"]["unique"], found["windows"]["15m"]["tool_calls"]
        yield Row(f"burst of {events:,} hook events from {WRITERS} writers", "all counted, no tick over 0.5 s late",
                  f"{unique:,} events, {calls:,} tool calls; sent in {sent or 60:.2f} s; state at most {oldest:.2f} s "
                  f"old; slowest send {slowest * 1000:.0f} ms",
                  within=unique == calls == events and oldest <= 1.5,
                  values={"unique": unique, "tool_calls": calls, "seconds": sent, "oldest_state_s": oldest,
                          "slowest_send_ms": slowest * 1000})  # fmt: skip


def _noted(home, number):
    with open(os.path.join(home, "sent", str(number))) as file:
        return float(file.read())


def _ended(pid, gone=set()):  # noqa: B006 - remembers who has been waited for
    if pid not in gone and os.waitpid(pid, os.WNOHANG)[0]:
        gone.add(pid)
    return pid in gone


def _writer(home, number, events):
    """A process that sends its share as fast as it can, and records the time of its slowest send."""
    pid = os.fork()
    if pid:
        return pid
    slowest = 0.0
    try:
        head = b"aitop/1\tprovider=claude-code\tevent=PostToolUse\n"
        for event in range(events):
            payload = {
                **PAYLOAD,
                "tool_use_id": f"toolu_{number}_{event}",
                "session_id": f"{PAYLOAD['session_id'][:-1]}{number}",
            }
            began = time.perf_counter()
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(os.path.join(home, "claudecode.sock"))
            peer.sendall(head + json.dumps(payload).encode())
            peer.close()
            slowest = max(slowest, time.perf_counter() - began)
        with open(os.path.join(home, "sent", str(number)), "w") as file:
            file.write(str(slowest))
    finally:
        os._exit(0)
