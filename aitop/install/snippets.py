"""The lines for each host, taken from integrations/, with this machine's own paths in them.

Paths are absolute: tmux, bars and desktop sessions often start with a PATH that lacks the folder of user programs.
"""

import os
import shlex

# name → the files it prints, in order; {shell} is the user's own
FILES = {
    "tmux": ("tmux/aitop.conf",),
    "bash": ("bash/aitop.bash",),
    "zsh": ("zsh/aitop.zsh",),
    "fish": ("fish/aitop.fish",),
    "powerlevel10k": ("powerlevel10k/aitop.zsh",),
    "starship": ("starship/starship.toml", "starship/aitop.{shell}"),
    "oh-my-posh": ("oh-my-posh/segment.json", "starship/aitop.{shell}", "oh-my-posh/aitop.{shell}"),
    "waybar": ("waybar/config.jsonc", "waybar/style.css"),
    "swiftbar": ("swiftbar/aitop.2s.sh",),
    "swiftbar-stream": ("swiftbar/aitop.sh",),
    "argos": ("argos/aitop.r.2s+.sh",),
    "claude-code": ("claude-code/install.txt",),
    "polybar": ("polybar/config.ini",),
    "i3blocks": ("i3blocks/config",),
    "i3status-rust": ("i3status-rust/config.toml",),
    "sketchybar": ("sketchybar/sketchybarrc",),
    "zellij": ("zellij/layout.kdl",),
    "wezterm": ("wezterm/aitop.lua",),
    "wezterm-jump": ("wezterm/jump.lua",),
    "kitty-jump": ("kitty/jump.sh",),
    "iterm2-jump": ("iterm2/jump.sh",),
}
SHELLS = ("bash", "zsh", "fish")
THEMES = ("plain", "catppuccin", "dracula", "tokyonight", "gruvbox", "powerline")  # of tmux
PLAIN = "set -ag status-right ' #{aitop}'\n"  # what stands for it in tmux/aitop.conf
PLACEHOLDER = "@AITOP@"


def snippet(host: str, shell: str, command: str) -> str:
    """The text to paste."""
    return "\n".join(snippets(host, shell, command))


def snippets(host: str, shell: str, command: str, theme: str = "plain") -> list[str]:
    """Each file of a host, the paths in it as the host needs them; tmux in the colours of a theme."""
    parts = []
    for name in FILES[host]:
        path = os.path.join(folder(), name.format(shell=shell))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if host == "tmux" and theme != "plain":
            with open(os.path.join(folder(), "tmux", "themes", f"{theme}.conf"), encoding="utf-8") as file:
                text = text.replace(PLAIN, file.read())
        at = "starship" if name.startswith("starship/") else host
        for key, value in (
            (quoted(PLACEHOLDER), placed(at, command)),
            (PLACEHOLDER, placed(at, command)),
            ("@PLUGIN@", in_tmux(os.path.join(folder(), "tmux", "aitop.tmux"))),
            ("@FOLDER@", shlex.quote(os.path.join(folder(), "claude-code"))),
        ):
            text = text.replace(key, value)
        parts.append(text)
    return parts


def quoted(text: str) -> str:
    return f"'{text}'"


def placed(host: str, command: str) -> str:
    """The path as a word of sh, then as what stands around it needs it."""
    if host == "tmux":  # the value of an option
        return "'" + command.replace("'", "'\"'\"'") + "'"
    if all(char.isalnum() or char in "/._-+@" for char in command):
        return command
    words = "'" + command.replace("'", "'\\''") + "'"
    if host in (
        "waybar",
        "starship",
        "i3status-rust",
        "sketchybar",
        "zellij",
    ):  # inside a string of their own
        return words.replace("\\", "\\\\").replace('"', '\\"')
    return words


def in_tmux(path: str) -> str:
    """The path as a word of sh inside single quotes of tmux's own; formats look at it before sh does."""
    inner = "".join(f"\\{char}" if char in " \"$`\\&;|<>()*?[]~!'" else char for char in path)
    return inner.replace("#", "##").replace("'", "'\"'\"'")


def folder() -> str:
    """integrations/, inside the package as installed, beside it in a checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for base in (
        os.path.join(package, "integrations"),
        os.path.join(os.path.dirname(package), "integrations"),
    ):
        if os.path.isdir(base):
            return base
    raise FileNotFoundError(2, "the folder of snippets is missing", os.path.join(package, "integrations"))
