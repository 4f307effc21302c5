"""Unpacks a copy of a compressed answer for reading, while the original is relayed unchanged.

An answer that cannot be unpacked is not read and is no error: its request is counted without usage.
"""

import zlib
from collections.abc import Callable, Iterator

from aitop.providers import zstd_stream

SLICE = 1 << 20  # bytes unpacked at once
Unpack = Callable[[bytes], Iterator[bytes]]


def unpacker(encoding: str) -> Unpack | None:
    """The unpacker of a `Content-Encoding`: packed bytes → unpacked ones; None for an unknown encoding."""
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        return lambda data: iter((data,))
    if kind in ("gzip", "x-gzip", "deflate"):
        return _zlib(kind)
    if kind == "br":
        return _brotli()
    return _zstd() if kind == "zstd" else None


def _zlib(kind: str) -> Unpack:
    state = zlib.decompressobj(zlib.MAX_WBITS if kind == "deflate" else zlib.MAX_WBITS | 16)

    def unpack(data: bytes) -> Iterator[bytes]:
        while data and not state.eof:
            yield state.decompress(data, SLICE)
            data = state.unconsumed_tail

    return unpack


def _brotli() -> Unpack:
    import brotli  # type: ignore[import-untyped]

    state = brotli.Decompressor()

    def unpack(data: bytes) -> Iterator[bytes]:
        yield state.process(data, output_buffer_limit=SLICE)
        while not state.can_accept_more_data():
            yield state.process(b"", output_buffer_limit=SLICE)

    return unpack


def _zstd() -> Unpack | None:
    state = zstd_stream.decompressor()
    if state is None:
        return None

    def unpack(data: bytes) -> Iterator[bytes]:
        yield state.decompress(data, SLICE)
        while not (state.needs_input or state.eof):
            yield state.decompress(b"", SLICE)

    return unpack
