"""The pages of `aitop web`: first paint, any span of History, and what the server costs while a tab looks on.

A real Chromium looks at the real server over a made-up year of two million responses. `--responses N,N` measures
other sizes; ten million take some minutes to make. The times of History are those of the page's own question, as the
browser saw it: the first time that a span is asked for and the median of the times after it; and, as a note, from the
click until the page is drawn. An hour of updates is played in some minutes:
the same 3,600 states, by a server that looks at the file fifty times a second instead of five.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import threading
import time

from benchmarks import homes
from benchmarks.client import Sessions, at_pace
from benchmarks.harness import PYTHON, Effort, Row, family, missing, resident
from benchmarks.ticks import watch
from benchmarks.year import Year

SIZES, QUICK_SIZES = (2_000_000,), (2_000,)
PAINT_BUDGET, SPAN_BUDGET, LIVE_BUDGET = "≤ 0.5 s", "≤ 0.3 s", "≤ 1.5 s"
SERVER_BUDGET, SIZE_BUDGET = "≤ 0.5 % of a core, ≤ 50 MB", "≤ 50 MB"
LOCK_BUDGET, LATE_BUDGET = "no lock over 100 ms", "no tick over 0.1 s later"
FLAT_BUDGET = "≤ 1 MB more"
TAB_SECONDS, QUICK_SECONDS = 60, 3
HOUR, QUICK_HOUR, UPDATES_A_SECOND = 3600, 60, 20
HOURS = {"now": 1, "timeline": 4, "limits": 4}  # which part of the hour each page is looked at
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
SESSIONS, RATE = 30, 5  # sessions at work; responses a second
SPANS = {
    "a day by model": "since=today&by=model", "a week by model": "since=7d&by=model",
    "a month by project": "since=30d&by=project", "90 days by project": "since=90d&by=project",
    "a year by model": "since=365d&by=model", "a year by project": "since=365d&by=project",
    "a year by branch, by week": "since=365d&by=branch&unit=week",
    "a year of one folder": "since=365d&by=model&project=/home/you/project-7",
}  # fmt: skip
QUESTIONS = (
    *(f"history?{query}" for query in SPANS.values()), "sessions?since=365d", "timeline", "rows",
    "rows?of=calls", "rows?of=errors", "commits", "backtest",
)  # fmt: skip
SLOWEST = "advice?since=365d"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
ASKED = """async (query) => {
  const began = performance.now();
  const answer = await fetch('/api/history?' + query);
  await answer.json();
  if (!answer.ok) throw new Error('the history was not answered from');
  return performance.now() - began;
}"""

DRAWN = """(query) => import('/static/js/main.js').then(({ go }) => new Promise((found) => {
  const began = performance.now();
  const look = () => {
    const page = document.querySelector('.history');
    if (!page || page.hasAttribute('aria-busy')) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => found(performance.now() - began)));
  };
  go('/history?' + query);
  look();
}))"""
ANSWERED = (
    "path => fetch('/api/' + path).then((answer) => answer.arrayBuffer()).then((body) => body.byteLength)"
)
SHOWN = """(wanted) => import('/static/js/live.js').then(({ live, watch }) => new Promise((found) => {
  const look = () => live.state.today.requests >= wanted && requestAnimationFrame(() => found(Date.now() / 1000));
  watch(look);
  look();
}))"""
ASK_ALL = """(paths) => void (async () => {
  for (let at = 0; ; at += 1) await fetch('/api/' + paths[at % paths.length]).then((answer) => answer.arrayBuffer());
})()"""
RECEIVED = "import('/static/js/live.js').then((module) => module.live.received)"
IN_HASTE = "import sys; from aitop.web import feed; feed.LOOK_SECONDS = 0.02; from aitop.__main__ import main; main()"


def pages(effort):
    """First paint, spans and sizes at each size of the history; then one tab beside a listener at work."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        yield missing("pages in a browser", PAINT_BUDGET, "Playwright is not installed")
        return
    chromium = shutil.which("chromium")
    if chromium is None:
        yield missing("pages in a browser", PAINT_BUDGET, "Chromium is not installed")
        return
    with homes.folder() as home, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        year = Year(os.path.join(home, "history.db"), time.time())
        for responses in _sizes_of(effort):
            year.grow(responses)
            year.settle()
            with serving(home) as (server, link):
                yield from _spans(browser, link, responses, effort.times(5, 1))
                yield from _sizes(browser, link, server, home, responses)
        year.close()
        yield from _with_a_tab(browser, home, effort)
        yield from _an_hour(browser, home, effort)
        browser.close()


def _sizes_of(effort):
    """How many responses the histories hold, rising: those asked for by hand, else the usual ones."""
    if effort.quick:
        return QUICK_SIZES
    return SIZES if effort.responses == Effort().responses else tuple(sorted(effort.responses))


def _spans(browser, link, responses, times):
    base = link.partition("/?")[0]
    page = browser.new_page()
    page.goto(link)
    painted = []
    for path in ("/now", "/history"):
        for _ in range(times):
            page.goto(base + path)
            while not (
                at := page.evaluate(PAINTED)
            ):  # the policy of the pages allows no function made of text
                time.sleep(0.02)
            painted.append((at / 1000, path))
    least, most = min(painted), max(painted)
    yield Row(f"first paint of a page, {responses:,} responses", PAINT_BUDGET,
              f"{least[0]:.2f} to {most[0]:.2f} s ({most[1]})", within=most[0] <= 0.5,
              values={"responses": responses, "seconds": [seconds for seconds, _ in painted]})  # fmt: skip
    first, again, drawn = {}, {}, {}
    for name, query in SPANS.items():
        first[name] = page.evaluate(ASKED, query) / 1000
        again[name] = statistics.median(page.evaluate(ASKED, query) for _ in range(times)) / 1000
        page.goto(base + "/limits")
        drawn[name] = page.evaluate(DRAWN, query) / 1000
    slowest, last = max(first, key=first.get), max(drawn, key=drawn.get)
    most = max(again, key=again.get)
    yield Row(f"any span of History, {responses:,} responses", SPAN_BUDGET,
              f"{first[slowest]:.2f} s the first time ({slowest}), {again[most]:.2f} s after it ({most})",
              within=max(first[slowest], again[most]) <= 0.3,
              note=f"drawn {drawn[last]:.2f} s after the click ({last})",
              values={"responses": responses, "first": first, "seconds": again, "drawn": drawn})  # fmt: skip
    page.close()


def _sizes(browser, link, server, home, responses):
    """The server's memory once every page was asked, and how long a writer waited meanwhile."""
    page = browser.new_page()
    page.goto(link)
    peak, waited, over = [0], [0.0], threading.Event()
    watchers = [
        threading.Thread(target=_watch_memory, args=(server.pid, peak, over)),
        threading.Thread(target=_write_meanwhile, args=(home, waited, over)),
    ]
    for watcher in watchers:
        watcher.start()
    try:
        for question in (*QUESTIONS, SLOWEST, QUESTIONS[0]):
            page.evaluate(ANSWERED, question)
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()
    page.close()
    size = resident(server.pid) / 1e6
    yield Row(f"`aitop web` after every question, {responses:,} responses", SIZE_BUDGET, f"{size:.0f} MB",
              within=size <= 50, values={"responses": responses, "rss_mb": size, "peak_mb": peak[0] / 1e6},
              note=f"with the process that answers, while it does: {peak[0] / 1e6:.0f} MB at most")  # fmt: skip
    yield Row(f"a writer while every question is asked, {responses:,} responses", LOCK_BUDGET,
              f"waited {waited[0] * 1000:.0f} ms at most", within=waited[0] <= 0.1,
              values={"responses": responses, "seconds": waited[0]})  # fmt: skip


def _watch_memory(pid, peak, over):
    while not over.wait(0.02):
        peak[0] = max(peak[0], sum(map(resident, family(pid))))


def _write_meanwhile(home, waited, over):
    """Take the history's write lock ten times a second, as the listener does at most once."""
    db = sqlite3.connect(os.path.join(home, "history.db"), isolation_level=None, timeout=30)
    while not over.wait(0.1):
        began = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        waited[0] = max(waited[0], time.perf_counter() - began)
        db.execute("UPDATE meta SET value = value WHERE 0")
        db.execute("COMMIT")
    db.close()


def _with_a_tab(browser, home, effort):
    """The server while a listener publishes new numbers each second and one tab shows them, after a walk around."""
    seconds = effort.times(TAB_SECONDS, QUICK_SECONDS)
    claude = os.path.join(home, "claude")
    sessions = Sessions(claude, SESSIONS)
    sessions.respond(SESSIONS, at=time.time() - 60)
    with homes.listening(home, claude) as listener, serving(home) as (server, link):
        listener.until(lambda state: state["scan"]["complete"])
        page = browser.new_page()
        page.goto(link)
        base = link.partition("/?")[0]
        for path in ("/history?since=365d&by=project", "/compare", "/now"):
            page.goto(base + path)
            page.wait_for_selector("main [aria-busy]", state="detached")
        page.wait_for_selector(".condition.live")
        yield _after_a_record(page, listener, sessions, effort.times(20, 3))
        with at_pace(sessions.respond, RATE, seconds * 3 + 20):
            time.sleep(2)
            alone = watch(listener, seconds)
            began, used = time.monotonic(), homes.account(server.pid)[0]
            time.sleep(seconds)
            share = (homes.account(server.pid)[0] - used) / (time.monotonic() - began)
            size = resident(server.pid) / 1e6
            other = browser.new_page()
            other.goto(link)
            other.evaluate(ASK_ALL, list(QUESTIONS))
            beside = watch(listener, seconds)
            other.close()
        page.close()
        time.sleep(2)
        began, used = time.monotonic(), homes.account(server.pid)[0]
        time.sleep(min(seconds, 20))
        idle = (homes.account(server.pid)[0] - used) / (time.monotonic() - began)
    yield Row("`aitop web` with one tab, new numbers each second", SERVER_BUDGET, f"{share:.2%}, {size:.0f} MB",
              within=share <= 0.005 and size <= 50, values={"share": share, "rss_mb": size})  # fmt: skip
    yield Row("`aitop web` with no tab", "no processor", f"{idle:.3%} of a core", within=idle <= 0.0005,
              values={"share": idle})  # fmt: skip
    if alone and beside:
        more = beside[2] - alone[2]
        yield Row("the listener while pages ask without a pause", LATE_BUDGET,
                  f"{beside[2] * 1000:.0f} ms late at worst, {alone[2] * 1000:.0f} ms without them",
                  within=more <= 0.1, values={"late_s": beside[2], "alone_s": alone[2]})  # fmt: skip


def _after_a_record(page, listener, sessions, times):
    """From the line in the transcript to the number on the page."""
    took = []
    for _ in range(times):
        state = homes.state(listener.home)
        wanted = state["today"]["requests"] + 1
        time.sleep(0.37)  # not in step with the ticks
        began = time.time()
        sessions.respond(1)
        took.append(page.evaluate(SHOWN, wanted) - began)
    return Row("from a new record to its number on the page", LIVE_BUDGET,
               f"{sorted(took)[len(took) // 2]:.2f} s, {max(took):.2f} s at most", within=max(took) <= 1.5,
               values={"seconds": took})  # fmt: skip


def _an_hour(browser, home, effort):
    """The memory of a page over an hour of updates: its objects after a tidying, before and after."""
    state = homes.state(home)
    for path, part in HOURS.items():
        updates = effort.times(HOUR, QUICK_HOUR) // part
        with serving(home, IN_HASTE) as (_, link):
            page = browser.new_page()
            page.goto(link)
            page.goto(f"{link.partition('/?')[0]}/{path}")
            _publish_often(home, state, effort.times(600, 20))  # code is compiled, charts are there
            devtools = page.context.new_cdp_session(page)
            before, nodes, shown = _heap(devtools), _nodes(devtools), page.evaluate(RECEIVED)
            _publish_often(home, state, updates)
            shown = page.evaluate(RECEIVED) - shown
            grown, more = _heap(devtools) - before, _nodes(devtools) - nodes
            page.close()
        yield Row(f"the memory of /{path} over {updates:,} updates", FLAT_BUDGET,
                  f"{before / 1e6:.1f} MB {grown / 1e6:+.2f} MB", within=grown <= 1e6 and shown > updates * 0.8,
                  note=f"{shown:,} shown; {more:+,} nodes",
                  values={"bytes": before, "grown": grown, "nodes": more, "shown": shown})  # fmt: skip


def _publish_often(home, state, times):
    """As a listener: other numbers each time, the sessions in another order, replaced by a rename."""
    path = os.path.join(home, "state.json")
    for number in range(times):
        moved = state["sessions"][number % 7 :] + state["sessions"][: number % 7]
        rows = [
            one | {"requests": number + at, "last_activity_at": time.time()} for at, one in enumerate(moved)
        ]
        today = state["today"] | {"requests": number, "spent_usd": number / 7}
        with open(path + ".new", "w") as file:
            json.dump(state | {"written_at": time.time(), "sessions": rows, "today": today}, file)
        os.replace(path + ".new", path)
        time.sleep(1 / UPDATES_A_SECOND)


def _heap(devtools):
    for _ in range(2):  # what the first finds to be garbage, the pages' own collector frees by the second
        devtools.send("HeapProfiler.collectGarbage")
        time.sleep(1)
    return devtools.send("Runtime.getHeapUsage")["usedSize"]


def _nodes(devtools):
    return devtools.send("Memory.getDOMCounters")["nodes"]


@contextlib.contextmanager
def serving(home, code=None):
    """The server of a home as a process, and the link that lets a browser in; `code` runs instead of `-m aitop`."""
    call = [PYTHON, *(["-c", code] if code else ["-m", "aitop"])]
    server = subprocess.Popen(
        [*call, "web", "--no-open", "--json", "--port", "0"],
        env=homes.environment(home), cwd=homes.HERE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield server, json.loads(server.stdout.readline())["url"]
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()
