"""Tags given by hand (`aitop tag`): one small file beside the history, replaced whole.

A file of its own because the history has one writer, the listener, and a tag must also be given while
none runs. It outlives the sessions' transcripts as the history does.
"""

import json
import os

from aitop import paths

NAME = "tags.json"


def read(home: str) -> dict[str, str]:
    """Session id → tag; "" takes away a tag that a rule or $AITOP_TAG gives. A broken file holds none."""
    try:
        tags = json.loads(paths.read(os.path.join(home, NAME)))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(tags, dict):
        return {}
    return {name: tag for name, tag in tags.items() if isinstance(tag, str)}


def write(home: str, tags: dict[str, str]) -> None:
    """Replace the file. Raises OSError."""
    path = os.path.join(home, NAME)
    fresh = f"{path}.{os.getpid()}"
    fd = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            json.dump(tags, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise
