"""What a history of many files costs: real-shaped transcripts, and 20,000 tiny ones.

The peer is ccusage's native binary on the same files. Memory is the peak of all processes of a program, summed.
"""

import os
import shutil
import tempfile

from benchmarks import homes, shaped
from benchmarks.growth import Place, first_row
from benchmarks.harness import Row, disturbed, least, median, missing, rounds

COPIES, TINY_FILES = 100, 20_000  # 7,000 files and 0.8 GB; 27 MB
QUICK_COPIES, QUICK_TINY_FILES = 1, 200
ROOM = 3e9  # bytes


def shapes(effort):
    """First read, first right today, and the report once more, for both shapes."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < ROOM and not effort.quick:
        yield missing("first read of many files", "", f"only {free / 1e9:.1f} GB are free on the disk")
        return
    for name, limit, make in (
        (
            "real-shaped",
            2.0,
            lambda folder: [folder.copy(n) for n in range(effort.times(COPIES, QUICK_COPIES))],
        ),
        ("tiny", 2.5, lambda folder: folder.tiny(effort.times(TINY_FILES, QUICK_TINY_FILES))),
    ):
        with homes.folder() as home:
            claude = os.path.join(home, "claude")
            folder = shaped.Folder(claude)
            make(folder)
            yield from _rows(Place(home, claude, folder.truth, effort), name, limit)


def _rows(place, name, limit):
    shown = f"{place.truth['files']:,} {name} files, {place.shown}"
    calls = {"first": place.first_read, "today": place.first_today}
    calls |= {"peer": place.ccusage} if place.binary else {}
    found = rounds(calls, place.times, place.seconds, warm=0)
    right = place.counted_right()
    peer = found.get("peer")
    yield first_row(f"first read of {shown}", place, found["first"], peer, right, limit)
    yield _today(f"first right today after a start, {shown}", place, found["today"], peer)
    place.first_read()
    again = rounds({"again": place.report}, place.times, 20, warm=1)["again"]
    if peer:
        took, theirs = median(again), median(peer)
        yield Row(f"`aitop report models` once that is known, {shown}", "≤ 0.2 × the peer", f"{took:.3f} s",
                  f"{theirs:.2f} s ccusage, which reads it all again", took / theirs, took <= 0.2 * theirs,
                  disturbed(took <= 0.2 * theirs, least(again) <= 0.2 * least(peer)), ahead=took < theirs)  # fmt: skip


def _today(what, place, ours, peer):
    took = median(ours)
    values = {"seconds": took, "min_seconds": least(ours), "files": place.truth["files"], "runs": len(ours)}
    if not peer:
        return Row(
            what, "ahead of ccusage daily", f"{took:.2f} s", f"not measured: {place.peer}", values=values
        )
    theirs = median(peer)
    return Row(what, "ahead of `ccusage daily`", f"{took:.2f} s (min {least(ours):.2f})",
               f"{theirs:.2f} s {place.peer}, native", took / theirs, took < theirs,
               disturbed(took < theirs, least(ours) < least(peer)), {**values, "peer_seconds": theirs},
               took < theirs)  # fmt: skip
