"""Other programs with the same purpose, installed by name and version from the registries into a cache folder.

The folder is `$AITOP_PEERS`, else aitop-benchmarks in the user's cache. The table names a peer that
cannot be installed, with the reason.
"""

import os
import platform
import shutil
import subprocess
import sys
from typing import NamedTuple

CCUSAGE, CCSTATUSLINE, CLAUDE_MONITOR = "20.0.24", "2.2.30", "4.0.0"
SYSTEM = {"linux": "linux", "darwin": "darwin"}.get(sys.platform, sys.platform)
CHIP = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(
    platform.machine().lower(), ""
)
NATIVE = f"@ccusage/ccusage-{SYSTEM}-{CHIP}"
ONCE = "--refresh-interval 60"  # so that every call but the first is answered from its cache


class Peer(NamedTuple):
    """One package. `installer` is npm, pip, or "" where neither has it; `why` has the reason."""

    name: str
    package: str
    version: str
    installer: str
    program: str = ""  # below the cache folder
    why: str = ""


PACKAGES = (
    Peer("ccusage, native binary", NATIVE, CCUSAGE, "npm", f"npm/node_modules/{NATIVE}/bin/ccusage"),
    Peer("ccusage", "ccusage", CCUSAGE, "npm", "npm/node_modules/.bin/ccusage"),
    Peer("ccstatusline", "ccstatusline", CCSTATUSLINE, "npm", "npm/node_modules/.bin/ccstatusline"),
    Peer("claude-monitor", "claude-monitor", CLAUDE_MONITOR, "pip", "claude-monitor/bin/claude-monitor"),
    Peer(
        "claudetop", "claudetop", "", "", why="neither npm nor PyPI has it: it is cloned from its repository"
    ),
    Peer(
        "agtop",
        "@ldegio/agtop",
        "",
        "",
        why="npm does not have @ldegio/agtop; PyPI's agtop is another program",
    ),
    Peer("ccboard", "ccboard", "", "", why="neither npm nor PyPI has it: it is built with cargo"),
    Peer(
        "aitop (Go)",
        "aitop",
        "",
        "",
        why="published as Go source only; PyPI's aitop is a monitor of graphics cards",
    ),
)

# name → (peer, the rest of the command): what answers a refresh with one line. All read the client's JSON on stdin.
LINES = {
    "ccusage statusline, cached": ("ccusage", f"statusline --offline {ONCE}"),
    "ccusage statusline, cached, native binary": ("ccusage, native binary", f"statusline --offline {ONCE}"),
    "ccusage statusline, cold": ("ccusage", "statusline --offline --no-cache"),
    "ccusage statusline, cold, native binary": ("ccusage, native binary", "statusline --offline --no-cache"),
    "ccstatusline": ("ccstatusline", ""),
    "claude-monitor --statusline": ("claude-monitor", "--statusline"),
}


def folder():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.environ.get("AITOP_PEERS") or os.path.join(cache, "aitop-benchmarks")


class Peers:
    """The installed peers, and for each other peer the reason. `install`: fetch the missing ones."""

    def __init__(self, *, install):
        self.programs, self.why = {}, {}
        for peer in PACKAGES:
            path, why = _have(peer, install)
            if path:
                self.programs[peer.name] = path
            else:
                self.why[peer.name] = why

    def lines(self):
        """name → command of each status line that can be run here."""
        return {
            name: [self.programs[peer], *words.split()]
            for name, (peer, words) in LINES.items()
            if peer in self.programs
        }

    def versions(self):
        return {peer.name: peer.version for peer in PACKAGES if peer.name in self.programs}


def native(*, install=True):
    """(ccusage's native binary, its name and version), or (None, why not)."""
    path, why = _have(PACKAGES[0], install)
    return (path, f"ccusage {CCUSAGE}") if path else (None, why)


def _have(peer, install):
    if not peer.installer:
        return None, peer.why
    path = os.path.join(folder(), peer.program)
    stamp = os.path.join(folder(), f"{peer.name.replace(' ', '-')}.version")
    if _read(stamp) != peer.version or not os.path.exists(path):
        if not install:
            return None, f"not installed yet: {peer.package} {peer.version}"
        why = _install(peer)
        if why or not os.path.exists(path):
            return None, why or f"{peer.package} {peer.version} has no {os.path.basename(path)}"
        with open(stamp, "w") as file:
            file.write(peer.version)
    if peer.package == NATIVE:
        os.chmod(path, 0o755)  # its installer does that in a script, and no scripts are run
    return path, ""


def _install(peer):
    """Fetch one package into the cache folder. Returns the reason of a failure, or ""."""
    where = folder()
    os.makedirs(where, exist_ok=True)
    if peer.installer == "npm":
        if not shutil.which("npm"):
            return "npm is not installed"
        root = os.path.join(where, "npm")
        # --no-save forgets what is not named: everything of npm's is asked for together
        wanted = [f"{p.package}@{p.version}" for p in PACKAGES if p.installer == "npm"]
        options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", root]
        calls = [["npm", "install", *options, *wanted]]
    else:
        root = os.path.join(where, peer.package)
        pip = os.path.join(root, "bin", "pip")
        calls = [
            [sys.executable, "-m", "venv", root],
            [pip, "-q", "install", f"{peer.package}=={peer.version}"],
        ]
    for call in calls:
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            return f"{peer.installer} took more than five minutes"
        if done.returncode:
            return f"{peer.installer} could not install {peer.package} {peer.version}"
    return ""


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None
