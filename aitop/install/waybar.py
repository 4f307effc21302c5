"""Waybar's configuration is JSON with comments: add our module to it and take it out, all else byte for byte.

After each change the result is read again and compared with what it should say; a layout where that
fails is refused. Pure.
"""

import re

from aitop.install import blocks, json_text
from aitop.install.blocks import SLASHES, Unclear
from aitop.model.json_types import JsonObject

MODULE = "custom/aitop"
LISTS = ("modules-right", "modules-center", "modules-left")
HOST = "waybar"


def parse(text: str) -> JsonObject:
    """The one bar's configuration. Raises Unclear."""
    try:
        data = json_text.parse(text, comments=True)
    except json_text.NotJson as error:
        raise Unclear(f"cannot be parsed: {error}") from error
    if not text.strip():
        raise Unclear(f'has no list "{LISTS[0]}"; is it the right file?')
    if not isinstance(data, dict):
        raise Unclear("holds several bars; add the module to the one you mean: aitop init waybar")
    return data


def put(text: str, body: str) -> str:
    """The configuration with our module defined and in a list. `body`: `"custom/aitop": {…},`."""
    body = body.strip().rstrip(",") + ","
    definition = json_text.parse("{" + body + "}", comments=True)[MODULE]
    if blocks.find(text, HOST, SLASHES) is not None:
        new = blocks.put(text, HOST, body, SLASHES)
        wanted = {**parse(text), MODULE: definition}
    else:
        before = parse(text)
        if MODULE in before:
            raise Unclear(f'"{MODULE}" is defined already, by hand; remove it first, or leave it as it is')
        wanted = {MODULE: definition, **before}
        start = json_text.plain(text).index("{") + 1
        gap = "" if text[start : start + 1] == "\n" else "\n"
        start += not gap
        new = text[:start] + gap + blocks.block(HOST, body, SLASHES) + text[start:]
    if not any(MODULE in wanted.get(name, []) for name in LISTS):
        name = next((name for name in LISTS if isinstance(wanted.get(name), list)), None)
        if name is None:
            raise Unclear(f'has no list "{LISTS[0]}"; add "{LISTS[0]}": ["{MODULE}"] and run this again')
        new = _into_list(new, name, empty=not wanted[name])
        wanted[name] = [MODULE, *wanted[name]]
    return _checked(new, wanted)


def take(text: str) -> str:
    """The configuration without our block and without our name in the lists."""
    before = parse(text)
    if blocks.find(text, HOST, SLASHES) is None:
        return text
    wanted = {key: value for key, value in before.items() if key != MODULE}
    new = blocks.take(text, HOST, SLASHES)
    for name in LISTS:
        if MODULE in wanted.get(name, []):
            wanted[name] = [item for item in wanted[name] if item != MODULE]
            start, end = _list(new, name)
            inside = new[start:end]
            ours = f'"{MODULE}", '
            if ours in inside:
                shorter = inside.replace(ours, "", 1)
            else:
                shorter = re.sub(rf'"{MODULE}"\s*,|,?\s*"{MODULE}"', "", inside, count=1)
            new = new[:start] + shorter + new[end:]
    return _checked(new, wanted)


def _into_list(text: str, name: str, *, empty: bool) -> str:
    start, _ = _list(text, name)
    return f'{text[:start]}"{MODULE}"{"" if empty else ", "}{text[start:]}'


def _list(text: str, name: str) -> tuple[int, int]:
    """Between the brackets of a list of the bar itself. Raises Unclear."""
    place = json_text.inside_list(text, name)
    if place is None:
        raise Unclear(f'the list "{name}" was not found; add "{MODULE}" to it by hand')
    return place


def _checked(new: str, wanted: JsonObject) -> str:
    if parse(new) != wanted:
        raise Unclear("its layout is unusual; paste the lines yourself: aitop init waybar")
    return new
