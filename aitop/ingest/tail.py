"""Read files that grow: from a byte offset, whole lines only, nothing twice.

A file is read on from its offset while it is still the same one (inode, size, and the bytes just before the
offset). Otherwise it is read from its start, which costs time and never counts double. A last line without its
newline waits while the file grows. Once the file has been at rest for some seconds, a whole record there counts,
and the offset stays in front of it, so that it is read again as the same record when its newline comes.
Anything but a regular file is never opened: a FIFO would block, a device would never end.
"""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple
from zlib import crc32

from aitop.history.rows import File
from aitop.ingest.worktrees import Worktrees
from aitop.providers import Parsed, Source
from aitop.providers.files import open_regular
from aitop.providers.lines import pieces

CHUNK = 512 << 10  # larger ones cost a page fault for each page, every time
LONGEST = 32 << 20  # bytes; a longer line is skipped, not held in memory
TAIL = (
    2048  # bytes before the offset that must be the same; many lines end alike, so a whole line with its ids
)
AT_REST_SECONDS = 5.0
RACY_SECONDS = 1.0
CUT_SHORT = -1  # a file's size while more of it is to be read
UNFINISHED = (
    -2
)  # while its last line waits for its newline, or for the file or the database's log to be at rest
PROBLEM = -3  # while its provider cannot read all of it: a later version of the provider reads it again
WAL = "-wal"
ALONE = (".jsonl", ".json")  # endings of files that have no write-ahead log beside them


class Job(NamedTuple):
    """A file to read on from where the history left it."""

    path: str
    provider: str
    offset: int
    tail: int
    inode: int | None
    source: Source
    now: float = 0.0  # epoch seconds: whether the file is at rest
    keeps_note: bool = False  # its provider's note outlives a file that is replaced


class Chunk(NamedTuple):
    """Some whole lines of a file, read and parsed. `start` is 0 again when the file was replaced.

    `size` is the file's size where everything in it was looked at, else CUT_SHORT, UNFINISHED or PROBLEM.
    """

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


WORKTREES = Worktrees()
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


def stamp(path: str, status: os.stat_result) -> Stamp:
    """A file's stamp; a database's write-ahead log, where its changes are at first, is part of it."""
    if path.endswith(ALONE):
        return Stamp(status.st_size, status.st_mtime_ns)
    try:
        log = os.stat(path + WAL, follow_symlinks=False)
    except OSError:
        return Stamp(status.st_size, status.st_mtime_ns)
    return Stamp(status.st_size + log.st_size, max(status.st_mtime_ns, log.st_mtime_ns))


def is_cold(path: str, stored: File | None, status: os.stat_result, since: float) -> bool:
    """Whether a file without a write-ahead log is as the history has it, and changed before `since` (epoch seconds)."""
    return (
        stored is not None
        and stored.mtime_ns == status.st_mtime_ns
        and stored.size == status.st_size
        and stored.inode == status.st_ino
        and status.st_mtime <= since
        and path.endswith(ALONE)
    )


def is_read(stored: File, seen: Stamp, inode: int, *, unsolved: bool) -> bool:
    """Whether a file is as it was when it was read; `unsolved`: this provider could not read all of it."""
    size = PROBLEM if unsolved and stored.size == PROBLEM else seen.size
    return (stored.size, stored.mtime_ns, stored.inode) == (size, seen.mtime_ns, inode)


def bytes_left(stored: File | None, seen: Stamp, inode: int) -> int:
    """How much of a file is to be read; all of it where it is another file than before."""
    goes_on = stored is not None and stored.inode == inode and stored.offset <= seen.size
    return seen.size - stored.offset if stored is not None and goes_on else seen.size


def advance(file: File, chunk: Chunk) -> None:
    """Move a file's tail state on by one chunk."""
    parsed = chunk.parsed
    file.session = file.session or parsed.session
    file.device, file.inode = chunk.device, chunk.inode
    file.size, file.mtime_ns = chunk.size, chunk.mtime_ns
    file.offset, file.tail, file.pending = chunk.end, chunk.tail, parsed.pending
    file.bad_lines += parsed.bad_lines


def chunks(job: Job, parse: Parse, identify: Identify, read: Read | None = None) -> Iterator[Chunk]:
    """Everything new in a file, about half a megabyte of whole lines at a time.

    Responses made in a worktree get their place in its repository. Raises OSError, and what the provider raises.
    """
    for chunk in _chunks(job, parse, identify, read):
        WORKTREES.move(chunk.parsed.events)
        yield chunk


def _chunks(job: Job, parse: Parse, identify: Identify, read: Read | None) -> Iterator[Chunk]:
    opened = open_regular(job.path)
    if opened is None:
        return
    fd, status = opened
    try:
        if read is not None:
            kept = job.keeps_note or job.inode in (None, status.st_ino)
            own = job.source if kept else identify(job.path)
            batches = read(job.path, own)
            if batches is not None:
                yield from _batches(job, batches, status)
                return
        offset, source = job.offset, job.source
        if offset and not _same(fd, status, job):
            offset, source = 0, identify(job.path)
        if not offset and status.st_size <= CHUNK:
            whole_file = _at_once(fd, job, parse, source, status)
            if whole_file is not None:
                yield whole_file
                return
        while offset < status.st_size:
            data = _whole_lines(fd, offset, status.st_size - offset)
            if not data:
                yield _unfinished(fd, job, parse, source, offset, status)
                return
            parsed = parse(data, offset, source)
            start, offset = offset, offset + len(data)
            whole = len(data) < LONGEST  # a piece of a line does not end where the file's lines do
            tail = crc32(data[-TAIL:]) if whole and (len(data) >= TAIL or not start) else _tail(fd, offset)
            size = status.st_size if status.st_size - start <= _reach(data) else CUT_SHORT
            yield Chunk(
                job.path, job.provider, start, offset, tail,
                status.st_dev, status.st_ino, size, status.st_mtime_ns, parsed,
            )  # fmt: skip
            source = Source(parsed.session, source.agent, parsed.pending)
    finally:
        os.close(fd)


def _at_once(fd: int, job: Job, parse: Parse, source: Source, status: os.stat_result) -> Chunk | None:
    """A small file as one chunk, as nearly every file of a first read; None where its last line has no newline."""
    data = os.pread(fd, CHUNK, 0)
    if len(data) != status.st_size or not data.endswith(b"\n"):
        return None
    return Chunk(
        job.path, job.provider, 0, len(data), crc32(data[-TAIL:]),
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, parse(data, 0, source),
    )  # fmt: skip


def _unfinished(
    fd: int, job: Job, parse: Parse, source: Source, offset: int, status: os.stat_result
) -> Chunk:
    """The last line, which has no newline: what a whole record in it says, once the file is at rest.

    The offset, the bad lines and the note to the next run stay as they were before this line.
    """
    parsed = Parsed([], 0, None, source.session, source.pending)
    size = UNFINISHED
    if job.now - status.st_mtime >= AT_REST_SECONDS:
        size = status.st_size
        line = os.pread(fd, status.st_size - offset, offset)
        parts = pieces(line)
        if parts and parts[-1].whole:
            provisional = parse(line + b"\n", offset, source)
            parsed = provisional._replace(bad_lines=0, pending=source.pending)
    return Chunk(
        job.path, job.provider, offset, offset, _tail(fd, offset),
        status.st_dev, status.st_ino, size, status.st_mtime_ns, parsed,
    )  # fmt: skip


def _batches(job: Job, batches: Iterator[Parsed], status: os.stat_result) -> Iterator[Chunk]:
    """What a provider read by itself. Until the last batch more of the file is to be read."""
    seen = stamp(job.path, status)
    waiting: Parsed | None = None
    for batch in batches:
        if waiting is not None:
            yield Chunk(job.path, job.provider, 0, 0, 0, status.st_dev, status.st_ino, CUT_SHORT, 0, waiting)
        waiting = batch
    if waiting is None:
        waiting = Parsed([], 0, None, job.source.session, job.source.pending)
    size = PROBLEM if waiting.problem is not None else UNFINISHED if _is_racy(job, seen) else seen.size
    yield Chunk(
        job.path, job.provider, 0, seen.size, 0, status.st_dev, status.st_ino, size, seen.mtime_ns, waiting
    )


def _is_racy(job: Job, seen: Stamp) -> bool:
    """Whether a database's log was written just now: its last transaction shows a moment after its bytes are there."""
    return job.now - seen.mtime < RACY_SECONDS and os.path.lexists(job.path + WAL)


def _same(fd: int, status: os.stat_result, job: Job) -> bool:
    return status.st_size >= job.offset and status.st_ino == job.inode and _tail(fd, job.offset) == job.tail


def _tail(fd: int, offset: int) -> int:
    start = max(0, offset - TAIL)
    return crc32(os.pread(fd, offset - start, start))


def _reach(data: bytes) -> int:
    """How far `_whole_lines` looked to find this much."""
    size = CHUNK
    while size < len(data):
        size *= 2
    return size


def _whole_lines(fd: int, offset: int, left: int) -> bytes:
    """The bytes from `offset` up to the last newline of the next few megabytes; b"" while none ends there.

    `left` is how many there are. A line longer than LONGEST is returned in parts, each of which ends as a line that
    is not JSON.
    """
    size = CHUNK
    while True:
        data = os.pread(fd, min(size, left), offset)  # memory for more would be given back page by page
        end = data.rfind(b"\n")
        if end >= 0:
            return data[: end + 1]
        if len(data) < size:
            return b""
        if size >= LONGEST:
            return data[:-1] + b"\n"
        size *= 2
