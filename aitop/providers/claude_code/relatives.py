"""Clients that grew out of Claude Code and write its transcripts into a folder of their own."""

import os

from aitop.model.json_types import JsonObject
from aitop.providers import Feed, Parsed, Source
from aitop.providers.claude_code import folders, paths


class Relative:
    """The provider of one of them. `folder` is its configuration folder, below the home folder."""

    def __init__(self, name: str, folder: str) -> None:
        self.name, self._folder = name, folder

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        home = environ.get("HOME") or os.path.expanduser("~")
        return folders.of_configured(configured or [os.path.join(home, self._folder)])

    def wants(self, path: str) -> bool:
        return folders.wants(path)

    def identify(self, path: str) -> Source:
        return paths.identify(path)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        from aitop.providers.claude_code import transcript

        return transcript.parse(data, start, source)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: JsonObject, now: float) -> Feed | None:  # noqa: ARG002
        """None: what its hooks send is not known."""
        return None


openclaude = Relative("openclaude", ".openclaude")
