"""Running a real client in a home of its own against the scripted API, and what our history then holds."""

import json
import os
import subprocess

from support.clients import client
from support.desk import Desk

MODEL = "gpt-5.1-codex"
TIERED = "gpt-5.4"  # has a price for each service tier


def use(given, cached, output, reasoning):
    return {"input": given, "cached": cached, "output": output, "reasoning": reasoning}


ECHO = ("bash", {"command": "echo hi", "description": "hi"})
FIRST, SECOND = use(9000, 6000, 50, 20), use(9500, 8900, 70, 30)


class Run:
    """One client in a home of its own."""

    def __init__(self, tmp_path, name):
        self.program = client(name)
        self.home = str(tmp_path / "user")
        self.work = str(tmp_path / "work")
        os.makedirs(self.work)

    def file(self, name, text):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def __call__(self, *arguments, patience=60, **environ):
        env = {
            "HOME": self.home,
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            **environ,
        }
        done = subprocess.run([self.program, *arguments], cwd=self.work, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=patience)  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def held(provider, run):
    desk = Desk(provider, *provider.folders([], {"HOME": run.home})).read()
    (total,) = desk.totals().values()
    return desk, total


def leaves(total):
    return total.requests, total.uncached_input_tokens, total.cache_read_tokens, total.output_tokens


THREE = [{"call": ECHO, "usage": FIRST}, {"text": "Hi.", "usage": SECOND}, {"text": "Again.", "usage": FIRST}]


def compatible(api):
    """A provider of OpenCode's and its relatives' configuration."""
    model = {MODEL: {"name": "m", "limit": {"context": 100_000, "output": 1000}}}
    options = {"baseURL": f"{api.url}/v1", "apiKey": "x"}
    scripted = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": model}
    return json.dumps(
        {"model": f"s/{MODEL}", "permission": "allow", "autoupdate": False, "provider": {"s": scripted}}
    )
