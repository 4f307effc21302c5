"""The options of a display's command line, read without click: a bar may run it each second."""

from __future__ import annotations

from aitop.segments import DISPLAYS, presets, template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

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


def parsed(word: str, argv: list[str]) -> Options:
    """The options of `aitop WORD ARGV…`. Raises ValueError with a sentence for the user."""
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
            options_of_word = [
                *VALUED,
                "--follow",
                "--help",
                *(("--cycle", "--open") if word == "waybar" else ()),
            ]
            raise ValueError(
                f"unknown option {argument}{_nearest(name, options_of_word)}; try: aitop {word} --help"
            )
    _check(options)
    return options


def _nearest(typed: str, options: Iterable[str]) -> str:
    from aitop.system import help_text

    return help_text.nearest(typed, options)


def _check(options: Options) -> None:
    if options.shell is not None and (options.word != "prompt" or options.shell not in SHELLS):
        near = _nearest(options.shell, SHELLS)
        raise ValueError(f"--shell is for prompt and one of {', '.join(SHELLS)}{near}")
    if options.word == "prompt":
        options.display = options.shell or "plain"
    if options.preset is not None and options.preset not in presets.NAMES:
        near = _nearest(options.preset, presets.NAMES)
        raise ValueError(f"--preset is one of {', '.join(presets.NAMES)}, not {options.preset}{near}")
    if sum(given is not None for given in (options.preset, options.format, options.segment)) > 1:
        raise ValueError("--preset, --format and --segment exclude each other")
    if options.provider is not None and options.segment is not None:
        raise ValueError("--provider is not for --segment: give the segment its `provider` instead")
    if options.format is not None:
        wrong = template.problem(options.format)
        if wrong:
            raise ValueError(f"--format: {wrong}")
    if options.segment is not None and not options.segment.replace("-", "").replace("_", "").isalnum():
        names = ", ".join(DISPLAYS)
        raise ValueError(f"--segment is a name from the configuration's [segments.NAME], or one of {names}")
