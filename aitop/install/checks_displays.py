"""The check of every display that is set up: are our lines still in its file, and does it show fresh numbers.

A display that shows old numbers is worse than one that shows none. Reads files and asks a running tmux;
changes nothing.
"""

import os

from aitop import paths
from aitop.install import blocks, files, live_tmux, places, written
from aitop.install.blocks import CSS, HASH, SLASHES
from aitop.install.findings import RESTART, Context, Results, fail, ok, warn
from aitop.system import installation

# host of `init` → the segment that it shows
SEGMENTS = {
    "tmux": "tmux", "bash": "bash", "zsh": "zsh", "fish": "fish", "powerlevel10k": "zsh", "starship": "plain",
    "waybar": "waybar", "swiftbar": "swiftbar", "swiftbar-stream": "swiftbar", "argos": "swiftbar",
}  # fmt: skip


def displays(context: Context) -> Results:
    """One finding for each display; nothing where none is set up."""
    for host in written.hosts():
        mine = [path for path, kept in written.load().items() if host in kept.hosts]
        lost = [path for path in mine if not has_lines(path, host)]
        again = installation.command("init", host, "--write")
        if lost:
            yield warn(f"{host}: the lines of aitop are no longer in {', '.join(lost)}", again)
            continue
        if host == "tmux":
            yield from _tmux(context)
            continue
        segment = SEGMENTS.get(host)
        if segment is not None and not is_fresh(segment, context.now):
            yield fail(
                f"{host}: its numbers are not fresh, so it shows no numbers",
                f"{installation.command('start')}, or {RESTART}",
            )
        else:
            yield ok(f"{host}: {', '.join(mine)}, its numbers are fresh")


def _tmux(context: Context) -> Results:
    if not live_tmux.runs():
        yield ok(f"tmux: {places.tmux_conf()}; no server runs now")
    elif not live_tmux.shows():
        yield warn(
            "tmux: the running server does not show aitop's numbers yet",
            f"tmux source-file {places.tmux_conf()}",
        )
    elif not live_tmux.is_fresh(context.now) and not is_fresh("tmux", context.now):
        yield fail(
            "tmux: its numbers are not fresh, so it shows no numbers",
            f"{installation.command('start')}, or {RESTART}",
        )
    else:
        yield ok(f"tmux: {places.tmux_conf()}, its numbers are fresh")


def has_lines(path: str, host: str) -> bool:
    """Whether a file still holds our lines for a host."""
    try:
        text = files.text_of(path, files.read(path))
        if os.path.basename(path) in ("aitop.fish", "aitop_starship.fish", *places.MENUS.values()):
            return "aitop" in text
        return any(blocks.find(text, host, comment) is not None for comment in (HASH, SLASHES, CSS))
    except (files.Refused, blocks.Unclear):
        return False


def is_fresh(segment: str, now: float) -> bool:
    """Whether a segment may be shown: its file's time is its expiry."""
    try:
        return os.stat(os.path.join(paths.home(), paths.SEGMENTS, segment)).st_mtime > now
    except OSError:
        return False
