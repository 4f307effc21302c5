"""The interface between a client's records and everything else: events.

A provider turns one client's records into events, and does nothing else. It must not count a response twice on
purpose or decide which of two records wins, know a price, or look at a clock: configuration, finding changed files,
reading them from an offset, counting once, prices and time are given to it. Built-in providers and those of other
packages come through the same door, the entry-point group `aitop.providers`, which `load.py` opens. Read
docs/providers.md first; it has a complete example.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from aitop.model.events import Event, Response
from aitop.model.json_types import JsonObject
from aitop.otlp import Record


class Source(NamedTuple):
    """Which session a file belongs to, by its path alone; `session` is None where only its lines say it.

    `pending` is the note that the provider left with the last run of the same file (`Parsed.pending`).
    """

    session: str | None
    agent: str | None
    pending: str | None = None


class Parsed(NamedTuple):
    """What one run of lines, or one batch of a document or database, holds."""

    events: list[Event]
    bad_lines: int
    first_at: float | None  # the first timestamp of the run, in file order; epoch seconds
    session: str | None  # the session that the lines' events were given to
    pending: str | None  # a note for the next run of the same file
    problem: str | None = None  # why the file cannot be read as a whole: "format version 9 is unknown"


class Feed(NamedTuple):
    """What one payload of the socket holds."""

    events: list[Event]
    session: str | None
    event: str  # the client's name of it
    tool_use_id: str | None
    paths: list[str]  # files to read again soon
    settle: bool  # the last lines may not be on disk yet: read again in a moment
    # A turn that this payload ends: what counts where nothing records the session.
    turn: Response | None = None


class Provider(Protocol):
    """One client's formats. Every method is pure, except that `folders` and `identify` may look at the disk.

    Three members are optional. `environment` is a tuple of the names of the client's variables that move its files: a
    listener keeps these variables however it was started, and gives them to `folders`. `enters(folder)` says whether
    a folder below one of its own may hold records, so that the others are not searched. `keeps_note` is True where
    the records are running sums: then the note of a file (`Source.pending`) stays when the file is replaced.
    """

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

    def feed(self, header: dict[str, str], payload: JsonObject, now: float) -> Feed | None:
        """A hook's or status line's JSON → events; None when it is not this client's."""
        ...


@runtime_checkable
class Reader(Protocol):
    """What a provider also has when some of its records are not lines but documents or databases."""

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        """What a file holds, some hundred records at a time; None for a file of lines, which is tailed.

        Called again whenever the file changed (for a database also when its `-wal` did). `source.pending` is
        the note of the last call that was read to its end; until the last batch, yield the one you were given.
        An event may be reported again. Raises OSError for a file that cannot be read now.
        """
        ...


@runtime_checkable
class TelemetryReader(Protocol):
    """What a provider also has when its client sends OpenTelemetry."""

    services: tuple[str, ...]  # the client's `service.name`s, or their beginnings in front of a - or _

    def telemetry(self, records: list[Record], now: float) -> list[Event]:
        """Some of its client's records → events.

        A response without an id that the files also have gets neither `message_id` nor `request_id`: the history
        then pairs it with the file's record by its numbers.
        """
        ...
