"""What the sh front hands over: a display with options, one line or a stream of them.

Reads published files only and never disturbs its host: trouble at run time is silence or the `off`
line and exit 0, wrong usage is one sentence and exit 2. No click: a bar may run this each second.
"""

from __future__ import annotations

import os
import sys
import time

from aitop import paths, state
from aitop.segments import DISPLAYS, PLAIN_SUFFIX, presets, render, swiftbar, template, waybar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

COLOURED = ("tmux", "bash", "zsh")
SHELLS = ("bash", "zsh", "fish", "plain")
VALUED = {"--preset": "preset", "--format": "format", "--segment": "segment", "--shell": "shell",
          "--provider": "provider"}  # fmt: skip


class Options:
    """What the command line asked for."""

    __slots__ = ("cycle", "display", "follow", "format", "open", "preset", "provider", "segment", "shell",
                 "word")  # fmt: skip

    def __init__(self, word: str) -> None:
        self.word = word
        self.display = word
        self.preset: str | None = None
        self.format: str | None = None
        self.segment: str | None = None
        self.provider: str | None = None
        self.shell: str | None = None
        self.follow = False
        self.cycle = False
        self.open = False


def main(word: str, argv: list[str]) -> int:
    """Run `aitop WORD ARGV…`; the exit code."""
    if any(argument in ("-h", "--help") for argument in argv):
        from aitop.segments import usage

        return _print(usage.text(word))
    try:
        options = _options(word, argv)
    except ValueError as error:
        print(f"aitop {word}: {error}", file=sys.stderr)
        return 2
    if options.cycle or options.open:
        from aitop.segments import click

        return click.cycle() if options.cycle else click.open_top()
    if options.follow:
        from aitop.segments import follow

        return follow.run(options)
    text = current(options, time.time())
    return _print(off(options.word) if text is None else text)


def current(options: Options, now: float) -> str | None:
    """The display's text now, or None when there are no fresh numbers."""
    try:
        if _is_rendered(options):
            return _segment(options, now)
        found = state.read(options.provider)
        if found is None or not state.is_fresh(found, now):
            return None
        display = options.display
        if os.environ.get("NO_COLOR") and display not in ("waybar", "swiftbar"):
            display += PLAIN_SUFFIX
        return render(found, display, preset=options.preset, template=options.format, now=now)
    except Exception:  # whatever the state holds, a status line is no place for a traceback
        return None


def off(word: str) -> str:
    """What a display shows without fresh numbers: a prompt and tmux nothing, a bar an off state."""
    return {"waybar": waybar.OFF, "swiftbar": swiftbar.off()}.get(word, "")


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
        with open(source(options), "rb") as file:
            if os.fstat(file.fileno()).st_mtime <= now:
                return None
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return None
    return text.split(" ", 2)[-1].rstrip("\n")


def _options(word: str, argv: list[str]) -> Options:
    options = Options(word)
    rest = list(argv)
    while rest:
        argument = rest.pop(0)
        name, equals, value = argument.partition("=")
        if argument == "--follow":
            options.follow = True
        elif word == "waybar" and argument in ("--cycle", "--open"):
            setattr(options, argument[2:], True)
        elif name in VALUED:
            if not equals:
                if not rest:
                    raise ValueError(f"{name} needs a value; try: aitop {word} --help")
                value = rest.pop(0)
            setattr(options, VALUED[name], value)
        else:
            raise ValueError(f"unknown option {argument}; try: aitop {word} --help")
    _check(options)
    return options


def _check(options: Options) -> None:
    if options.shell is not None and (options.word != "prompt" or options.shell not in SHELLS):
        raise ValueError(f"--shell is for prompt and one of {', '.join(SHELLS)}")
    if options.word == "prompt":
        options.display = options.shell or "plain"
    if options.preset is not None and options.preset not in presets.NAMES:
        raise ValueError(f"--preset is one of {', '.join(presets.NAMES)}, not {options.preset}")
    if sum(given is not None for given in (options.preset, options.format, options.segment)) > 1:
        raise ValueError("--preset, --format and --segment exclude each other")
    if options.provider is not None and options.segment is not None:
        raise ValueError("--provider is not for --segment: give the segment its `provider` instead")
    if options.format is not None:
        wrong = template.problem(options.format)
        if wrong:
            raise ValueError(f"--format: {wrong}")
    if options.segment is not None and not options.segment.replace("-", "").replace("_", "").isalnum():
        known = ", ".join(DISPLAYS)
        raise ValueError(f"--segment is a name from the configuration's [segments.NAME], or one of {known}")


def _print(text: str) -> int:
    """The text and a newline in one write; a reader that has left is no error."""
    if not text:
        return 0
    try:
        os.write(1, text.encode("utf-8", "replace") + b"\n")
    except OSError:
        leave()
    return 0


def leave() -> NoReturn:
    """End at once without Python's own flush of a broken stdout, which would complain."""
    os._exit(0)
