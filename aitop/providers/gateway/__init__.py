"""Requests that passed the gateway or that LiteLLM logged: the journal's folders as providers.

One class makes three providers, because people look for `ollama` or `litellm` and not for the way it was
measured. `openai` is every OpenAI-compatible API; its sessions name the upstream.
"""

import os

from aitop.providers import Feed, Parsed, Source

FOLDER = "gateway"  # under $AITOP_HOME; a folder in it for each provider


class Journal:
    """A provider of journal lines. It holds only its name; every answer depends on the arguments."""

    def __init__(self, name: str) -> None:
        self.name = name

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """The folder to which the gateway and the logger of this home write."""
        home = environ.get("AITOP_HOME") or os.path.join(
            environ.get("HOME") or os.path.expanduser("~"), ".aitop"
        )
        named = [os.path.expanduser(folder) for folder in configured]
        return [os.path.abspath(folder) for folder in named or [os.path.join(home, FOLDER, self.name)]]

    def wants(self, path: str) -> bool:
        return path.endswith(".jsonl")

    def identify(self, path: str) -> Source:  # noqa: ARG002
        return Source(None, None)

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        from aitop.providers.gateway import records

        return records.parse(data, start, source)

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: dict[str, object], now: float) -> Feed | None:  # noqa: ARG002
        """None: the socket gets nothing of it."""
        return None


openai, ollama, litellm = Journal("openai"), Journal("ollama"), Journal("litellm")
judge = Journal("judge")  # the requests of `aitop quality`
