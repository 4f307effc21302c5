"""`aitop init HOST`: the lines to paste, taken from integrations/, with this machine's own path.

Prints and changes nothing. The path is absolute: tmux, bars and desktop sessions often start with a
PATH that lacks the folder of user programs.
"""

from __future__ import annotations

import os
import shutil
import sys

import click

# host → the files it prints, in order; {shell} is the user's own
FILES = {
    "tmux": ("tmux/aitop.conf",),
    "bash": ("bash/aitop.bash",),
    "zsh": ("zsh/aitop.zsh",),
    "fish": ("fish/aitop.fish",),
    "starship": ("starship/starship.toml", "starship/aitop.{shell}"),
    "waybar": ("waybar/config.jsonc", "waybar/style.css"),
    "swiftbar": ("swiftbar/aitop.2s.sh",),
}
SHELLS = ("bash", "zsh", "fish")
PLACEHOLDER = "@AITOP@"


@click.command()
@click.argument("host", type=click.Choice(tuple(FILES)))
@click.option(
    "--shell", type=click.Choice(SHELLS), help="With starship: whose hook; default: that of $SHELL."
)
def init(host: str, shell: str | None) -> None:
    """Print the snippet for tmux, a shell, starship, Waybar or SwiftBar.

    Each snippet says where it belongs. Shells may also load it each time they start:
    eval "$(aitop init bash)".
    """
    if shell is not None and host != "starship":
        raise click.UsageError("--shell is for starship: aitop init starship --shell zsh")
    try:
        click.echo(snippet(host, shell or login_shell(), front()), nl=False)
    except OSError as error:
        raise click.ClickException(f"{error}; install aitop-status again") from error


def login_shell() -> str:
    """bash, zsh or fish, from $SHELL."""
    name = os.path.basename(os.environ.get("SHELL", ""))
    return name if name in SHELLS else "bash"


def snippet(host: str, shell: str, command: str) -> str:
    """The text to paste, the command's path in it as the host needs it."""
    parts = []
    for name in FILES[host]:
        with open(os.path.join(folder(), name.format(shell=shell)), encoding="utf-8") as file:
            parts.append(
                file.read()
                .replace(quoted(PLACEHOLDER), placed(host, command))
                .replace(PLACEHOLDER, placed(host, command))
            )
    return "\n".join(parts)


def quoted(text: str) -> str:
    return f"'{text}'"


def placed(host: str, command: str) -> str:
    """The path quoted for sh, then for what stands around it."""
    plain = all(char.isalnum() or char in "/._-+@" for char in command)
    if plain:
        return command
    if host == "tmux":
        # Inside single quotes of tmux's own, and strftime and formats look at it before sh does.
        inner = "".join(f"\\{char}" if char in " \"$`\\&;|<>()*?[]~!'" else char for char in command)
        return inner.replace("%", "%%").replace("#", "##").replace("'", "'\"'\"'")
    words = "'" + command.replace("'", "'\\''") + "'"
    if host in ("waybar", "starship"):  # inside a string of JSON or TOML
        return words.replace("\\", "\\\\").replace('"', '\\"')
    return words


def front() -> str:
    """The absolute path of the `aitop` that runs now; the name on PATH when it is the same file.

    A link such as ~/.local/bin/aitop outlives an upgrade, the folder it points into may not.
    """
    here = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "aitop")
    if not os.path.exists(here):
        here = os.path.join(os.path.dirname(sys.executable), "aitop")
    named = shutil.which("aitop")
    if named and (not os.path.exists(here) or os.path.realpath(named) == os.path.realpath(here)):
        return os.path.abspath(named)
    return here


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
