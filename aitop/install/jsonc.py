"""Waybar's configuration is JSON with comments: add our module to it and take it out, all else byte for byte.

Comments and commas too many are blanked out, character for character, so that positions found in the
plain JSON hold in the text. After each change the result is read again and compared with what it should
say; a layout where that fails is refused. Pure.
"""

import json
import re
from typing import Any

from aitop.install import blocks
from aitop.install.blocks import SLASHES, Unclear

MODULE = "custom/aitop"
LISTS = ("modules-right", "modules-center", "modules-left")
HOST = "waybar"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|[{}\[\],]|.', re.DOTALL)


def plain(text: str) -> str:
    """The same text with comments and trailing commas as spaces."""
    out: list[str] = []
    comma: int | None = None  # where a comma stands that nothing has followed yet
    for match in _TOKEN.finditer(text):
        found = match.group()
        if found.startswith(("//", "/*")):
            out.append(re.sub(r"[^\n]", " ", found))
            continue
        if found in ("}", "]") and comma is not None:
            out[comma] = " "
        if not found.isspace():
            comma = len(out) if found == "," else None
        out.append(found)
    return "".join(out)


def parse(text: str) -> dict[str, Any]:
    """The one bar's configuration. Raises Unclear."""
    try:
        data = json.loads(plain(text))
    except json.JSONDecodeError as error:
        raise Unclear(f"line {error.lineno}, column {error.colno}: cannot be parsed: {error.msg}") from error
    if not isinstance(data, dict):
        raise Unclear("holds several bars; add the module to the one you mean: aitop init waybar")
    return data


def put(text: str, body: str) -> str:
    """The configuration with our module defined and in a list. `body`: `"custom/aitop": {…},`."""
    body = body.strip().rstrip(",") + ","
    definition = json.loads("{" + plain(body).strip().rstrip(",") + "}")[MODULE]
    if blocks.find(text, HOST, SLASHES) is not None:
        new = blocks.put(text, HOST, body, SLASHES)
        wanted = {**parse(text), MODULE: definition}
    else:
        before = parse(text)
        if MODULE in before:
            raise Unclear(f'"{MODULE}" is defined already, by hand; remove it first, or leave it as it is')
        wanted = {MODULE: definition, **before}
        start = plain(text).index("{") + 1
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
    """Between the brackets of a list of the bar itself."""
    blank, depth = plain(text), 0
    for match in _TOKEN.finditer(blank):
        token = match.group()
        depth += (token in ("{", "[")) - (token in ("}", "]"))
        if depth == 1 and token == f'"{name}"':
            opened = re.compile(r"\s*:\s*\[").match(blank, match.end())
            if opened:
                return opened.end(), blank.index("]", opened.end())
    raise Unclear(f'the list "{name}" was not found; add "{MODULE}" to it by hand')


def _checked(new: str, wanted: dict[str, Any]) -> str:
    if parse(new) != wanted:
        raise Unclear("its layout is unusual; paste the lines yourself: aitop init waybar")
    return new
