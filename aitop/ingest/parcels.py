"""What a helper sends of a chunk, and how it is taken in: its events worked out, as plain values.

Both ends are here because they must agree. Runs `prepared` in the helper, `received` in the process that it helps.
"""

from aitop.history.store import History
from aitop.history.write import wire
from aitop.history.write.prepare import Batch, Plain
from aitop.ingest.tail import Chunk
from aitop.providers import Parsed

Parcel = tuple[Plain, Plain, Plain]


def prepared(chunk: Chunk, *, history: History, now: float) -> Parcel:
    """A chunk without its events, and what they come to."""
    batch = history.packed(chunk.parsed.events, now)
    return (*chunk[:-1],), (*chunk.parsed[1:],), wire.sent(batch)


def received(parcel: Parcel, paths: dict[str, str]) -> tuple[Chunk, Batch]:
    """The chunk and its batch; `paths` has each path as this process keeps it already, so that it is kept once."""
    read, parsed, batch = parcel
    path = paths.get(read[0], read[0])
    return Chunk._make((path, *read[1:], Parsed([], *parsed))), wire.received(batch)
