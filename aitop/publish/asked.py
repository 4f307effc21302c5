"""Renders what was asked for with options, beside the segments of the configuration: name → text."""

from aitop import guard, segments
from aitop.model.json_types import JsonObject
from aitop.segments import asked, options
from aitop.state import only


def texts(state: JsonObject, home: str, now: float) -> dict[str, str]:
    """Every command line asked for lately, and `guard` alone; what cannot be rendered is left out."""
    rendered = {"guard": guard.prepared(state, now, []) or ""}
    for name in asked.known(home, now):
        command = asked.command_of(name)
        text = None if command is None else _text(state, *command, now)
        if text is not None:
            rendered[name] = text
    return rendered


def _text(state: JsonObject, word: str, argv: list[str], plain: bool, now: float) -> str | None:
    if word == "guard":
        return guard.prepared(state, now, argv)
    try:
        chosen = options.parsed(word, argv)
    except ValueError:
        return None  # written by another version
    part = state if chosen.provider is None else only(state, chosen.provider)
    if part is None or chosen.segment is not None or chosen.follow:
        return None
    display = chosen.display
    if plain and display not in segments.DOCUMENTS:
        display += segments.PLAIN_SUFFIX
    return segments.render(part, display, preset=chosen.preset, template=chosen.format, now=now)
