"""Reading files that grow: from a byte offset, whole lines only, nothing twice.

A file is taken up where it was left when it is still the same one (inode, size, and the bytes just
before the offset); otherwise it is read from its start, which costs time and never counts double.
What is no regular file is never opened for reading: a FIFO would block, a device would never end.
"""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple
from zlib import crc32

from aitop.providers import Parsed, Source
from aitop.providers.files import open_regular

CHUNK = 512 << 10  # larger ones cost a page fault for each page, every time
LONGEST = 32 << 20  # a line beyond this is skipped, not held in memory
TAIL = (
    2048  # bytes before the offset that must be the same: a whole line with its ids, as many lines end alike
)
WAL = "-wal"


class Job(NamedTuple):
    """A file to read on from where the history left it."""

    path: str
    provider: str
    offset: int
    tail: int
    inode: int | None
    source: Source


class Chunk(NamedTuple):
    """Some whole lines of a file, read and parsed. `start` is 0 again when the file was replaced."""

    path: str
    provider: str
    start: int
    end: int
    tail: int
    device: int
    inode: int
    size: int
    mtime_ns: int
    parsed: Parsed


Parse = Callable[[bytes, int, Source], Parsed]
Identify = Callable[[str], Source]
Read = Callable[[str, Source], Iterator[Parsed] | None]


class Stamp(NamedTuple):
    """How a file looks from outside: when this changed, there may be something new in it."""

    size: int
    mtime_ns: int

    @property
    def mtime(self) -> float:
        return self.mtime_ns / 1e9


def stamp(path: str, found: os.stat_result) -> Stamp:
    """A file's stamp; a database's write-ahead log, where its changes are at first, is part of it."""
    if path.endswith((".jsonl", ".json")):
        return Stamp(found.st_size, found.st_mtime_ns)
    try:
        log = os.stat(path + WAL, follow_symlinks=False)
    except OSError:
        return Stamp(found.st_size, found.st_mtime_ns)
    return Stamp(found.st_size + log.st_size, max(found.st_mtime_ns, log.st_mtime_ns))


def chunks(job: Job, parse: Parse, identify: Identify, read: Read | None = None) -> Iterator[Chunk]:
    """Everything new in a file, a few megabytes at a time. Raises OSError, and what the provider raises."""
    opened = open_regular(job.path)
    if opened is None:
        return
    fd, found = opened
    try:
        if read is not None:
            own = job.source if job.inode in (None, found.st_ino) else identify(job.path)
            batches = read(job.path, own)
            if batches is not None:
                yield from _batches(job, batches, found)
                return
        offset, source = job.offset, job.source
        if offset and not _same(fd, found, job):
            offset, source = 0, identify(job.path)
        while offset < found.st_size:
            data = _whole_lines(fd, offset)
            if not data:
                return
            parsed = parse(data, offset, source)
            start, offset = offset, offset + len(data)
            whole = len(data) < LONGEST  # not a piece of a line, whose last byte is not the file's
            tail = crc32(data[-TAIL:]) if whole and (len(data) >= TAIL or not start) else _tail(fd, offset)
            # cut short here, the file must count as not yet looked at
            size = found.st_size if found.st_size - start <= _reach(data) else -1
            yield Chunk(
                job.path, job.provider, start, offset, tail,
                found.st_dev, found.st_ino, size, found.st_mtime_ns, parsed,
            )  # fmt: skip
            source = Source(parsed.session, source.agent, parsed.pending)
    finally:
        os.close(fd)


def _batches(job: Job, batches: Iterator[Parsed], found: os.stat_result) -> Iterator[Chunk]:
    """What a provider read by itself. Until the last batch the file counts as not yet looked at."""
    seen = stamp(job.path, found)
    waiting: Parsed | None = None
    for batch in batches:
        if waiting is not None:
            yield Chunk(job.path, job.provider, 0, 0, 0, found.st_dev, found.st_ino, -1, 0, waiting)
        waiting = batch
    if waiting is None:
        waiting = Parsed([], 0, None, job.source.session, job.source.pending)
    yield Chunk(
        job.path, job.provider, 0, seen.size, 0, found.st_dev, found.st_ino, seen.size, seen.mtime_ns, waiting
    )


def _same(fd: int, found: os.stat_result, job: Job) -> bool:
    return found.st_size >= job.offset and found.st_ino == job.inode and _tail(fd, job.offset) == job.tail


def _tail(fd: int, offset: int) -> int:
    start = max(0, offset - TAIL)
    return crc32(os.pread(fd, offset - start, start))


def _reach(data: bytes) -> int:
    """How far `_whole_lines` looked to find this much."""
    size = CHUNK
    while size < len(data):
        size *= 2
    return size


def _whole_lines(fd: int, offset: int) -> bytes:
    """The bytes from `offset` up to the last newline of the next few megabytes; b"" while none ends there.

    A line longer than LONGEST is given away in pieces that each end as a line that is not JSON.
    """
    size = CHUNK
    while True:
        data = os.pread(fd, size, offset)
        end = data.rfind(b"\n")
        if end >= 0:
            return data[: end + 1]
        if len(data) < size:
            return b""
        if size >= LONGEST:
            return data[:-1] + b"\n"
        size *= 2
