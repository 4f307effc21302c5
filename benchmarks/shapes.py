"""What a history of many files costs: real-shaped transcripts, and 20,000 tiny ones.

The peer is ccusage's native binary on the same files. Memory is the peak of all processes of a program, summed.
"""

import json
import os
import shutil
import socket
import tempfile
import time

from benchmarks import homes, shaped
from benchmarks.growth import Place, first_row
from benchmarks.harness import Row, disturbed, least, median, missing, rounds

COPIES, TINY_FILES = 100, 20_000  # 7,000 files and 0.8 GB; 27 MB
QUICK_COPIES, QUICK_TINY_FILES = 1, 200
ROOM = 3e9  # bytes
ASKED = {
    "session_id": "be7c0000-0000-4000-8000-000000000000",
    "model": {"id": "claude-opus-5-5", "display_name": "Opus"},
}


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
    yield _turns(shown, place)
    place.first_read()
    again = rounds({"again": place.report}, place.times, 20, warm=1)["again"]
    if peer:
        took, theirs = median(again), median(peer)
        yield Row(f"`aitop report models` once that is known, {shown}", "≤ 0.2 × the peer", f"{took:.3f} s",
                  f"{theirs:.2f} s ccusage, which reads it all again", took / theirs, took <= 0.2 * theirs,
                  disturbed(took <= 0.2 * theirs, least(again) <= 0.2 * least(peer)), ahead=took < theirs)  # fmt: skip


def _turns(shown, place):
    """How long the listener's loop works without hearing anybody while it reads all of this for the first time."""
    homes.clear(place.home)
    waits = []
    with homes.listening(place.home, place.claude, AITOP_LOG_LEVEL="debug") as listener:
        while not (state := homes.state(place.home)) or not state["scan"]["complete"]:
            waits.append(_answer(place.home))
            time.sleep(0.02)
            if listener.process.poll() is not None or len(waits) > 20_000:
                break
    with open(os.path.join(place.home, "aitop.log")) as file:
        turns = [
            float(line.rpartition(" took ")[2].split()[0]) for line in file if "longest turn took" in line
        ]
    longest, waited = max(turns) * 1000, max(filter(None, waits), default=0.0) * 1000
    return Row(f"longest turn of the listener while it reads {shown}", "≤ 20 ms of processor time",
               f"{longest:.0f} ms; a status line waited {waited:.0f} ms at most", within=longest <= 20,
               values={"longest_ms": longest, "longest_wait_ms": waited, "asked": len(waits)})  # fmt: skip


def _answer(home):
    """Seconds until a status line that asks now is answered; None where nobody listens yet."""
    began = time.perf_counter()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        try:
            peer.connect(os.path.join(home, "claudecode.sock"))
            peer.sendall(
                b"aitop/1\tprovider=claude-code\tevent=StatusLine\tanswer=line\n" + json.dumps(ASKED).encode()
            )
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65_536):
                pass
        except OSError:
            return None
    return time.perf_counter() - began


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
