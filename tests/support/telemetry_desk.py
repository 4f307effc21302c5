"""The telemetry receiver without a listener, asked without a socket."""

import json
import selectors
import socket

from aitop import config
from aitop.otlp import JSON
from aitop.providers import load
from aitop.receiver import token
from aitop.receiver.http import Head
from aitop.receiver.telemetry import TelemetryReceiver
from support import otlp_bodies as bodies

NOW = float(bodies.START + 5)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configured(port, **more):
    values = {"otel.enabled": True, "otel.port": port} | {
        f"otel.{name}": value for name, value in more.items()
    }
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())
    return config.parse(lines.encode(), "config.toml")


class Desk:
    """The receiver without a listener, asked without a socket."""

    def __init__(self, home):
        self.home, self.arrived, self.logged = home, [], []
        self.selector = selectors.DefaultSelector()
        self.telemetry = TelemetryReceiver(home, self.selector, self.arrived.append, self.logged.append)
        self.providers, _ = load.load()
        self.port = free_port()
        self.telemetry.configure(configured(self.port), self.providers)
        self.token = token.read(home)

    def ask(self, body, path="/v1/logs", method="POST", shown=None, **headers):
        headers = {"content-type": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}
        if shown != "":
            headers["x-aitop-token"] = shown or self.token
        head = Head(method, path, headers)
        return self.telemetry._judge(head) or self.telemetry._answer(head, body, NOW)

    def events(self):
        return [(arrival.provider, event) for arrival in self.arrived for event in arrival.feed.events]
