"""The check of what is counted: every client's folders, how many files are read, and which cannot be, with the reason.

What the listener publishes comes first; without one the folders are looked at here. Reads; repairs nothing.
"""

import os

from aitop import config, paths
from aitop.install.findings import Context, Result, Results, ok, warn
from aitop.model.json_types import JsonObject
from aitop.providers import selection
from aitop.providers.load import load

LIKELY = ("claude-code", "codex", "gemini", "copilot", "opencode")  # named first where they have no records
SHOWN = 4
REPORT = "please report it with `aitop doctor --report`"


def clients(context: Context) -> Results:
    """One line for each client that is here, one for all that are not."""
    folders = client_folders()
    published = _published(context.state)
    here = []
    for name in sorted({*folders, *published}):
        row = published.get(name, {})
        places = [folder for folder in folders.get(name, []) if os.path.exists(folder)]
        if places or row.get("found") is True:
            here.append(name)
            yield from _client(name, row, places)
    missing = {
        name: places[0]
        for name, places in folders.items()
        if name not in here and places and not places[0].startswith(paths.home())
    }
    if missing:
        yield _missing(missing, any_here=bool(here))


def _missing(folders: dict[str, str], *, any_here: bool) -> Result:
    """The clients without records: the likeliest by name, the others by their number, all of them as details."""
    ordered = sorted(folders, key=lambda name: LIKELY.index(name) if name in LIKELY else len(LIKELY))
    first = ordered[:SHOWN]
    details = tuple(f"{name}: {folders[name]}" for name in ordered)
    others = len(ordered) - len(first)
    if any_here:
        more = f" and {others} others; `aitop doctor --verbose` lists them" if others > 0 else ""
        return ok(f"not here: {', '.join(first)}{more}", details)
    looked = ", ".join(f"{name} ({folders[name]})" for name in first)
    more = f", nor in those of {others} others, which `aitop doctor --verbose` lists" if others > 0 else ""
    return warn(
        f"found no records of any client in the folders of {looked}{more}",
        "start a client once, or set other folders with `folders` under [providers.NAME] in the configuration",
        details,
    )


def _client(name: str, row: JsonObject, places: list[str]) -> Results:
    where = f" in {', '.join(places)}" if places else ""
    files, unread, reason = row.get("files"), row.get("unread"), row.get("reason")
    if row.get("counted") is False:
        yield warn(
            f"{name} is here and is not counted: {reason or 'the reason is unknown'}",
            "its cost is missing in every total; `aitop report coverage` shows what is counted",
        )
        return
    if isinstance(unread, int) and unread:
        new = row.get("version_unknown")
        remedy = (
            f"its format is newer than this aitop: upgrade, or {REPORT}"
            if new
            else "remove that cause, then run `aitop doctor` again"
        )
        yield warn(f"{name}: {unread} of {files} files{where} are not read: {reason}", remedy)
        return
    yield ok(f"{name}: {f'{files} files' if isinstance(files, int) else 'its files'}{where}")


def client_folders() -> dict[str, list[str]]:
    """Every provider's folders as the configuration and this shell's variables have them."""
    try:
        configuration = config.load()
    except config.ConfigError:
        configuration = config.Config()
    providers = selection.enabled(load()[0], configuration)
    return selection.folders(providers, configuration, dict(os.environ))


def _published(state: JsonObject | None) -> dict[str, JsonObject]:
    coverage = (state or {}).get("coverage")
    rows = coverage.get("clients") if isinstance(coverage, dict) else None
    return (
        {name: row for name, row in rows.items() if isinstance(row, dict)} if isinstance(rows, dict) else {}
    )
