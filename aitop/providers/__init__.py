"""What a source of events is, and which there are.

A provider only turns a client's records into events. Configuration, discovery of changed files,
tailing by offset, deduplication, prices and the clock are given to it. Built-in providers come
through the same door as anyone's: the entry-point group `aitop.providers`.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from aitop.model import Event


class Source(NamedTuple):
    """Which session a file belongs to, by its path alone; `session` is None where only its lines tell.

    `pending` is whatever the provider wants to be told again with the next run of the same file.
    """

    session: str | None
    agent: str | None
    pending: str | None = None


class Parsed(NamedTuple):
    """What one run of lines said."""

    events: list[Event]
    bad_lines: int
    first_at: float | None  # the first timestamp of the run, in file order
    session: str | None  # the session that the lines' events were given to
    pending: str | None


class Feed(NamedTuple):
    """What one payload of the socket said."""

    events: list[Event]
    session: str | None
    event: str  # the client's name of it
    tool_use_id: str | None
    paths: list[str]  # files to read again soon
    settle: bool  # the last lines may not be on disk yet: read again in a moment


class Provider(Protocol):
    """One client's formats. Every method is pure but `folders`, which looks at the environment it is handed."""

    name: str

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """The folders whose `*.jsonl` files are this client's record, existing or not."""
        ...

    def wants(self, path: str) -> bool:
        """Whether a file in one of its folders is a record."""
        ...

    def identify(self, path: str) -> Source:
        """Session and agent by path."""
        ...

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        """Whole lines, each with its newline, → events; `start` is their offset. Never raises."""
        ...

    def context_limit(self, model: str) -> int | None:
        """The context window this client gives a model where that is not the model's own; else None."""
        ...

    def feed(self, header: dict[str, str], payload: dict[str, Any], now: float) -> Feed | None:
        """A hook's or status line's JSON → events; None when it is not this client's."""
        ...


def load() -> tuple[list[Provider], dict[str, str]]:
    """Every provider that can be loaded, and what went wrong with the others (name → message)."""
    from aitop.providers.claude_code import provider as claude_code

    found: dict[str, Provider] = {claude_code.name: claude_code}
    broken: dict[str, str] = {}
    for entry in _entry_points():
        if entry.name in found:
            continue
        try:
            found[entry.name] = entry.load()
        except Exception as error:  # a stranger's package must not stop the rest
            broken[entry.name] = f"{type(error).__name__}: {error}"
    return list(found.values()), broken


def _entry_points() -> Iterable[Any]:
    """Other packages' providers; looking them up costs 60 ms, so only where a package is named to have some."""
    import os

    if os.environ.get("AITOP_PROVIDERS") == "builtin":
        return ()
    from importlib.metadata import entry_points

    return entry_points(group="aitop.providers")
