"""`aitop doctor`: run the checks, print what they found, and a bundle fit for a bug report.

The bundle names no project, no path outside the home's own form and no identity; what it cannot
scrub it leaves out.
"""

import hashlib
import json
import os
import platform
import re
import sqlite3
import sys
import time
from importlib import metadata
from typing import Any

import click

from aitop import __version__, paths
from aitop.install import checks
from aitop.install.findings import FAIL, OK, WARN, Context, Finding
from aitop.model.json_types import JsonObject
from aitop.segments.text import printable
from aitop.system import installation

MARKS = {OK: ("ok", "green"), WARN: ("warn", "yellow"), FAIL: ("FAIL", "red")}
LOG_TAIL = 200_000


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--report", is_flag=True, help="Print a scrubbed bundle for a bug report.")
@click.option("--verbose", is_flag=True, help="Print every place that was looked at, one a line.")
def doctor(*, as_json: bool, report: bool, verbose: bool) -> None:
    """Check every part and say what to do. Exit code 1 when something fails."""
    context = checks.context(time.time())
    findings = checks.run(context)
    if report:
        click.echo(json.dumps(bundle(findings, context), indent=1))
        return
    if as_json:
        click.echo(json.dumps([_as_dict(finding) for finding in findings], indent=1))
    else:
        _print(findings, verbose=verbose)
    if any(finding.level == FAIL for finding in findings):
        raise SystemExit(1)


def _print(findings: list[Finding], *, verbose: bool) -> None:
    for finding in findings:
        mark, colour = MARKS[finding.level]
        click.echo(f"{click.style(f'{mark:>4}', fg=colour)}  {finding.check}: {printable(finding.text)}")
        if finding.remedy and finding.level != OK:
            click.echo(f"      do this: {printable(installation.in_hint(finding.remedy))}")
        for line in finding.details if verbose else ():
            click.echo(f"        {printable(line)}")
    wrong = sum(finding.level == FAIL for finding in findings)
    doubtful = sum(finding.level == WARN for finding in findings)
    click.echo(f"{wrong} failed, {doubtful} to look at" if wrong or doubtful else "all is well")


def _as_dict(finding: Finding) -> dict[str, str | list[str]]:
    return {
        "check": finding.check,
        "level": finding.level,
        "text": finding.text,
        "remedy": installation.in_hint(finding.remedy),
        "details": list(finding.details),
    }


def bundle(findings: list[Finding], context: Context) -> JsonObject:
    """What a stranger may see of this installation."""
    state = context.state or {}
    written: Any = state.get("written_at")
    return {
        "aitop": __version__,
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in ("click", "filelock", "orjson")},
        "forwarder": context.installed.forwarder,
        "checks": [
            {key: _scrubbed(value) for key, value in _as_dict(finding).items()} for finding in findings
        ],
        "state": {
            "age_seconds": round(context.now - written, 1) if _is_number(written) else None,
            "providers": state.get("providers"),
            "sessions": [_session(row) for row in _rows(state.get("sessions"))],
            "today": _numbers(state.get("today")),
            "scan": _numbers(state.get("scan")),
            "hooks": {k: v for k, v in _numbers(state.get("hooks")).items() if isinstance(v, int)},
        },
        "log_kinds": _log_kinds(),
    }


def _scrubbed(value: str | list[str]) -> str | list[str]:
    return scrub(value) if isinstance(value, str) else [scrub(line) for line in value]


def scrub(text: str) -> str:
    """Home becomes ~, ids become short hashes, folders below the client's projects are left out."""
    for folder in {os.path.expanduser("~"), os.path.realpath(os.path.expanduser("~"))} - {"/"}:
        text = text.replace(folder, "~")
    text = re.sub(r"(/(?:projects|sessions)/)[^\s,;:'\"]+", r"\1…", text)
    text = re.sub(r"/(home|Users)/[^/\s]+", r"/\1/…", text)
    uuid = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    return re.sub(uuid, lambda findings: _hashed(findings[0]), text)


def _hashed(text: object) -> str:
    return "#" + hashlib.sha256(str(text).encode("utf-8", "replace")).hexdigest()[:8]


def _session(row: JsonObject) -> JsonObject:
    """A session by what can be counted of it: no folder, title, branch, tag or id of its own."""
    kept = {key: row[key] for key in ("provider", "model", "status") if isinstance(row.get(key), str)}
    return {"id": _hashed(row.get("id")), **kept, **_numbers(row)}


def _numbers(table: object) -> dict[str, float]:
    return {k: v for k, v in table.items() if _is_number(v)} if isinstance(table, dict) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rows(value: object) -> list[JsonObject]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _log_kinds() -> dict[str, int]:
    """How often each level and kind of message stands at the log's end; never the messages."""
    try:
        with open(paths.opened(paths.in_home(paths.LOG)), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return {}
    kinds: dict[str, int] = {}
    for line in lines:
        for level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
            if re.search(rf"\b{level}\b", line, re.IGNORECASE):
                kinds[level] = kinds.get(level, 0) + 1
                break
    return kinds
