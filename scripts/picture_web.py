"""Take the pictures of docs/web.md: a made-up home, a real listener, the real server, Chromium.

`python scripts/picture_web.py [FOLDER]` writes web-PAGE.png into docs/pictures. It needs Chromium, and the fonts that
the pages ask for first: `apt-get install chromium fonts-inter fonts-jetbrains-mono`.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests")]

from support.web_site import CHROMIUM, FLAGS  # noqa: E402

from benchmarks.history import Writer  # noqa: E402
from benchmarks.year import Year  # noqa: E402

RESPONSES = 20_000
WIDTH, HEIGHT = 1440, 900
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-sonnet-4-5-20250929")
SESSIONS = (("checkout", "main"), ("search-api", "fix/login"), ("docs-site", "release"))
PAGES = {
    "now": "/now", "timeline": "/timeline", "history": "/history?since={year}&unit=week&by=model",
    "session": "/session/{session}", "limits": "/limits", "compare": "/compare?since=365d",
}  # fmt: skip
CONFIG = """
[budgets.day]
period = "day"
limit_usd = 26.0
[budgets.checkout]
period = "month"
limit_usd = 40.0
project = "checkout"
"""


class Session:
    """A made-up session that goes on."""

    def __init__(self, root, number):
        self.folder, branch = SESSIONS[number]
        self.name = f"5e55104{number}-0000-4000-8000-000000000000"
        self.path = os.path.join(root, "projects", f"-home-you-{self.folder}", f"{self.name}.jsonl")
        os.makedirs(os.path.dirname(self.path))
        self.common = {"isSidechain": False, "userType": "external", "cwd": f"/home/you/{self.folder}",
                       "sessionId": self.name, "version": "2.1.219", "gitBranch": branch}  # fmt: skip
        self.model, self.random, self.writer = MODELS[number], random.Random(number), Writer(number)
        self.context = self.count = 0

    def respond(self, at):
        self.context = 9_000 if self.context > 170_000 else self.context + self.random.randrange(300, 6_000)
        self.count += 1
        name = f"{self.name[:8]}_{self.count}"
        with open(self.path, "a") as file:
            file.writelines(
                self.writer.response(self.common, name, self.model, at, self.context, self.count % 3)
            )


def main():
    from playwright.sync_api import sync_playwright

    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "docs", "pictures")
    with tempfile.TemporaryDirectory() as user:
        home = os.path.join(user, ".aitop")
        environ = os.environ | {"HOME": user, "AITOP_HOME": home, "AITOP_PROVIDERS": "builtin", "TZ": "UTC",
                                "XDG_RUNTIME_DIR": os.path.join(user, "none"), "PYTHONPATH": ROOT}  # fmt: skip
        os.makedirs(home, mode=0o700)
        environ["AITOP_CONFIG"] = os.path.join(user, "config.toml")
        with open(environ["AITOP_CONFIG"], "w") as file:
            file.write(CONFIG)
        now = time.time()
        year = Year(os.path.join(home, "history.db"), now - 86_400)
        year.grow(RESPONSES)
        year.close()
        sessions = [Session(os.path.join(user, ".claude"), number) for number in range(len(SESSIONS))]
        for session in sessions:
            at = now - 3600 * session.random.uniform(1.5, 3)
            while at < now - 20:
                session.respond(at)
                at += session.random.expovariate(1 / 40)
        listener = subprocess.Popen([sys.executable, "-m", "aitop", "listen", "--quiet"], env=environ)
        server = subprocess.Popen([sys.executable, "-m", "aitop", "web", "--no-open", "--json", "--port", "0"],
                                  env=environ, stdout=subprocess.PIPE, text=True)  # fmt: skip
        over = threading.Event()
        feeder = threading.Thread(target=feed, args=(sessions, over))
        feeder.start()
        try:
            link = json.loads(server.stdout.readline())["url"]
            base = link.partition("/?")[0]
            with sync_playwright() as driver:
                chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark")
                page.goto(link)
                page.wait_for_selector("tr.is-working")
                time.sleep(5)
                since = time.strftime("%Y-%m-%d", time.gmtime(now - 364 * 86_400))
                for name, path in PAGES.items():
                    page.goto(base + path.format(year=since, session=f"claude-code/{sessions[1].name}"))
                    page.wait_for_selector("main [aria-busy]", state="detached")
                    time.sleep(2)
                    page.screenshot(path=os.path.join(folder, f"web-{name}.png"))
                chromium.close()
        finally:
            over.set()
            feeder.join()
            for process in (server, listener):
                process.terminate()
                process.wait()


def feed(sessions, over):
    """Let the sessions go on until it is over."""
    while not over.wait(random.uniform(0.5, 2)):
        random.choice(sessions[:2]).respond(time.time() - 1)


if __name__ == "__main__":
    main()
