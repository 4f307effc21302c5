"""Reading much at once: helper processes parse, the caller's loop takes in what they found.

Helpers are forked with the list of all files and take the next ones from a common queue, so none waits
while another has much left. Each streams back what it parsed, many small files in one message, and ends.
The pipe is its brake: it waits while the caller is busy, so memory stays flat. A helper that dies leaves
its files unread, and the caller reads them itself later. Helpers touch no database and no socket.
"""

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aitop.history.write import wire
from aitop.ingest.tail import Chunk, Identify, Job, Parse, Read, chunks

Prepare = Callable[[Chunk], Any]
Place = tuple[str, str]  # path, provider
MakeJob = Callable[[str, str], Job]
Door = tuple[Parse, Identify] | tuple[Parse, Identify, Read | None]

HEAD = 4
READ = 1 << 17  # bytes taken from a helper at once
TICKET = 4  # bytes: the number of a group of files
MAX_TICKETS = 3000  # all of them fit into a pipe before a helper reads the first
MESSAGE_CHUNKS, MESSAGE_BYTES = 16, 256 << 10  # of what was read, after which a message is sent


class Helper:
    """One forked reader, seen from the caller: a pipe that yields chunks."""

    def __init__(self, pid: int, fd: int) -> None:
        self.pid, self.fd = pid, fd
        self._buffer = bytearray()
        self.ended = False

    def fileno(self) -> int:
        return self.fd

    def receive(self) -> list[Any]:
        """What was prepared and has come in, without waiting for more; sets `ended` at the end."""
        if self.ended:
            return []
        try:
            data = os.read(self.fd, READ)
        except BlockingIOError:
            return []
        if not data:
            self.close()
            return []
        self._buffer += data
        received: list[Any] = []
        at = 0
        while len(self._buffer) - at >= HEAD:
            size = int.from_bytes(self._buffer[at : at + HEAD], "big")
            if len(self._buffer) - at - HEAD < size:
                break
            received += wire.loads(memoryview(self._buffer)[at + HEAD : at + HEAD + size])
            at += HEAD + size
        del self._buffer[:at]
        return received

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            os.close(self.fd)
            try:
                os.waitpid(self.pid, 0)
            except ChildProcessError:
                pass


def start(
    files: Sequence[Place], count: int, doors: Mapping[str, Door], job: MakeJob, prepare: Prepare
) -> list[Helper]:
    """Fork up to `count` helpers over the files; the first files come first. `job` is called by them.

    What they send is what `prepare` makes of each chunk: a small thing of plain values.
    """
    together = -(-len(files) // MAX_TICKETS)
    groups = [files[at : at + together] for at in range(0, len(files), together)]
    tickets = _tickets(len(groups))
    helpers = []
    for _ in range(min(count, len(groups))):
        reader, writer = os.pipe2(os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _run(groups, tickets, writer, doors, job, prepare)
        os.close(writer)
        os.set_blocking(reader, False)
        helpers.append(Helper(pid, reader))
    os.close(tickets)
    return helpers


def _tickets(count: int) -> int:
    """A pipe that holds the numbers of all groups: a helper that reads one takes that group."""
    reader, writer = os.pipe()
    os.write(writer, b"".join(number.to_bytes(TICKET, "big") for number in range(count)))
    os.close(writer)
    return reader


def _run(
    groups: Sequence[Sequence[Place]], tickets: int, writer: int, doors: Mapping[str, Door],
    job: MakeJob, prepare: Prepare,
) -> None:  # fmt: skip
    """The helper's life. It never returns: no caller's `finally`, lock or exit handler may run here."""
    status = 1
    try:
        gc.disable()
        _keep_only(tickets, writer)
        outbox = _Outbox(writer)
        while ticket := os.read(tickets, TICKET):
            for path, provider in groups[int.from_bytes(ticket, "big")]:
                try:
                    for chunk in chunks(job(path, provider), *doors[provider]):
                        outbox.add(prepare(chunk), chunk.end - chunk.start)
                except BrokenPipeError:
                    raise
                except OSError:
                    continue
                except Exception:  # noqa: S112 - a provider's fault: the caller reads the file again, and sees it
                    continue
        outbox.send()
        status = 0
    finally:
        os._exit(status)


class _Outbox:
    """What a helper has not sent yet."""

    def __init__(self, writer: int) -> None:
        self._writer = writer
        self._waiting: list[Any] = []
        self._bytes = 0

    def add(self, prepared: object, size: int) -> None:
        self._waiting.append(prepared)
        self._bytes += size
        if len(self._waiting) >= MESSAGE_CHUNKS or self._bytes >= MESSAGE_BYTES:
            self.send()

    def send(self) -> None:
        if self._waiting:
            data = wire.dumps(self._waiting)
            _write(self._writer, len(data).to_bytes(HEAD, "big") + data)
        self._waiting, self._bytes = [], 0


def _keep_only(*kept: int) -> None:
    """Close everything inherited but the pipes and the standard streams: above all the listener's lock."""
    start = 3
    for fd in sorted(kept):
        os.closerange(start, fd)
        start = fd + 1
    os.closerange(start, _most_files())


def _most_files() -> int:
    try:
        return min(os.sysconf("SC_OPEN_MAX"), 65_536)
    except (ValueError, OSError):
        return 4096


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
