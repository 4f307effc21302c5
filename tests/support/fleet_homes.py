"""Machines of a fleet: homes of their own, each with a client's transcripts and a real listener."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

from golden.home import ROOT

from support import lines

# Below the ports that the system gives to outgoing connections: a scraper that asks for a port of a machine that is
# down may be given that very port for its own end, and then holds it.
PORTS = range(20_000, 30_000)


def free_port():
    """A port that stays free while the machine is down."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


class Machine:
    """A user's home with a listener that serves metrics."""

    def __init__(self, folder, name, *, config="", **environment):
        self.name, self.user = name, os.path.join(str(folder), name)
        self.home = os.path.join(self.user, "h")
        self.port = free_port()
        self.root = os.path.join(self.user, ".claude")
        os.makedirs(self.home, mode=0o700)
        os.makedirs(os.path.join(self.user, ".config", "aitop"))
        self.config = os.path.join(self.user, ".config", "aitop", "config.toml")
        with open(self.config, "w") as file:
            file.write(f"[fleet]\nenabled = true\nport = {self.port}\n{config}")
        self.environ = os.environ | {
            "HOME": self.user, "AITOP_HOME": self.home, "PYTHONPATH": ROOT, "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONFAULTHANDLER": "1",
            "XDG_RUNTIME_DIR": os.path.join(self.user, "none"), **environment,
        }  # fmt: skip
        self.process = None

    def transcript(self, records, **more):
        return lines.transcript(self.root, records, **more)

    def start(self, **more):
        with open(os.path.join(self.home, "out"), "ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "aitop", "listen", "--quiet"],
                env=self.environ | more, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def run(self, *words, **more):
        return subprocess.run(
            [sys.executable, "-P", "-m", "aitop", *words], env=self.environ | {"LD_PRELOAD": ""}, capture_output=True,
            text=True, timeout=60, **more,
        )  # fmt: skip

    def state(self):
        with open(os.path.join(self.home, "state.json")) as file:
            return json.load(file)

    def spent(self):
        """USD of the whole history, by the report."""
        found = self.run("report", "models", "--json")
        assert found.returncode == 0, found.stderr
        return sum(row["spent_usd"] for row in json.loads(found.stdout))

    def requests(self):
        return sum(row["requests"] for row in json.loads(self.run("report", "models", "--json").stdout))

    def scrape(self, accept="text/plain", path="/metrics", **headers):
        import urllib.request

        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Accept": accept, **headers}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def output(self):
        with open(os.path.join(self.home, "out")) as file:
            return file.read()[-3000:]

    def wait(self, true, limit=40.0):
        deadline, last = time.monotonic() + limit, None
        while time.monotonic() < deadline:
            try:
                last = self.scrape()
                if true(last):
                    return last
            except OSError as error:
                last = error
            assert self.process.poll() is None, self.output()
            time.sleep(0.1)
        raise AssertionError(f"{self.name}: not within {limit} s: {last}")


def values(text, name):
    """{labels as written: value} of one sample name in an exposition."""
    found = {}
    for line in text.splitlines():
        if line.startswith((name + "{", name + " ")):
            labels, _, value = line.rpartition(" ")
            found[labels[len(name) :]] = float(value)
    return found


def total(text, name="aitop_cost_usd_total"):
    return sum(values(text, name).values())
