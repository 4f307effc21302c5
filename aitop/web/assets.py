"""The files of the pages, read once. They lie in `static/` as they are served: there is no build step."""

import hashlib
import os
from typing import NamedTuple

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")
MEDIA = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}


class File(NamedTuple):
    """One file: its bytes, its media type, and the tag by which a browser knows it again."""

    data: bytes
    media: str
    tag: str


def _read() -> dict[str, File]:
    files = {}
    for folder, _, names in os.walk(FOLDER):
        for name in names:
            path = os.path.join(folder, name)
            media = MEDIA.get(os.path.splitext(name)[1])
            if media is None:
                continue
            with open(path, "rb") as file:
                data = file.read()
            tag = f'"{hashlib.sha256(data).hexdigest()[:24]}"'
            files[os.path.relpath(path, FOLDER).replace(os.sep, "/")] = File(data, media, tag)
    return files


FILES = _read()


def page(version: str) -> bytes:
    """The one document, which every page is drawn into."""
    return FILES["index.html"].data.replace(b"{version}", version.encode())
