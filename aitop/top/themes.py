"""Names of styles → colours. A screen that says the same without any of them: marks, words and places carry it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.style import Style
from textual.theme import Theme


class Palette(NamedTuple):
    """The colours of one theme; "" leaves the terminal's own."""

    ground: str
    text: str
    dim: str
    frame: str
    title: str
    accent: str
    good: str
    warning: str
    critical: str
    money: str
    tokens: str
    fresh: str
    written: str
    read: str
    context: str
    cursor: str
    header: str
    dark: bool = True


PALETTES = {
    "dark": Palette(
        "#14161f", "#c8d0e0", "#76809a", "#343b52", "#8fb4ff", "#c0a2ff", "#7fd88f", "#f2c14e", "#ff6b6b", "#e9d18b",
        "#5fb3d4", "#ff9e64", "#bb9af7", "#4fb7a5", "#6f9df1", "#2a3350", "#1d2130",
    ),
    "light": Palette(
        "#fbfbf8", "#22262e", "#6d7480", "#c9cdd4", "#1f4fb8", "#7a3fc0", "#1d7f3b", "#9a6400", "#c0202a", "#7a5c00",
        "#0f6f93", "#b4500f", "#7a3fc0", "#0d766a", "#2c5fc4", "#d9e4fb", "#eceef1", dark=False,
    ),
    "terminal": Palette(
        "", "", "bright_black", "bright_black", "bright_blue", "bright_magenta", "green", "yellow", "bright_red",
        "yellow", "cyan", "bright_red", "magenta", "cyan", "blue", "", "",
    ),
    # NO_COLOR: bold, reverse and the marks say it all
    "mono": Palette("", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", ""),
    "contrast": Palette(
        "#000000", "#ffffff", "#d0d0d0", "#a8a8a8", "#ffff00", "#ff9cff", "#00ff66", "#ffd000", "#ff7070", "#ffff66",
        "#66e0ff", "#ffb070", "#d8a8ff", "#66ffe0", "#90c0ff", "#0000c8", "#303030",
    ),
}  # fmt: skip
PLAIN = {"name": "", "branch": "", "model": ""}


@lru_cache(maxsize=512)
def style(theme: str, name: str) -> Style:
    """The style of one or more names (`critical banner`, `money bold`)."""
    pieces = base(theme)
    for word in name.split():
        pieces += cursor(theme) if word == "cursor" else _word(PALETTES[theme], word)
    return pieces


@lru_cache(maxsize=16)
def base(theme: str) -> Style:
    palette = PALETTES[theme]
    return Style(color=palette.text or None, bgcolor=palette.ground or None)


@lru_cache(maxsize=16)
def cursor(theme: str) -> Style:
    """What the row under the cursor gets on top."""
    ground = PALETTES[theme].cursor
    return Style(bgcolor=ground, bold=True) if ground else Style(reverse=True)


def _word(palette: Palette, word: str) -> Style:
    if word == "bold":
        return Style(bold=True)
    if word == "banner":
        return Style(reverse=True, bold=True)
    if word == "tab":
        return Style(color=palette.title or None, bold=True, reverse=True)
    if word == "header":
        return Style(color=palette.dim or None, bgcolor=palette.header or None, bold=True)
    if word == "sorted":
        return Style(color=palette.title or None)
    if word == "key":
        return Style(color=palette.title or None, bgcolor=palette.header or None, bold=True)
    if word == "label":
        return Style(color=palette.text or None, bgcolor=palette.header or None)
    if word == "bar":
        return Style(color=palette.context or None)
    if word == "rest":
        return Style(color=palette.frame or None)
    if word in ("name", "brand"):
        return Style(bold=True)
    if word == "branch":
        return Style(color=palette.read or None)
    if word == "model":
        return Style(color=palette.context or None)
    colour = getattr(palette, word, "")
    return Style(color=colour or None, bold=True if word in ("critical", "title") else None)


# What Textual's own widgets need to know where colours are the terminal's.
ANSI = {
    "ansi-background": "ansi_black", "ansi-foreground": "ansi_white", "border-blurred": "ansi_black",
    "block-cursor-foreground": "ansi_black", "block-cursor-background": "ansi_white",
    "input-cursor-background": "ansi_white", "input-cursor-foreground": "ansi_black",
    "input-cursor-text-style": "reverse", "input-selection-background": "ansi_blue",
    "input-selection-foreground": "ansi_white", "screen-selection-background": "ansi_blue",
    "screen-selection-foreground": "ansi_white", "scrollbar": "ansi_white", "scrollbar-hover": "ansi_bright_white",
    "scrollbar-active": "ansi_bright_white", "scrollbar-background": "ansi_black",
    "scrollbar-background-hover": "ansi_black", "scrollbar-background-active": "ansi_black",
    "scrollbar-corner-color": "ansi_default",
}  # fmt: skip


def _scrollbar(palette: Palette) -> dict[str, str]:
    ground = palette.ground
    return {
        "scrollbar": palette.frame, "scrollbar-hover": palette.dim, "scrollbar-active": palette.title,
        "scrollbar-background": ground, "scrollbar-background-hover": ground,
        "scrollbar-background-active": ground, "scrollbar-corner-color": ground,
    }  # fmt: skip


def textual_themes() -> list[Theme]:
    """The same for what Textual draws itself: input lines, scroll bars, dialogs."""
    themes = []
    for name, palette in PALETTES.items():
        ground, text = palette.ground or "ansi_default", palette.text or "ansi_default"
        ansi = not palette.ground
        themes.append(
            Theme(
                name=f"aitop-{name}",
                primary="ansi_blue" if ansi else palette.title,
                foreground=text,
                background=ground,
                surface=ground,
                panel=ground,
                boost=ground,
                dark=palette.dark,
                ansi=ansi,
                variables=ANSI if ansi else _scrollbar(palette),
            )
        )  # fmt: skip
    return themes
