"""What the sh front hands over: a display with options, one line or a stream of them.

Reads published files only and never disturbs its host: trouble at run time is silence or the `off`
line and exit 0, wrong usage is one sentence and exit 2. No click: a bar may run this each second.
"""

from __future__ import annotations

import os
import sys
import time

from aitop import paths, state
from aitop.segments import PLAIN_SUFFIX, asked, render
from aitop.segments.options import Options, parsed

COLOURED = ("tmux", "bash", "zsh")


def main(word: str, argv: list[str]) -> int:
    """Run `aitop WORD ARGV…`; the exit code."""
    if any(argument in ("-h", "--help") for argument in argv):
        from aitop.segments import usage
        from aitop.system import help_text

        return _print(help_text.fitted(usage.text(word), help_text.columns()))
    try:
        options = parsed(word, argv)
    except ValueError as error:
        print(f"aitop {word}: {error}", file=sys.stderr)
        return 2
    if options.cycle or options.open:
        from aitop.segments import click

        return click.cycle() if options.cycle else click.open_top()
    if options.follow:
        from aitop.segments import follow

        return follow.run(options, shown, source)
    if not _is_rendered(options):
        name = asked.name_of(word, argv, plain=bool(os.environ.get("NO_COLOR")))
        if name is not None:
            asked.remember(name)
    return _print(shown(options, time.time()))


def shown(options: Options, now: float) -> str:
    """What the display shows now: its text, or what stands for no fresh numbers."""
    text = current(options, now)
    return off(options.word) if text is None else text


def current(options: Options, now: float) -> str | None:
    """The display's text now, or None when there are no fresh numbers."""
    try:
        if _is_rendered(options):
            return _segment(options, now)
        published = state.read(options.provider)
        if published is None or not state.is_fresh(published, now):
            return None
        display = options.display
        if os.environ.get("NO_COLOR") and display not in ("waybar", "swiftbar"):
            display += PLAIN_SUFFIX
        return render(published, display, preset=options.preset, template=options.format, now=now)
    except Exception:  # whatever the state holds, a status line is no place for a traceback
        return None


def off(word: str) -> str:
    """What a display shows without fresh numbers: a prompt and tmux nothing, a bar an off state."""
    if word == "waybar":
        from aitop.segments import waybar

        return waybar.OFF
    if word == "swiftbar":
        from aitop.segments import swiftbar

        return swiftbar.off()
    return ""


def source(options: Options) -> str:
    """The published file the text comes from."""
    if _is_rendered(options):
        return os.path.join(paths.in_home(paths.SEGMENTS), _segment_name(options))
    return paths.in_home(paths.STATE)


def _is_rendered(options: Options) -> bool:
    """Whether the listener has rendered what is asked for already."""
    return options.preset is None and options.format is None and options.provider is None


def _segment_name(options: Options) -> str:
    if options.segment is not None:
        return options.segment
    plain = bool(os.environ.get("NO_COLOR"))
    if options.display == "fish":
        return "plain" if plain else "fish"
    return f"{options.display}{PLAIN_SUFFIX}" if plain and options.display in COLOURED else options.display


def _segment(options: Options, now: float) -> str | None:
    """The rendered file's text while it is fresh: its mtime is its expiry."""
    try:
        with open(paths.opened(source(options)), "rb") as file:
            if os.fstat(file.fileno()).st_mtime <= now:
                return None
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return None
    return text.split(" ", 2)[-1].rstrip("\n")


def _print(text: str) -> int:
    """The text and a newline in one write; a reader that has left is no error."""
    if not text:
        return 0
    try:
        os.write(1, text.encode("utf-8", "replace") + b"\n")
    except OSError:
        os._exit(0)  # without Python's own flush of a broken stdout, which would complain
    return 0
