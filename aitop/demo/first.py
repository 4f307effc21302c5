"""Whether the user has anything to show yet. Where not, `aitop` without a word plays the demo."""

import os
import sqlite3

from aitop import paths
from aitop.config import ConfigError, load
from aitop.history import schema
from aitop.providers import Provider, selection
from aitop.providers.load import load as load_providers

NOTICE = "No Claude Code data on this machine yet, so here is a demo with made-up numbers."


def nothing_yet() -> bool:
    """No client's folder holds a record, and no history was kept of older ones."""
    try:
        config = load()
    except ConfigError:
        return False  # the program that runs instead of the demo reports what is wrong with it
    installed, _ = load_providers()
    providers = selection.enabled(installed, config)
    folders = selection.folders(providers, config, dict(os.environ))
    return not (any(_has_record(p, folder) for p in providers for folder in folders[p.name]) or _is_kept())


def _has_record(provider: Provider, folder: str) -> bool:
    return (os.path.isfile(folder) and provider.wants(folder)) or any(
        provider.wants(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names
    )


def _is_kept() -> bool:
    path = paths.in_home(paths.HISTORY)
    if not os.path.exists(path):
        return False
    try:
        db = schema.connect_read_only(path)
    except (sqlite3.Error, schema.HistoryError):
        return True
    try:
        return db.execute("SELECT 1 FROM session LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return True
    finally:
        db.close()
