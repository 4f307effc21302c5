"""A report as one file for a browser: the charts and tables of the pages, with its rows inside, and nothing to fetch.

The components are those of `aitop web`, taken as text from its folder; no code of that room runs. The file's own
policy allows the scripts and styles that stand in it, by their checksums, and no request to anywhere.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import aitop
from aitop.model.json_types import JsonObject
from aitop.model.sums import ZERO
from aitop.reports import formats, framing, overview
from aitop.reports.ask import Asker
from aitop.reports.filters import Period
from aitop.reports.rows import Answer
from aitop.reports.table import Style

FOLDER = os.path.join(os.path.dirname(os.path.abspath(aitop.__file__)), "web", "static")
LIBRARY, STYLES = "vendor/uPlot.iife.min.js", ("vendor/uPlot.min.css", "style.css")
MODULES = ("js/dom.js", "js/format.js", "js/charts.js", "js/table.js", "js/overview.js", "js/report.js")
BY = ("model", "project", "provider", "branch")
SHARED = ("unit", "days", "periods", "total", "notes")  # the same however a stretch is grouped
GROUPS_MAX, SESSIONS_MAX = 500, 200
MOST_BARS = 120


class Kept(NamedTuple):
    """What a file is made from beside the history."""

    style: Style
    coverage: list[str]  # what could not be counted, a line each
    hide_names: bool
    first: str  # the grouping that is shown first


def document(asker: Asker, kept: Kept, now: float) -> str:
    """The whole file as text. Asks the history; raises sqlite3.Error."""
    data = _data(asker, kept, now)
    # a tag inside a name must not end the block it stands in
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    library, style = _asset(LIBRARY), "\n".join(map(_asset, STYLES))
    program = "\n".join(plain_module(_asset(name)) for name in MODULES)
    scripts = " ".join(map(_checksum, (library, program)))
    allowed = f"script-src {scripts}; style-src {_checksum(style)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    return "".join(
        (
            '<!doctype html>\n<html lang="en" data-theme="auto">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer">\n<title>aitop report</title>\n',
            f"<style>{style}</style>\n</head>\n<body>\n",
            '<main id="main"></main>\n',
            f'<script type="application/json" id="data">{text}</script>\n',
            f"<script>{library}</script>\n",
            f'<script type="module">{program}</script>\n</body>\n</html>\n',
        )
    )


def _data(asker: Asker, kept: Kept, now: float) -> JsonObject:
    """Everything that the file shows, as JSON has it."""
    period = _period(len(asker.days))
    views = {by: overview.overview(asker, period, by, GROUPS_MAX) for by in BY}
    currency = kept.style.currency
    wanted = asker.wanted
    filters = {} if kept.hide_names else wanted.patterns()
    data: JsonObject = {
        **{key: views[BY[0]][key] for key in SHARED},
        "title": framing.days(wanted),
        "filters": [f"{name} {value}" for name, value in filters.items()],
        "made_at": datetime.fromtimestamp(now, wanted.zone).strftime("%Y-%m-%d %H:%M"),
        "version": aitop.__version__,
        "first": kept.first,
        "views": {
            by: {key: value for key, value in view.items() if key not in SHARED} for by, view in views.items()
        },
        "heat": overview.heat(asker) if period == "day" or len(asker.days) <= overview.HEAT_DAYS else [],
        "last_day": asker.days[-1].isoformat() if asker.days else None,
        "sessions": overview.sessions(asker, SESSIONS_MAX),
        "coverage": kept.coverage,
        "money": {"symbol": currency.symbol, "rate": currency.rate, "subscription": currency.subscription},
    }
    shown = without_names(data) if kept.hide_names else data
    return {**shown, "csv": _csv(shown, kept.style)}


def _period(days: int) -> Period:
    """The shortest period that makes no more bars than can be told apart."""
    if days <= MOST_BARS:
        return "day"
    return "week" if days <= MOST_BARS * 7 else "month"


def _csv(data: JsonObject, style: Style) -> dict[str, str]:
    """Name of a file → its text, for download from the page."""
    used = [row for row in data["periods"] if "requests" in row]
    tables = {f"by-{data['unit']}": used, "sessions": data["sessions"]["rows"]}
    tables |= {f"by-{by}": view["groups"] for by, view in data["views"].items()}
    return {
        name: formats.render(Answer(name, rows, ZERO), "csv", rows, style) for name, rows in tables.items()
    }


def without_names(data: JsonObject) -> JsonObject:
    """The same with `project 1`, `branch 1`, `session 1`, … in the place of names, the same for the same name."""
    aliases: dict[str, dict[str, str]] = {kind: {} for kind in ("project", "branch", "session", "tag")}

    def alias(kind: str, name: object) -> str | None:
        if name is None or name == "":
            return None
        return aliases[kind].setdefault(str(name), f"{kind} {len(aliases[kind]) + 1}")

    return dict(_renamed(data, alias))  # type: ignore[call-overload, no-any-return]


def _renamed(value: object, alias: Callable[[str, object], str | None]) -> object:
    if isinstance(value, list):
        return [_renamed(one, alias) for one in value]
    if not isinstance(value, dict):
        return value
    renamed = {key: _renamed(one, alias) for key, one in value.items()}
    for kind in ("branch", "session", "tag"):
        if isinstance(value.get(kind), str):
            renamed[kind] = alias(kind, value[kind])
    if "cwd" in value:
        renamed["cwd"] = alias("project", value["cwd"])
        renamed["project"] = renamed["cwd"] or "(no folder)"
        if "label" in value:
            branch = f": {renamed['branch'] or '(none)'}" if "branch" in value else ""
            renamed["label"] = f"{renamed['project']}{branch}"
    return renamed


def plain_module(text: str) -> str:
    """A module without its imports and exports: in one file all of them share one scope."""
    lines = [line for line in text.split("\n") if not line.startswith("import ")]
    return "\n".join(line.removeprefix("export ") for line in lines)


def _asset(name: str) -> str:
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def _checksum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
