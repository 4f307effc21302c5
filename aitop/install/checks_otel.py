"""Checks of the telemetry receiver: does it listen, and do clients send to it with the right token."""

import os

from aitop import config, paths
from aitop.install import checks_client, files, json_text, otel
from aitop.install.findings import Context, Results, fail, ok, warn
from aitop.model.json_types import JsonObject
from aitop.receiver import token

AGAIN = "aitop install --otel --write"


def telemetry(context: Context) -> Results:
    """Nothing where telemetry is not set up."""
    try:
        loaded = config.load()
    except config.ConfigError:
        return  # the check of the configuration says so
    sending = [(path, env) for path, env in _environments(context) if otel.is_ours({"env": env})]
    if not loaded["otel.enabled"]:
        for path, _ in sending:
            yield warn(
                f"{path}: sends telemetry, but otel.enabled is false", f"{AGAIN}, or --otel --uninstall"
            )
        return
    yield from _receiver(context)
    try:
        ours = token.read(paths.home())
    except OSError as error:
        yield fail(str(error), "then restart the listener")
        return
    for path, env in sending:
        endpoint = f"http://127.0.0.1:{loaded['otel.port']}{otel.PATH}"
        if not ours or f"{token.HEADER}={ours}" not in str(env.get(otel.HEADERS)):
            yield fail(f"{path}: shows another token than ours", AGAIN)
        elif env.get(otel.ENDPOINT) != endpoint:
            yield fail(f"{path}: sends to {env.get(otel.ENDPOINT)}, the receiver is {endpoint}", AGAIN)
        else:
            yield ok(f"{path}: sends telemetry here")
    for path, env in _managed():
        if env.get(otel.ENDPOINT) or env.get(otel.EXPORTER):
            yield warn(
                f"{path}: your organisation decides where telemetry goes",
                "it wins over your settings; the transcripts still give the costs",
            )


def _receiver(context: Context) -> Results:
    doctor = (context.state or {}).get("doctor")
    receiver = doctor.get("otel") if isinstance(doctor, dict) else None
    if not isinstance(receiver, dict):
        yield warn("otel.enabled is true, but the listener does not listen for it", "aitop stop; aitop start")
        return
    if receiver.get("problem"):
        missing = str(receiver["problem"]).startswith(token.MISSING)
        mend = (
            "then aitop stop; aitop start" if missing else f"set otel.port in the configuration, then {AGAIN}"
        )
        yield fail(str(receiver["problem"]), mend)
    if receiver.get("port"):
        yield ok(
            f"127.0.0.1:{receiver['port']}: {receiver.get('received')} taken, {receiver.get('rejected')} refused"
        )
    forward = receiver.get("forward")
    if isinstance(forward, dict):
        if forward.get("problem"):
            yield warn(f"forwarding: {forward['problem']}", "look at your collector, or at otel.forward")
        else:
            yield ok(
                f"forwarding to {forward.get('url')}: {forward.get('sent')} sent, {forward.get('lost')} lost"
            )


def _environments(context: Context) -> list[tuple[str, JsonObject]]:
    return _env_of([os.path.join(root, "settings.json") for root in context.roots])


def _managed() -> list[tuple[str, JsonObject]]:
    return _env_of(
        [os.path.join(folder, "managed-settings.json") for folder in checks_client.MANAGED_FOLDERS]
    )


def _env_of(candidates: list[str]) -> list[tuple[str, JsonObject]]:
    environments = []
    for path in candidates:
        try:
            data = json_text.parse(files.text_of(path, files.read(path)))
        except (files.Refused, json_text.NotJson):
            continue  # the check of the settings says so
        env = data.get("env") if isinstance(data, dict) else None
        if isinstance(env, dict):
            environments.append((path, env))
    return environments
