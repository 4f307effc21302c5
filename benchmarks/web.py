"""The pages of `aitop web`: first paint, any span of History, and what the server costs while a tab looks on.

A real Chromium looks at the real server over a made-up year, at two million responses and at ten. The times of
History are those of the page's own questions, as the browser saw them.
"""

import contextlib
import json
import os
import shutil
import subprocess
import time

from benchmarks import homes
from benchmarks.client import Sessions, at_pace
from benchmarks.harness import PYTHON, Row, missing, resident
from benchmarks.year import Year

SIZES, QUICK_SIZES = (2_000_000, 10_000_000), (2_000,)
PAINT_BUDGET, SPAN_BUDGET = "≤ 0.5 s", "≤ 0.3 s"
SERVER_BUDGET = "≤ 0.5 % of a core, ≤ 50 MB"
TAB_SECONDS, QUICK_SECONDS = 60, 3
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--js-flags=--expose-gc",
    "--enable-precise-memory-info",
]
SESSIONS, RATE = 30, 5  # sessions at work; responses a second
HEAP = "(globalThis.gc?.(), performance.memory.usedJSHeapSize)"
SPANS = {
    "7 days by model": "since=7d&by=model", "90 days by project": "since=90d&by=project",
    "a year by model": "since=365d&by=model", "a year by project": "since=365d&by=project",
    "a year by branch, by week": "since=365d&by=branch&unit=week",
    "a year of one folder": "since=365d&by=model&project=/home/you/project-7",
}  # fmt: skip
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
ASKED = """async (query) => {
  const began = performance.now();
  const answers = await Promise.all([fetch('/api/history?' + query), fetch('/api/heat?')]);
  await Promise.all(answers.map((answer) => answer.json()));
  if (!answers.every((answer) => answer.ok)) throw new Error('the history was not answered from');
  return performance.now() - began;
}"""


def pages(effort):
    """First paint and spans at each size, then the server with one tab beside a listener at work."""
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
        for responses in QUICK_SIZES if effort.quick else SIZES:
            year.grow(responses)
            year.settle()
            with serving(home) as (_, link):
                yield from _spans(browser, link, responses, effort.times(5, 1))
        year.close()
        yield from _with_a_tab(browser, home, effort.times(TAB_SECONDS, QUICK_SECONDS))
        browser.close()


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
    took = {}
    for name, query in SPANS.items():
        page.evaluate(ASKED, query)
        took[name] = min(page.evaluate(ASKED, query) for _ in range(times)) / 1000
    slowest = max(took, key=took.get)
    yield Row(f"any span of History, {responses:,} responses", SPAN_BUDGET, f"{took[slowest]:.2f} s ({slowest})",
              within=took[slowest] <= 0.3, values={"responses": responses, "seconds": took})  # fmt: skip
    page.close()


def _with_a_tab(browser, home, seconds):
    """The server while a listener publishes new numbers each second and one tab shows them, after a walk around."""
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
        with at_pace(sessions.respond, RATE, seconds + 5):
            time.sleep(2)
            before, began, used = page.evaluate(HEAP), time.monotonic(), homes.account(server.pid)[0]
            time.sleep(seconds)
            share = (homes.account(server.pid)[0] - used) / (time.monotonic() - began)
            grown = (page.evaluate(HEAP) - before) / 1e6
        size = resident(server.pid) / 1e6
        page.close()
    yield Row("`aitop web` with one tab, new numbers each second", SERVER_BUDGET, f"{share:.2%}, {size:.0f} MB",
              within=share <= 0.005 and size <= 50, values={"share": share, "rss_mb": size, "tab_grown_mb": grown},
              note=f"the tab's own memory changed by {grown:+.1f} MB in {seconds} s")  # fmt: skip


@contextlib.contextmanager
def serving(home):
    """The server of a home as a process, and the link that lets a browser in."""
    call = [PYTHON, "-m", "aitop", "web", "--no-open", "--json", "--port", "0"]
    server = subprocess.Popen(
        call, env=homes.environment(home), cwd=homes.HERE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield server, json.loads(server.stdout.readline())["url"]
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()
