"""Where each host keeps its configuration, what goes there, and how a text of its kind is checked.

Finds, reads nothing of the user's and writes nothing.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass

from aitop.install import blocks, waybar
from aitop.install.blocks import CSS, HASH, Unclear

MENUS = {"swiftbar": "aitop.2s.sh", "swiftbar-stream": "aitop.sh", "argos": "aitop.r.2s+.sh"}


@dataclass(frozen=True, slots=True)
class Place:
    """One file that `init NAME --write` changes. `put` and `take`: text → text, raising Unclear."""

    path: str
    put: Callable[[str], str]
    take: Callable[[str], str]
    check: Callable[[str], None] | None = None
    whole: bool = False  # the file is all ours
    mode: int = 0o644
    note: str = ""  # what is left for the user to do


def marked(
    host: str,
    path: str,
    body: str,
    check: Callable[[str], None],
    comment: blocks.Comment = HASH,
    note: str = "",
) -> Place:
    return Place(
        path,
        lambda text: blocks.put(text, host, body, comment),
        lambda text: blocks.take(text, host, comment),
        check,
        note=note,
    )


def whole(path: str, body: str, mode: int = 0o644, note: str = "") -> Place:
    return Place(path, lambda _: body, lambda _: "", whole=True, mode=mode, note=note)


def config_home() -> str:
    return os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")


def first(*paths: str) -> str:
    """The first that exists, else the first."""
    return next((path for path in paths if os.path.exists(path)), paths[0])


def tmux_conf() -> str:
    """The user's tmux configuration: the file that is there, else the usual one."""
    return first(os.path.expanduser("~/.tmux.conf"), os.path.join(config_home(), "tmux", "tmux.conf"))


def rc(shell: str) -> str:
    if shell == "zsh":
        return os.path.join(os.environ.get("ZDOTDIR") or os.path.expanduser("~"), ".zshrc")
    return os.path.expanduser("~/.bashrc")


def places(host: str, shell: str, parts: list[str], folder: str | None) -> list[Place]:
    """What `init HOST --write` changes; `parts` are the snippet's files. Raises Unclear where it cannot."""
    body = parts[0]
    if host == "tmux":
        path = tmux_conf()
        return [marked(host, path, body, tmux_parses, note="Load it: tmux source-file " + path)]
    if host in ("bash", "zsh"):
        return [marked(host, rc(host), body, shell_parses(host), note=f"Open a new {host} to see it.")]
    if host == "powerlevel10k":
        return [marked(host, rc("zsh"), body, shell_parses("zsh"), note="Open a new zsh to see it.")]
    if host == "fish":
        return [whole(os.path.join(config_home(), "fish", "conf.d", "aitop.fish"), body)]
    if host == "starship":
        toml = os.environ.get("STARSHIP_CONFIG") or os.path.join(config_home(), "starship.toml")
        note = "If your starship.toml has a `format` of its own, put $env_var into it."
        return [marked(host, toml, body, toml_parses, note=note), _hook(host, shell, parts[1])]
    if host == "waybar":
        at = os.path.join(config_home(), "waybar")
        config = first(os.path.join(at, "config.jsonc"), os.path.join(at, "config"))
        definition = "\n".join(line for line in body.splitlines() if not line.startswith("//"))
        note = "Restart Waybar: pkill -SIGUSR2 waybar"
        return [
            Place(config, lambda text: waybar.put(text, definition), waybar.take, note=note),
            marked(host, os.path.join(at, "style.css"), parts[1], css_parses, CSS),
        ]
    if host in MENUS:
        name = os.path.join(folder or plugins(host), MENUS[host])
        return [whole(name, body, 0o755, "The bar finds it by itself; refresh all plugins if not.")]
    raise Unclear(f"{host} has no file that could be changed safely; paste what `aitop init {host}` prints")


def _hook(host: str, shell: str, body: str) -> Place:
    if shell == "fish":
        return whole(os.path.join(config_home(), "fish", "conf.d", "aitop_starship.fish"), body)
    return marked(host, rc(shell), body, shell_parses(shell), note=f"Open a new {shell} to see it.")


def plugins(host: str) -> str:
    """The folder a bar reads its plugins from. Raises Unclear."""
    if host == "argos":
        return os.path.join(config_home(), "argos")
    if sys.platform == "darwin":
        answer = subprocess.run(
            ["defaults", "read", "com.ameba.SwiftBar", "PluginDirectory"],
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
        if answer.returncode == 0 and answer.stdout.strip():
            return os.path.expanduser(answer.stdout.strip())
        xbar = os.path.expanduser("~/Library/Application Support/xbar/plugins")
        if os.path.isdir(xbar):
            return xbar
    raise Unclear("the plugin folder is unknown; name it with --folder DIR")


# -- does it parse? ----------------------------------------------------------------------------------------------


def shell_parses(shell: str) -> Callable[[str], None]:
    """Asks the shell itself, where it is installed."""

    def check(text: str) -> None:
        if shutil.which(shell):
            complaint = _asked([shell, "-n"], text)
            if complaint:
                raise Unclear(f"{shell} cannot parse it: {complaint}")

    return check


def tmux_parses(text: str) -> None:
    """A block behind an open quote or brace would be lost in it."""
    if shutil.which("tmux"):
        name = f"aitop-check-{os.getpid()}"
        with tempfile.TemporaryDirectory() as folder:
            call = ["tmux", "-S", os.path.join(folder, name), "-f", os.devnull]
            complaint = _asked([*call, "start-server", ";", "source-file", "-n"], text)
        if complaint:
            raise Unclear(f"tmux cannot parse it: {complaint}")


def toml_parses(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unclear(f"cannot be parsed: {error}") from error


def css_parses(text: str) -> None:
    bare = re.sub(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', "", text, flags=re.DOTALL)
    if "/*" in bare or "*/" in bare or bare.count("{") != bare.count("}"):
        raise Unclear("a comment or a brace in it is not closed")


def _asked(call: list[str], text: str) -> str:
    """What a program says against a text, given as a file; "" when it has nothing to say."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write(text)
        file.flush()
        try:
            ended = subprocess.run(
                [*call, file.name],
                capture_output=True,
                text=True,
                check=False,
                timeout=10,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""  # the program cannot be asked
        complaint = ended.stderr.strip() or ended.stdout.strip()
        if ended.returncode == 0:
            return ""
        return (
            complaint.replace(file.name + ":", "line ").splitlines()[0] if complaint else "no reason is given"
        )
