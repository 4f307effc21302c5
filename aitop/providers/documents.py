"""A client's JSON document, read as a whole. Must not keep any of it."""

import os
from typing import Any, NamedTuple

from aitop.model.json_types import JsonObject
from aitop.providers.files import read_regular
from aitop.providers.lenient import loads

MAX_BYTES = 256 << 20
NOT_WHOLE = "it is no whole JSON document"


class Document(NamedTuple):
    """`value` is None where the file holds no JSON: it is damaged, or just being written."""

    value: Any
    changed_at: float  # epoch seconds


def load(path: str) -> Document:
    """Raises OSError."""
    changed_at = os.stat(path, follow_symlinks=False).st_mtime
    return Document(loads(read_regular(path, MAX_BYTES)), changed_at)


def beside(path: str, name: str) -> JsonObject:
    """A JSON object in a file beside another one; an empty one where there is none to be read."""
    try:
        value = load(os.path.join(os.path.dirname(path), name)).value
    except OSError:
        return {}
    return value if isinstance(value, dict) else {}
