"""Unpack Zstandard in pieces: with Python's own module, the package `backports.zstd`, or the program `zstd`.

Some clients pack files that rest. Python has the format from 3.14 on; older versions need one of the other two.
Pieces keep the memory small however large the file is.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import BinaryIO, Protocol

from aitop.providers.files import open_regular

PIECE = 1 << 20  # bytes
MAX_UNPACKED = 8 << 30  # bytes of one file
MAX_WINDOW = "--memory=256MB"  # of the program
MISSING = "it is packed with zstd: pip install backports.zstd, or install the program zstd"
DAMAGED = "it is no whole zstd file"


class Stepwise(Protocol):
    """The part of a decompressor that is used here, as in bzip2's of the standard library."""

    @property
    def needs_input(self) -> bool: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def decompressor() -> Stepwise | None:
    """A new decompressor of one frame; None where Python has no module for it."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        return None
    made: Stepwise = zstd.ZstdDecompressor()
    return made


def pieces(path: str) -> Iterator[bytes]:
    """The unpacked bytes of a file. Raises OSError for a file that cannot be read or unpacked."""
    opened = open_regular(path)
    if opened is None:
        raise OSError("it is no regular file")
    with open(opened[0], "rb") as file:
        size = 0
        for piece in _by_module(file) if decompressor() is not None else _by_program(file):
            size += len(piece)
            if size > MAX_UNPACKED:
                raise OSError(f"it unpacks to more than {MAX_UNPACKED >> 30} GB")
            yield piece


def _by_module(file: BinaryIO) -> Iterator[bytes]:
    """Frame by frame; a file may hold several."""
    state, data = None, b""
    while True:
        if state is None or state.needs_input or state.eof:
            data = data or file.read(PIECE)
            if not data:
                break
        if state is None or state.eof:
            state = decompressor()
            assert state is not None
        try:
            piece = state.decompress(data, PIECE)
        except Exception as error:  # each module has an error class of its own
            raise OSError(DAMAGED) from error
        data = state.unused_data if state.eof else b""
        if piece:
            yield piece
    if state is None or not state.eof:
        raise OSError(DAMAGED)


def _by_program(file: BinaryIO) -> Iterator[bytes]:
    import shutil  # loads two compression libraries that a listener does without
    import subprocess

    program = shutil.which("zstd")
    if program is None or not os.path.isabs(program):
        raise OSError(MISSING)
    process = subprocess.Popen(
        [program, "-dcq", MAX_WINDOW],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        close_fds=True,
    )
    assert process.stdout is not None
    try:
        while piece := process.stdout.read(PIECE):
            yield piece
        if process.wait() != 0:
            raise OSError(DAMAGED)
    finally:
        process.stdout.close()
        process.kill()
        process.wait()


def unpacked_bytes(data: bytes, most: int) -> bytes:
    """A small frame that is held in memory. Raises OSError, also above `most` bytes."""
    state = decompressor()
    if state is None:
        return _by_program_at_once(data, most)
    try:
        found = state.decompress(data, most + 1)
    except Exception as error:  # each module has an error class of its own
        raise OSError(DAMAGED) from error
    if len(found) > most or not state.eof:
        raise OSError(DAMAGED)
    return found


def unpacked_frames(frames: Sequence[tuple[bytes, int]]) -> list[bytes]:
    """Small frames with the sizes of what they hold: all of them in one process where no module unpacks them.

    One that is damaged is b"". Raises OSError where nothing here can unpack them, or the one process could not.
    """
    if not frames:
        return []
    if decompressor() is None:
        whole = _by_program_at_once(b"".join(data for data, _ in frames), sum(size for _, size in frames))
        ends = list(accumulate(size for _, size in frames))
        return [whole[end - size : end] for end, (_, size) in zip(ends, frames, strict=True)]
    found = []
    for data, size in frames:
        try:
            found.append(unpacked_bytes(data, size))
        except OSError:
            found.append(b"")
    return found


def _by_program_at_once(data: bytes, most: int) -> bytes:
    import shutil
    import subprocess

    program = shutil.which("zstd")
    if program is None or not os.path.isabs(program):
        raise OSError(MISSING)
    done = subprocess.run(
        [program, "-dcq", MAX_WINDOW],
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode or len(done.stdout) > most:
        raise OSError(DAMAGED)
    return done.stdout
