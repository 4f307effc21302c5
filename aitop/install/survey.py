"""What is on this machine that can show or feed our numbers: clients, tmux, shells, bars, themes.

`setup` asks about each; `doctor` checks each. Looks at files and PATH; starts nothing, writes nothing.
"""

import os
import re
import shutil
import sys
from dataclasses import dataclass

from aitop.install import places, roots
from aitop.install.blocks import Unclear
from aitop.install.snippets import SHELLS

# What stands in a tmux configuration → our lines' theme.
TMUX_THEMES = {
    "catppuccin": "catppuccin", "dracula": "dracula", "tokyo-night": "tokyonight", "tokyonight": "tokyonight",
    "gruvbox": "gruvbox", "powerline": "powerline",
}  # fmt: skip
# What starts a prompt program in a shell's file → the host of `init`.
_PROMPT_PROGRAMS = {
    "starship init": "starship",
    "oh-my-posh init": "oh-my-posh",
    ".p10k.zsh": "powerlevel10k",
}


@dataclass(frozen=True, slots=True)
class Display:
    """One place where numbers can be shown, as `init` calls it."""

    host: str
    title: str
    shell: str = "bash"  # with starship: the shell that gets the hook
    folder: str | None = None  # with menu bars: the plugin folder
    note: str = ""
    theme: str = "plain"  # of tmux


def clients() -> dict[str, str]:
    """Every client with a folder of records here: name → its first folder."""
    from aitop import config
    from aitop.providers import selection
    from aitop.providers.load import load

    try:
        configuration = config.load()
    except config.ConfigError:
        configuration = config.Config()
    providers = selection.enabled(load()[0], configuration)
    there = {}
    for name, folders in selection.folders(providers, configuration, dict(os.environ)).items():
        first = next((folder for folder in folders if os.path.exists(folder)), None)
        if first is not None:
            there[name] = first
    return there


def has_claude_code() -> bool:
    return shutil.which("claude") is not None or any(os.path.isdir(root) for root in roots.chosen(()))


def displays() -> list[Display]:
    """Every display that is on this machine, the ones people look at most first."""
    return [*_tmux(), *_shells(), *_bars()]


def _tmux() -> list[Display]:
    if not shutil.which("tmux"):
        return []
    theme = tmux_theme()
    return [Display("tmux", "tmux", note="" if theme == "plain" else f"in the style of {theme}", theme=theme)]


def tmux_theme() -> str:
    """The theme that the user's tmux configuration loads, of those we have colours for; else plain."""
    text = _text_of(places.tmux_conf())
    words = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return next((theme for word, theme in TMUX_THEMES.items() if word in words), "plain")


def login_shell() -> str:
    """bash, zsh or fish, from $SHELL; bash for any other."""
    name = os.path.basename(os.environ.get("SHELL", ""))
    return name if name in SHELLS else "bash"


def _shells() -> list[Display]:
    """The login shell, and the others that are installed and have a file of the user's."""
    login = login_shell()
    chosen = [login, *(shell for shell in SHELLS if shell != login and os.path.exists(_file_of(shell)))]
    return [_prompt(shell) for shell in chosen if shutil.which(shell)]


def _prompt(shell: str) -> Display:
    """The shell's own prompt, or the program that draws it."""
    text = _text_of(_file_of(shell))
    active = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for word, host in _PROMPT_PROGRAMS.items():
        if word in active:
            return Display(host, f"{host} in {shell}", shell)
    return Display(shell, f"{shell} prompt", shell)


def _file_of(shell: str) -> str:
    if shell == "fish":
        return os.path.join(places.config_home(), "fish", "config.fish")
    return places.rc(shell)


def _bars() -> list[Display]:
    bars = []
    waybar = os.path.join(places.config_home(), "waybar")
    if any(os.path.exists(os.path.join(waybar, name)) for name in ("config.jsonc", "config")):
        bars.append(Display("waybar", "Waybar"))
    argos = os.path.join(places.config_home(), "argos")
    if os.path.isdir(argos):
        bars.append(Display("argos", "Argos (GNOME)"))
    if sys.platform == "darwin":
        try:
            bars.append(Display("swiftbar", "SwiftBar", folder=places.plugins("swiftbar")))
        except Unclear:
            pass
    return bars


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return re.sub(r"\x00", "", file.read(1 << 20))
    except OSError:
        return ""
