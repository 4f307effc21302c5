"""A packed rollout, `rollout-….jsonl.zst`, → events. It reads the one file it is given.

Codex packs a rollout that has rested for a week and removes the plain file. Both are one record: each response,
tool call and error has the same name in both, so the history counts it once, also while both files exist.
"""

from collections.abc import Iterator

from aitop.providers import Parsed, Source
from aitop.providers.codex import rollout
from aitop.providers.zstd_stream import pieces

SLICE = 4 << 20  # bytes of lines that are parsed at once
MAX_LINE = 64 << 20


def read(path: str, source: Source, usual: str = ".codex") -> Iterator[Parsed]:
    """The whole rollout, some megabytes at a time. Raises OSError where it cannot be read or unpacked."""
    state = rollout.identify(path, usual)
    for lines in _lines(path):
        parsed = rollout.parse(lines, 0, state)
        state = Source(parsed.session, None, parsed.pending)
        yield parsed._replace(pending=source.pending)
    yield Parsed([], 0, None, state.session, state.pending)


def _lines(path: str) -> Iterator[bytes]:
    """Runs of whole lines. A line that is too long is left out, and so counts as damaged."""
    rest = bytearray()
    too_long = False
    for piece in pieces(path):
        rest += piece
        if len(rest) < SLICE:
            continue
        cut = rest.rfind(b"\n") + 1
        if too_long and cut:
            first = rest.index(b"\n") + 1
            del rest[:first]
            cut -= first
            too_long = False
        if cut:
            yield bytes(rest[:cut])
            del rest[:cut]
        elif too_long or len(rest) > MAX_LINE:
            rest.clear()
            if not too_long:
                yield b"?\n"
            too_long = True
    if rest and not too_long:
        yield bytes(rest) if rest.endswith(b"\n") else bytes(rest) + b"\n"
