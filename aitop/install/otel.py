"""Claude Code's telemetry, switched on in its settings and off again. Pure: data in, new data out.

Only its logs, which hold each API call, and by the variables of that signal alone: what is exported of
metrics and traces stays as it is. Where logs go somewhere already, that exporter is not taken away: they
come to us only when the user says that we may pass them on.
"""

import copy
import re
from typing import Any, NamedTuple

from aitop.install.settings import Unexpected
from aitop.model.json_types import JsonObject
from aitop.receiver.token import HEADER

ENABLE = "CLAUDE_CODE_ENABLE_TELEMETRY"
EXPORTER = "OTEL_LOGS_EXPORTER"
PROTOCOL = "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"
ENDPOINT = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_LOGS_HEADERS"
INTERVAL = "OTEL_LOGS_EXPORT_INTERVAL"
OURS = (ENABLE, EXPORTER, PROTOCOL, ENDPOINT, HEADERS, INTERVAL)
GENERAL = {PROTOCOL: "OTEL_EXPORTER_OTLP_PROTOCOL", ENDPOINT: "OTEL_EXPORTER_OTLP_ENDPOINT",
           HEADERS: "OTEL_EXPORTER_OTLP_HEADERS"}  # fmt: skip
HTTP = ("http/json", "http/protobuf")
PATH = "/v1/logs"


class Wanted(NamedTuple):
    """Where telemetry should go. `environ`: variables that hold where the settings have none."""

    port: int
    token: str
    forward: str = ""  # the user's own collector, to which we pass everything on
    environ: dict[str, str] = {}  # noqa: RUF012


Written = dict[str, list[str | None]]  # variable → [what we wrote, what stood there before]


def merge(data: JsonObject, wanted: Wanted) -> tuple[JsonObject, Written]:
    """The settings with our variables, and what was written over.

    Raises Unexpected where that would take something away from the user.
    """
    new = copy.deepcopy(data)
    env = new.setdefault("env", {})
    if not isinstance(env, dict):
        raise Unexpected('"env" must be an object')
    in_force = {**wanted.environ, **{key: str(value) for key, value in env.items()}}
    _check_switch(in_force)
    collector = exported_to(in_force)
    if collector is not None and not wanted.forward:
        raise Unexpected(_offer(collector, in_force))
    written: Written = {}
    for name, value in _variables(in_force, wanted).items():
        before = env.get(name)
        if before != value:
            written[name] = [value, before if before is None else str(before)]
            env[name] = value
    return new, written


def _variables(in_force: dict[str, str], wanted: Wanted) -> dict[str, str]:
    exporters = [
        one.strip()
        for one in in_force.get(EXPORTER, "").split(",")
        if one.strip() not in ("", "none", "otlp")
    ]
    protocol = _of(in_force, PROTOCOL)
    before = in_force.get(HEADERS) if exported_to(in_force) is None else _of(in_force, HEADERS)
    headers = [one for one in (before or "").split(",") if one and not one.strip().startswith(f"{HEADER}=")]
    return {
        ENABLE: "1",
        EXPORTER: ",".join([*exporters, "otlp"]),
        # What is passed on unchanged has to be in the form that the collector had so far.
        PROTOCOL: protocol if wanted.forward and protocol in HTTP else HTTP[0],
        ENDPOINT: f"http://127.0.0.1:{wanted.port}{PATH}",
        HEADERS: ",".join([*headers, f"{HEADER}={wanted.token}"]),
        INTERVAL: in_force.get(INTERVAL) or "1000",
    }


def _check_switch(in_force: dict[str, str]) -> None:
    if in_force.get(ENABLE) == "1":
        return
    others = [
        name for name in ("OTEL_METRICS_EXPORTER", "OTEL_TRACES_EXPORTER", EXPORTER) if in_force.get(name)
    ]
    others = [name for name in others if in_force[name] != "none"]
    if others:
        raise Unexpected(
            f"{others[0]} is set but {ENABLE} is not 1: switching telemetry on would start that export too. Take it "
            f"out, or set {ENABLE} to 1, and run this again"
        )


def exported_to(in_force: dict[str, str]) -> str | None:
    """Where logs are exported by OTLP already, other than to us; None where nowhere."""
    if in_force.get(ENABLE) != "1" or "otlp" not in in_force.get(EXPORTER, ""):
        return None
    if f"{HEADER}=" in in_force.get(HEADERS, ""):
        return None
    return in_force.get(ENDPOINT) or in_force.get(GENERAL[ENDPOINT]) or "http://localhost:4318"


def _offer(collector: str, in_force: dict[str, str]) -> str:
    if _of(in_force, PROTOCOL) not in HTTP:
        return (
            f"logs are exported to {collector} already, by gRPC. If that collector takes OTLP by HTTP too, aitop can "
            "pass them on: aitop install --otel --forward http://HOST:4318"
        )
    base = collector.removesuffix("/").removesuffix(PATH)
    return (
        f"logs are exported to {collector} already. aitop can take them and pass each on to it unchanged: "
        f"aitop install --otel --forward {base}"
    )


def _of(in_force: dict[str, str], name: str) -> str | None:
    return in_force.get(name) or in_force.get(GENERAL[name])


def remove(data: Any, written: Written) -> Any:
    """The settings without our variables: each as it was before, where it still is what we wrote."""
    env = data.get("env") if isinstance(data, dict) else None
    if not isinstance(env, dict):
        return data
    new = copy.deepcopy(data)
    left = new["env"]
    for name, (ours, before) in (written or _unrecorded(env)).items():
        if left.get(name) == ours:
            if before is None:
                del left[name]
            else:
                left[name] = before
    if env and not left:
        del new["env"]
    return new


def is_ours(data: object) -> bool:
    """Whether these settings send telemetry to us."""
    env = data.get("env") if isinstance(data, dict) else None
    return isinstance(env, dict) and f"{HEADER}=" in str(env.get(HEADERS, ""))


def _unrecorded(env: JsonObject) -> Written:
    """What we must have written, should the record of it be lost: never more than points to us."""
    ours = re.compile(rf"http://127\.0\.0\.1:\d+{PATH}")
    if not ours.fullmatch(str(env.get(ENDPOINT))) or f"{HEADER}=" not in str(env.get(HEADERS)):
        return {}
    others = [one for one in str(env[HEADERS]).split(",") if not one.strip().startswith(f"{HEADER}=")]
    written: Written = {ENDPOINT: [env[ENDPOINT], None], HEADERS: [env[HEADERS], ",".join(others) or None]}
    if not others:
        written |= {name: [env[name], None] for name in (ENABLE, EXPORTER, PROTOCOL, INTERVAL) if name in env}
    return written


def others(port: int, token: str, home: str) -> str:
    """What to paste for the other clients: their files are not changed by us."""
    base, shown = f"http://127.0.0.1:{port}", token or "TOKEN"
    return f"""\
Codex, in {home}/.codex/config.toml:

    [otel.exporter.otlp-http]
    endpoint = "{base}{PATH}"
    protocol = "json"
    headers = {{ "{HEADER}" = "{shown}" }}

Gemini CLI, in {home}/.gemini/settings.json and {home}/.gemini/.env; Qwen Code, the same in {home}/.qwen:

    "telemetry": {{ "enabled": true, "target": "local", "logPrompts": false,
                   "otlpEndpoint": "{base}", "otlpProtocol": "http" }}
    OTEL_EXPORTER_OTLP_HEADERS={HEADER}={shown}

Any program that follows OpenTelemetry's GenAI conventions, in its environment:

    OTEL_EXPORTER_OTLP_ENDPOINT={base}
    OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
    OTEL_EXPORTER_OTLP_HEADERS={HEADER}={shown}
"""
