"""Reading histories: the first time beside others, later starts, a new line, and doing nothing."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from platform import machine

from benchmarks import history, homes
from benchmarks.harness import PYTHON, Row, pairs, run

TMP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results", "tmp")


def ccusage():
    """The native binary of ccusage and its version, installed with npm; (None, why not) without."""
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform)
    chip = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(machine().lower())
    package = f"@ccusage/ccusage-{system}-{chip}"
    binary = os.path.join(TMP, "node_modules", package, "bin", "ccusage")
    if not os.path.exists(binary):
        if not shutil.which("npm"):
            return None, "npm is not installed"
        os.makedirs(TMP, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix",
                               TMP, package], capture_output=True, text=True, check=False)  # fmt: skip
        if done.returncode or not os.path.exists(binary):
            return None, "npm could not install it"
    os.chmod(binary, 0o755)
    return binary, subprocess.run(
        [binary, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()


def histories(megabytes, times, quick):
    """The rows that need a large history, which is made once."""
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        truth = history.make(claude, megabytes)
        base = os.path.join(home, "aitop")
        os.makedirs(base)
        yield from _first_read(base, claude, truth, times)
        yield from _warm_start(base, claude, truth, 3 if quick else 9)


def _first_read(home, claude, truth, times):
    env = homes.environment(home, claude)
    out = os.path.join(os.path.dirname(home), "report.json")

    def aitop():
        homes.clear(home)
        return run([PYTHON, "-m", "aitop", "report", "models", "--json"], env, stdout=out, cwd=homes.HERE)

    bare = [PYTHON, os.path.join(os.path.dirname(os.path.abspath(__file__)), "bare_loop.py"), claude]
    binary, version = ccusage()
    other = [binary, "daily", "--json", "--offline"] if binary else bare
    ours, theirs, floors = [], [], []
    for _ in range(times):
        first, second = pairs(aitop, lambda: run(other, env), 1, warm=0)
        ours, theirs = ours + first, theirs + second
        floors.append(run(bare, env))
    took, yours, floor = (statistics.median(r.wall for r in runs) for runs in (ours, theirs, floors))
    with open(out) as file:
        models = json.load(file)
    counted = sum(model["requests"] for model in models)
    right = counted == truth["responses"] and sum(m["output_tokens"] for m in models) == truth["output"]
    size = f"{truth['bytes'] / 1e6:.0f} MB, {truth['files']} files"
    values = {
        "seconds": took, "ccusage_seconds": yours if binary else None, "bare_seconds": floor,
        "megabytes": truth["bytes"] / 1e6, "responses": counted, "truth": truth,
        "rss_mb": max(r.rss for r in ours) / 1e6, "ccusage": version,
        "ccusage_rss_mb": max(r.rss for r in theirs) / 1e6 if binary else None,
        "cpu_seconds": statistics.median(r.cpu for r in ours),
    }  # fmt: skip
    said = f"{took:.2f} s, {max(r.rss for r in ours) / 1e6:.0f} MB resident, {counted:,} responses" + (
        "" if right else ": WRONG COUNT"
    )
    if binary:
        yield Row(f"first read of {size}", f"faster than {version}", said,
                  f"{yours:.2f} s {version}, {max(r.rss for r in theirs) / 1e6:.0f} MB", took / yours,
                  took < yours and right, values=values)  # fmt: skip
    else:
        yield Row(
            f"first read of {size}",
            "faster than ccusage",
            said,
            note=f"ccusage not measured: {version}",
            values=values,
        )
    yield Row("the same beside a bare Python loop", "for comparison", f"{took:.2f} s", f"{floor:.2f} s bare loop, "
              f"{max(r.rss for r in floors) / 1e6:.0f} MB", took / floor)  # fmt: skip


def _warm_start(home, claude, truth, times):
    """From the start of the process to the first state of its own."""
    found = []
    for _ in range(times):
        with homes.listening(home, claude) as listener:
            found.append(listener.until(bool, every=0.001)[1])
    took = statistics.median(found)
    size = os.path.getsize(os.path.join(home, "history.db")) / 1e6
    yield Row(f"later start to the first fresh state, {truth['responses']:,} responses known", "≤ 0.3 s",
              f"{took:.3f} s (worst {max(found):.3f} s)", within=took <= 0.3,
              values={"seconds": found, "history_mb": size})  # fmt: skip


def new_line(times):
    """A line at the end of a 30 MB transcript until `state.json` shows it."""
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        writer = history.Writer()
        path = None
        while not path or os.path.getsize(path) < 30_000_000:
            path = writer.session(os.path.join(claude, "projects"), 1, 12_000, time.time(), 60)
            if os.path.getsize(path) < 30_000_000:
                writer = history.Writer(writer.random.random())
                path = _longer(path, writer)
        with homes.listening(home, claude) as listener:
            listener.until(lambda state: state["scan"]["complete"] and state["since_start"] is not None)
            time.sleep(2)
            for hooked in (False, True):
                yield _seen(listener, home, path, hooked, times)


def _longer(path, writer):
    """Make one transcript larger than 30 MB by adding tool output to it."""
    with open(path, "a") as file:
        number = 0
        while file.tell() < 30_500_000:
            common = {
                "isSidechain": False,
                "sessionId": os.path.basename(path)[:36],
                "version": "2.1.219",
                "cwd": "/p",
            }
            file.write(
                writer.line(
                    common,
                    "attachment",
                    f"filler{number}",
                    time.time() - 60,
                    attachment={"content": writer.text()},
                )
            )
            number += 1
    return path


def _seen(listener, home, path, hooked, times):
    waits, read, written = [], [], []
    for number in range(times):
        time.sleep(0.137 * (number % 7))  # anywhere between two ticks
        before = homes.state(home)["today"]["requests"]
        used = listener.account()
        name = f"new_{int(hooked)}_{number}"
        writer = history.Writer(number)
        common = {
            "isSidechain": False,
            "sessionId": os.path.basename(path)[:36],
            "version": "2.1.219",
            "cwd": "/p",
        }
        usage = {
            "input_tokens": 3,
            "output_tokens": 50,
            "cache_read_input_tokens": 9000,
            "cache_creation_input_tokens": 10,
        }
        message = {"id": f"msg_{name}", "role": "assistant", "model": history.MODELS[0], "content": [],
                   "stop_reason": "end_turn", "usage": usage}  # fmt: skip
        line = writer.line(common, "assistant", name, time.time(), requestId=f"req_{name}", message=message)
        with open(path, "a") as file:
            file.write(line)
        written.append(len(line))
        if hooked:
            _send_stop(home, path)
        waits.append(listener.until(lambda state, n=before: state["today"]["requests"] > n, 30)[1])
        if used:
            read.append(listener.account()[2] - used[2])
    how = "after a hook" if hooked else "without a hook"
    more = (
        f"; {statistics.median(read) / 1000:.0f} KB read meanwhile for a line of {written[0]} bytes"
        if read
        else ""
    )
    return Row(f"new line in a {os.path.getsize(path) / 1e6:.0f} MB transcript to `state.json`, {how}", "≤ 1.2 s",
               f"median {statistics.median(waits):.2f} s, worst {max(waits):.2f} s{more}", within=max(waits) <= 1.2,
               values={"seconds": waits, "bytes_read": read})  # fmt: skip


def _send_stop(home, path):
    import socket

    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(os.path.join(home, "claudecode.sock"))
        payload = {
            "hook_event_name": "Stop",
            "session_id": os.path.basename(path)[:36],
            "transcript_path": path,
        }
        peer.sendall(b"aitop/1\tprovider=claude-code\tevent=Stop\n" + json.dumps(payload).encode())


def idle(seconds, files=2_000):
    """A listener with many transcripts and nothing to do."""
    with homes.folder() as home:
        claude = os.path.join(home, "claude")
        history.make(claude, 0, files=files)
        with homes.listening(home, claude) as listener:
            listener.until(lambda state: state["scan"]["complete"])
            time.sleep(3)
            before = listener.account()
            if before is None:
                yield Row(
                    f"idle listener, {files:,} transcripts",
                    "≤ 0.5 % of a core, ≤ 40 MB",
                    "not measured: no /proc here",
                )
                return
            began = time.perf_counter()
            time.sleep(seconds)
            after = listener.account()
            share = (after[0] - before[0]) / (time.perf_counter() - began) * 100
            resident = after[1] / 1e6
            yield Row(f"idle listener, {files:,} transcripts, {seconds} s", "≤ 0.5 % of a core, ≤ 40 MB",
                      f"{share:.2f} %, {resident:.1f} MB resident", within=share <= 0.5 and resident <= 40,
                      values={"percent": share, "rss_mb": resident})  # fmt: skip
