"""What may never happen, whatever the input: the properties, and the words to say which one broke.

Each check raises `Broken` or returns. Displays are judged by what their host would do with the text:
a terminal with a control, tmux with a `#`, a shell with `$`, Pango with `<`, SwiftBar with `|`.
"""

import json
import math
import re
import unicodedata
from typing import Any
from xml.etree import ElementTree as ET

SECONDS = 5.0  # processor time of one input, hundreds of times what it takes
_SGR = r"\x1b\[(?:0|2|33|1;31)m"
_SHAPES = {
    "plain": re.compile(r".*", re.DOTALL),
    "fish": re.compile(rf"(?:{_SGR}|[^\x1b])*"),
    "statusline": re.compile(rf"(?:{_SGR}|[^\x1b])*"),
    "bash": re.compile(rf"(?:\x01{_SGR}\x02|\$\x01\x02|[^\x01\x02\x1b\\`!$])*"),
    "zsh": re.compile(r"(?:%%|\$%\{%\}|%F\{(?:yellow|red)\}|%[Bbf]|[^%$\\`!])*"),
    "tmux": re.compile(r"(?:##|#\[(?:push-default|pop-default|default|fg=yellow|fg=red,bold)\]|[^#])*"),
}
_OURS = re.compile(rf"\x01{_SGR}\x02|\x01\x02|{_SGR}")
_UNSEEN = ("Cc", "Cs", "Cf", "Zl", "Zp")
_BELOW_ZERO = frozenset({"left_usd", "pace_points"})  # a budget overdrawn, a limit used slower than it passes


class Broken(AssertionError):  # noqa: N818
    """A property that did not hold."""


def line(display: str, text: str) -> None:
    """One display's text: one line (a menu: several), inert in its host."""
    if display == "waybar":
        _waybar(text)
    elif display == "swiftbar":
        _swiftbar(text)
    else:
        kind = display.removesuffix("-plain")
        if not _SHAPES[kind].fullmatch(text):
            raise Broken(f"{display} would be interpreted: {text!r}")
        printable(text if kind in ("plain", "tmux", "zsh") else _OURS.sub("", text), display)


def printable(text: str, where: str, *, newlines: bool = False) -> None:
    """No control, no format character, no half character."""
    if newlines:
        text = text.replace("\n", "")
    if text.isascii() and (text.isprintable() or not text):
        return
    for char in text:
        if not " " <= char <= "~" and unicodedata.category(char) in _UNSEEN:
            raise Broken(f"{where} shows {char!r}: {text[:400]!r}")


def _waybar(text: str) -> None:
    if "\n" in text:
        raise Broken(f"waybar's object is more than one line: {text!r}")
    try:
        shown = json.loads(text)
        parts = [(key, ET.fromstring(f"<x>{_xml(shown[key])}</x>")) for key in ("text", "tooltip")]
    except (ValueError, KeyError, ET.ParseError) as error:
        raise Broken(f"waybar: {error}: {text[:400]!r}") from error
    for key, tree in parts:
        if {node.tag for node in tree.iter()} - {"x", "b", "tt"}:
            raise Broken(f"waybar's {key} has markup of another's: {shown[key]!r}")
        printable("".join(tree.itertext()), f"waybar's {key}", newlines=key == "tooltip")
    if not isinstance(shown["percentage"], int) or not 0 <= shown["percentage"] <= 100:
        raise Broken(f"waybar's percentage is {shown['percentage']!r}")


def _xml(text: str) -> str:
    """Without the characters that XML lacks; Pango takes them, as signs nobody has."""
    return "".join(char for char in text if unicodedata.category(char) != "Cn" and char not in "\ufffe\uffff")


def _swiftbar(text: str) -> None:
    lines = text.split("\n")
    if not lines[0].strip() or lines[0].startswith("--"):
        raise Broken(f"swiftbar's header is {lines[0]!r}")
    for one in lines:
        title, _, options = one.partition("|")
        printable(title, "swiftbar")
        ours = (
            any(word in options for word in ("param1=top terminal", "param1=start terminal"))
            or title == "Refresh "
        )
        strange = "|" in options or (not ours and re.search(r"bash=|refresh=|href=|shell=", options))
        submenu = one != "---" and one.removeprefix("--").startswith("-")
        if strange or submenu or not title.strip():
            raise Broken(f"swiftbar does what nobody put there: {one!r}")


def numbers(value: Any, where: str = "state") -> None:
    """Every number of a published value is finite and, but for the few that may, not below zero."""
    if isinstance(value, dict):
        for key, one in value.items():
            numbers(one, f"{where}.{key}"[:200])
    elif isinstance(value, list | tuple):
        for one in value:
            numbers(one, where)
    elif (
        isinstance(value, float)
        and not math.isfinite(value)
        or isinstance(value, int | float)
        and value < 0
        and where.rpartition(".")[2] not in _BELOW_ZERO
    ):
        raise Broken(f"{where} is {value}")
