"""Reading much at once: helper processes parse, the caller's loop takes in what they found.

A helper is forked with its list of files, streams back what it parsed, and ends. The pipe is its
brake: it waits while the caller is busy, so memory stays flat. A helper that dies leaves its files
unread, and the caller reads them itself later. Helpers touch no database and no socket.
"""

import gc
import os
import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aitop.ingest.tail import Chunk, Identify, Job, Parse, Read, chunks

Prepare = Callable[[Chunk], Any]
Door = tuple[Parse, Identify] | tuple[Parse, Identify, Read | None]

HEAD = 4
READ = 1 << 16  # what a pipe holds


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
        found: list[Any] = []
        at = 0
        while len(self._buffer) - at >= HEAD:
            size = int.from_bytes(self._buffer[at : at + HEAD], "big")
            if len(self._buffer) - at - HEAD < size:
                break
            found.append(pickle.loads(memoryview(self._buffer)[at + HEAD : at + HEAD + size]))  # noqa: S301
            at += HEAD + size
        del self._buffer[:at]
        return found

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            os.close(self.fd)
            try:
                os.waitpid(self.pid, 0)
            except ChildProcessError:
                pass


def start(jobs: Sequence[Job], count: int, doors: Mapping[str, Door], prepare: Prepare) -> list[Helper]:
    """Fork up to `count` helpers over the jobs, dealt in turn so that the first jobs come first.

    What they send is what `prepare` makes of each chunk: a small thing that can be pickled.
    """
    helpers = []
    for number in range(min(count, len(jobs))):
        mine = jobs[number::count]
        reader, writer = os.pipe2(os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _run(mine, reader, writer, doors, prepare)
        os.close(writer)
        os.set_blocking(reader, False)
        helpers.append(Helper(pid, reader))
    return helpers


def _run(jobs: Sequence[Job], reader: int, writer: int, doors: Mapping[str, Door], prepare: Prepare) -> None:
    """The helper's life. It never returns: no caller's `finally`, lock or exit handler may run here."""
    status = 1
    try:
        gc.disable()
        os.close(reader)
        _keep_only(writer)
        for job in jobs:
            try:
                for chunk in chunks(job, *doors[job.provider]):
                    data = pickle.dumps(prepare(chunk), protocol=5)
                    _write(writer, len(data).to_bytes(HEAD, "big") + data)
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    break
            except Exception:  # noqa: S112 - a provider's fault: the caller reads the file again, and sees it
                continue
        status = 0
    finally:
        os._exit(status)


def _keep_only(fd: int) -> None:
    """Close everything inherited but the pipe and the standard streams: above all the listener's lock."""
    os.closerange(3, fd)
    os.closerange(fd + 1, _most_files())


def _most_files() -> int:
    try:
        return min(os.sysconf("SC_OPEN_MAX"), 65_536)
    except (ValueError, OSError):
        return 4096


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
