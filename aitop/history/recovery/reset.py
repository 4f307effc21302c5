"""Begin a new history on purpose: the old one and its copies are set aside, so that no restore brings them back.

Renames only: nothing is deleted here, and the names say what to remove. The caller holds the listener's lock.
"""

import os
from datetime import UTC, datetime

from aitop import paths
from aitop.history.recovery import backup
from aitop.history.recovery.restore import MARK, SIDES

ASIDE = "history.before-reset-"


def set_aside(home: str) -> list[str]:
    """Move the history and its copies; the new names, none where there was no history. Raises OSError."""
    path = os.path.join(home, paths.HISTORY)
    copies = [name for name in backup.GENERATIONS if os.path.exists(os.path.join(home, name))]
    if not os.path.exists(path) and not copies:
        return []
    newest = os.stat(path if os.path.exists(path) else os.path.join(home, copies[0])).st_mtime
    prefix = f"{ASIDE}{datetime.fromtimestamp(newest, UTC).strftime('%Y%m%dT%H%M%SZ')}"
    moved = []
    # copies first: a kill in between leaves the history, never a copy that would be taken for its better
    for name in (*copies, *_migrated(home)):
        moved.append(f"{prefix}.{name.removeprefix('history.')}")
        os.replace(os.path.join(home, name), os.path.join(home, moved[-1]))
    if os.path.exists(path):
        moved.append(f"{prefix}.db")
        for side in SIDES:  # the log first: beside another file it would be taken for that one's
            if os.path.exists(path + side):
                os.replace(path + side, os.path.join(home, moved[-1] + side))
        os.replace(path, os.path.join(home, moved[-1]))
    if os.path.exists(os.path.join(home, MARK)):
        os.unlink(os.path.join(home, MARK))
    return moved


def _migrated(home: str) -> list[str]:
    """The copies made before migrations."""
    return sorted(name for name in os.listdir(home) if name.startswith(paths.HISTORY + ".v"))
