"""Checks of the client's side: the command, the settings of every folder, the scripts they call.

They read and prove; they repair nothing.
"""

import os
import shutil
import sys

from aitop import __version__, paths
from aitop.install import files, forwarder, json_text, record, scripts, settings, survey
from aitop.install.findings import Context, Results, fail, ok, warn

MANAGED_FOLDERS = ("/etc/claude-code", "/Library/Application Support/ClaudeCode")


def command(context: Context) -> Results:  # noqa: ARG001
    command_path = shutil.which("aitop")
    if command_path is None:
        folder = os.path.dirname(sys.executable)
        yield warn("the command aitop is not on PATH", f"add {folder} to PATH, or install with uv or pipx")
    elif ".pyenv/shims" in command_path:
        yield warn(
            f"{command_path} is a pyenv shim: every call costs 100 ms more", "install with uv or pipx instead"
        )
    else:
        yield ok(f"{command_path}, version {__version__}")


def client_settings(context: Context) -> Results:
    if not (survey.has_claude_code() or context.installed.settings):
        yield ok("Claude Code is not here")
        return
    ours = record.hook_scripts(context.installed)
    for root in context.roots:
        path = os.path.join(root, "settings.json")
        try:
            data = json_text.parse(files.text_of(path, files.read(path)))
        except (files.Refused, json_text.NotJson) as error:
            yield fail(f"{path}: {error}", "correct that line; until then Claude Code ignores the whole file")
            continue
        events = settings.events_of_ours(data, ours)
        missing = [event for event in settings.EVENTS if event not in events]
        if not events:
            yield warn(
                f"{path}: has no hooks of aitop, so the numbers come from the transcripts alone",
                "aitop setup",
            )
        elif missing:
            yield warn(f"{path}: no hook for {', '.join(missing)}", "aitop setup")
        else:
            yield ok(f"{path}: connected")
        yield from switches(path, data)
        line = data.get("statusLine") if isinstance(data, dict) else None
        command = line.get("command") if isinstance(line, dict) else None
        if settings.wrapped(command, ours) is None:
            yield ok(f"{path}: the status line does not feed aitop (optional: aitop setup --only statusline)")
        else:
            yield ok(f"{path}: the status line feeds aitop")


def switches(path: str, data: object) -> Results:
    if not isinstance(data, dict):
        return
    if data.get("disableAllHooks") is True:
        yield fail(
            f"{path}: disableAllHooks is true: no hook and no status line runs", "set it to false there"
        )
    if data.get("allowManagedHooksOnly") is True:
        yield fail(
            f"{path}: allowManagedHooksOnly: your organisation allows its own hooks only",
            ("ask for an exception; the transcripts still give the costs"),
        )
    if data.get("strictPluginOnlyCustomization"):
        yield fail(
            f"{path}: strictPluginOnlyCustomization: only plugins may add hooks",
            ("ask for an exception; the transcripts still give the costs"),
        )


def managed_files() -> list[str]:
    """The settings that an organisation may have put above the user's, whether they are there or not."""
    paths_found = []
    for folder in MANAGED_FOLDERS:
        more = os.path.join(folder, "managed-settings.d")
        paths_found.append(os.path.join(folder, "managed-settings.json"))
        if os.path.isdir(more):
            paths_found += [
                os.path.join(more, name) for name in sorted(os.listdir(more)) if name.endswith(".json")
            ]
    return paths_found


def managed(context: Context) -> Results:
    local = [os.path.join(root, "settings.local.json") for root in context.roots]
    for path in [*managed_files(), *local]:
        try:
            raw = files.read(path)
            if raw is not None:
                yield from switches(path, json_text.parse(files.text_of(path, raw)))
        except (files.Refused, json_text.NotJson) as error:
            yield warn(str(error), "check that file")


def forwarding(context: Context) -> Results:
    if not (survey.has_claude_code() or context.installed.settings):
        return
    folder, kind = paths.home(), context.installed.forwarder
    path = os.path.join(folder, paths.HOOK)
    if kind not in scripts.KINDS or not os.path.exists(path):
        yield warn(f"{path}: not written yet", "aitop setup")
        return
    for script in (path, os.path.join(folder, paths.STATUSLINE)):
        if not os.access(script, os.X_OK):
            yield fail(f"{script}: cannot be executed; every event shows an error", "aitop install --write")
            return
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if f"[ -e {scripts.quoted(forwarder.package_folder())}/aitop/hook.py ]" not in text:
        yield fail(f"{path}: was written by another installation of aitop", "aitop install --write")
        return
    if not context.prove:
        return
    proof = forwarder.prove_kind(kind)
    if proof.problem:
        yield fail(
            f"{path}: the {kind} forwarder fails: {proof.problem}",
            "aitop install --write picks one that works",
        )
    else:
        yield ok(f"{path}: {kind}, {proof.milliseconds:.1f} ms an event, proved")
