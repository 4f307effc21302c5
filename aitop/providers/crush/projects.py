"""Crush's list of projects → where their databases are. Looks at the disk."""

import json
import os

from aitop.providers.files import read_regular

LIST = "projects.json"
DATABASE = "crush.db"
MAX_BYTES = 8 << 20
MAX_PROJECTS = 1000


def databases(named: list[str]) -> list[str]:
    """The databases of the projects that the lists among `named` name, and the lists; a folder's own database."""
    paths = []
    for path in named:
        if os.path.basename(path) == LIST:
            paths += [*_listed(path), path]
        elif path.endswith(".db"):
            paths.append(path)
        else:
            paths += [os.path.join(path, DATABASE), os.path.join(path, ".crush", DATABASE)]
    return list(dict.fromkeys(paths))


def _listed(path: str) -> list[str]:
    try:
        value = json.loads(read_regular(path, MAX_BYTES))
    except (OSError, ValueError):
        return []
    projects = value.get("projects", value) if isinstance(value, dict) else value
    entries = (
        projects.values() if isinstance(projects, dict) else projects if isinstance(projects, list) else ()
    )
    paths = []
    for entry in list(entries)[:MAX_PROJECTS]:
        folder = entry.get("path") if isinstance(entry, dict) else None
        data = entry.get("data_dir") if isinstance(entry, dict) else None
        if isinstance(folder, str) and os.path.isabs(folder) and "\0" not in folder:
            own = data if isinstance(data, str) and data and "\0" not in data else ".crush"
            paths.append(os.path.join(folder, own, DATABASE))
    return paths
