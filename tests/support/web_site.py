"""`aitop web` as a process, and a real Chromium that looks at it."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from support.lines import assistant, usage

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


class Site:
    """The server for one home. `link` lets a browser in."""

    def __init__(self, home, *words, **more):
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "aitop", "web", "--no-open", "--json", "--port", "0", *words],
            env=os.environ | {"AITOP_HOME": home} | more, cwd=home, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        told = json.loads(line)
        self.link, self.port = told["url"], told["port"]
        self.base = f"http://127.0.0.1:{self.port}"
        self.token = self.link.partition("token=")[2]

    def ask(self, path, headers=None, method="GET", host=None):
        """(status, headers, body) of one request as it is written here: nothing is added but the host."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def cookie(self):
        """The cookie that the link is exchanged for, as a header."""
        _, headers, _ = self.ask(f"/?token={self.token}")
        return {"Cookie": headers["Set-Cookie"].partition(";")[0]}

    def json(self, path):
        status, _, body = self.ask(path, self.cookie())
        assert status == 200, body
        return json.loads(body)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class Browser:
    """One Chromium; each page has a profile of its own and remembers what went wrong in it."""

    def __init__(self):
        sync_api = pytest.importorskip(
            "playwright.sync_api", reason="needs Playwright: pip install playwright"
        )
        if CHROMIUM is None:
            if os.environ.get("CI") == "true":
                pytest.fail("needs Chromium: apt-get install chromium")
            pytest.skip("needs Chromium: apt-get install chromium")
        self._driver = sync_api.sync_playwright().start()
        self._browser = self._driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

    def page(self, address, **more):
        """A tab at an address, in a profile of its own."""
        context = self._browser.new_context(viewport={"width": 1440, "height": 900}, **more)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.problems, page.asked = [], []
        page.on("console", lambda said: said.type == "error" and page.problems.append(said.text))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.add_init_script(
            "window.violations = [];"
            "addEventListener('securitypolicyviolation', e => violations.push(e.violatedDirective));"
        )
        page.goto(address)
        return page

    def end(self):
        self._browser.close()
        self._driver.stop()


def answers(many, now, session="s1", folder="shop", model="claude-opus-4-6", step=60.0, mark="m", **more):
    """So many responses of one session, the last one just now."""
    common = {"session": session, "model": model, "cwd": f"/work/{folder}", **more}
    return [
        assistant(
            f"{mark}-{session}-{number}",
            now - step * (many - number),
            request_id=f"r{mark}-{session}-{number}",
            usage=usage(100 + number, 10, 1000, 200),
            **common,
        )
        for number in range(many)
    ]


def until(true, seconds=30.0, pause=0.05):
    """Wait until something holds; what it returned."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(pause)
    return true()
