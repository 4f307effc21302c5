"""A real Prometheus on loopback, with a folder and a port of its own."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from golden.home import ROOT, need

from support.telemetry_desk import free_port

RULES = os.path.join(ROOT, "integrations", "prometheus", "aitop.rules.yml")


class Prometheus:
    """`targets`: instance → port, or a file of metrics' port. Rules are evaluated each second."""

    def __init__(self, folder, targets, *, interval="1s", rules=RULES, more=""):
        need("prometheus")
        need("promtool", "prometheus")
        self.folder = str(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        os.makedirs(self.folder, exist_ok=True)
        config = os.path.join(self.folder, "prometheus.yml")
        shutil.copy(rules, os.path.join(self.folder, "rules.yml"))
        with open(os.path.join(self.folder, "rules.yml")) as file:
            text = file.read().replace("interval: 1m", "interval: 1s")
        with open(os.path.join(self.folder, "rules.yml"), "w") as file:
            file.write(text)
        with open(config, "w") as file:
            file.write(f"global:\n  scrape_interval: {interval}\n  evaluation_interval: 1s\n{more}")
            file.write("rule_files: [rules.yml]\nscrape_configs:\n  - job_name: aitop\n    static_configs:\n")
            file.writelines(
                f"      - targets: ['127.0.0.1:{port}']\n        labels: {{instance: '{name}'}}\n"
                for name, port in targets.items()
            )
        assert subprocess.run(["promtool", "check", "config", config], capture_output=True).returncode == 0
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            self.wait(lambda: self.ask("/-/ready"))
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def ask(self, path, **parameters):
        try:
            query = urllib.parse.urlencode(parameters)
            with urllib.request.urlopen(f"{self.url}{path}?{query}", timeout=20) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 503:  # not yet ready
                return None
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error
        except OSError:
            return None

    def query(self, expression, **more):
        """[(labels, value)] of an instant query."""
        answer = json.loads(self.ask("/api/v1/query", query=expression, **more))
        assert answer["status"] == "success", answer
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def value(self, expression):
        found = self.query(expression)
        return found[0][1] if found else None

    def wait(self, true, limit=60.0):
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            found = true()
            if found:
                return found
            assert self.process.poll() is None, self.text()
            time.sleep(0.1)
        return pytest.fail(f"not within {limit} s")

    def text(self):
        with open(self.log) as file:
            return file.read()[-2000:]

    def close(self):
        self.process.terminate()
        self.process.wait(20)
