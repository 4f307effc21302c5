"""How this copy of aitop was installed, so that a hint names the command that works for it.

The distribution may lie on no index, so an extra is added by the packages it stands for. Looks at
files of this installation alone; starts nothing. Used where something is missing, never on a hot path.
"""

import os
import re
import shlex
import sys

DISTRIBUTION = "aitop-status"
DEB_PREFIX = "/usr/lib/aitop-status"


def kind() -> str:
    """uv, pipx, deb, clone, venv or system."""
    prefix = sys.prefix
    if os.path.exists(os.path.join(prefix, "uv-receipt.toml")):
        return "uv"
    if os.path.exists(os.path.join(prefix, "pipx_metadata.json")):
        return "pipx"
    if os.path.realpath(prefix) == DEB_PREFIX:
        return "deb"
    if os.path.exists(os.path.join(os.path.dirname(prefix), "bin", "try")):
        return "clone"
    return "venv" if prefix != sys.base_prefix else "system"


def front() -> str:
    """The absolute path of the `aitop` that runs now; the name on PATH when it is the same file.

    A link such as ~/.local/bin/aitop outlives an upgrade, the folder it points into may not.
    """
    here = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "aitop")
    if not os.path.exists(here):
        here = os.path.join(os.path.dirname(sys.executable), "aitop")
    named = _on_path()
    if named and (not os.path.exists(here) or os.path.realpath(named) == os.path.realpath(here)):
        return os.path.abspath(named)
    return here


def _on_path() -> str | None:
    import shutil  # loads two compression libraries that a listener does without

    return shutil.which("aitop")


def command(*words: str) -> str:
    """What a user types to run this copy: `aitop WORDS` where that finds it, else its path."""
    path = front()
    named = _on_path()
    if named and os.path.realpath(named) == os.path.realpath(path):
        return shlex.join(["aitop", *words])
    home = os.path.expanduser("~")
    quoted = shlex.quote(path)
    if path.startswith(f"{home}/") and quoted == path:
        quoted = "~" + path.removeprefix(home)
    return " ".join([quoted, *map(shlex.quote, words)])


def in_hint(text: str) -> str:
    """A text with every `aitop WORD` in it as a user has to type it for this copy."""
    prefix = command()
    return text if prefix == "aitop" else re.sub(r"(?<![\w/.~-])aitop (?=[a-z])", f"{prefix} ", text)


def add_extra(extra: str) -> str:
    """The command that adds what an extra needs to this copy."""
    packages = shlex.join(requirements(extra) or [f"{DISTRIBUTION}[{extra}]"])
    python = shlex.quote(sys.executable)
    by = kind()
    if by == "pipx":
        return f"pipx inject {DISTRIBUTION} {packages}"
    if by == "deb":
        return f"sudo python3 -m pip --python {python} install {packages}"
    if by == "system":
        return f"{python} -m pip install --user {packages}"
    pip = os.path.join(os.path.dirname(sys.executable), "pip")
    if by != "uv" and os.path.exists(pip):
        return f"{shlex.quote(pip)} install {packages}"
    return f"uv pip install --python {python} {packages}"


def remove() -> str:
    """The command that removes the package itself, after `aitop uninstall`."""
    by = kind()
    if by == "uv":
        return f"uv tool uninstall {DISTRIBUTION}"
    if by == "pipx":
        return f"pipx uninstall {DISTRIBUTION}"
    if by == "deb":
        return f"sudo apt-get remove {DISTRIBUTION}"
    if by == "clone":
        return f"rm -r {shlex.quote(sys.prefix)}"
    return f"{shlex.quote(sys.executable)} -m pip uninstall {DISTRIBUTION}"


def requirements(extra: str) -> list[str]:
    """The packages of an extra, as a package manager takes them, for this Python; [] where nothing names them."""
    from importlib import metadata

    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    names = []
    for line in lines:
        requirement, _, marker = line.partition(";")
        if f"extra == '{extra}'" in marker.replace('"', "'") and _for_this_python(marker):
            names.append(requirement.strip())
    return names


def _for_this_python(marker: str) -> bool:
    """`python_version < '3.14'` is the one other condition that our extras have."""
    words = marker.replace('"', "'").split("python_version < '")
    return len(words) == 1 or sys.version_info < tuple(
        int(part) for part in words[1].partition("'")[0].split(".")
    )
