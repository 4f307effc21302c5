"""What a source of events is, and which there are.

A provider only turns a client's records into events. Configuration, discovery of changed files,
tailing by offset, deduplication, prices and the clock are given to it. Built-in providers come
through the same door as anyone's: the entry-point group `aitop.providers`; `load` opens it.
docs/providers.md explains all of this with a complete example.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

from aitop.model.events import Event
from aitop.otlp import Record


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
    """One client's formats. Every method is pure, but that `folders` and `identify` may look at the disk."""

    name: str

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """Where this client's records are, existing or not: folders that are searched, or single files.

        `configured` is `providers.NAME.folders`; when it is empty, where the client itself would write.
        """
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


@runtime_checkable
class Reader(Protocol):
    """What a provider has besides when some of its records are no lines: whole documents, databases."""

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        """What a file tells, some hundred records at a time; None: it is lines, to be tailed.

        Called again whenever the file changed (for a database its `-wal` too). `source.pending` is that
        of the last run that was read to its end; until the last one, yield the one you were given.
        What was told before may be told again. Raises OSError for what cannot be read now.
        """
        ...


@runtime_checkable
class Telemetry(Protocol):
    """What a provider has besides when its client also sends OpenTelemetry."""

    services: tuple[str, ...]  # its client's `service.name`, or what that begins with in front of a - or _

    def telemetry(self, records: list[Record], now: float) -> list[Event]:
        """Some of its client's records → events. A response without an id that its files know too has
        neither `message_id` nor `request_id`: the history then finds the file's word by its numbers.
        """
        ...
