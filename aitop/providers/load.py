"""Find the providers: the built-in ones, then those of other installed packages.

Python's machinery for entry points costs 60 ms, so it is loaded only where an installed package names the group.
`AITOP_PROVIDERS=builtin` skips even that search. When another package's provider fails to load, the others go on,
and `doctor` says what went wrong.
"""

import importlib
import os
import sys
from collections.abc import Iterable
from typing import Any

from aitop.providers.isolation import Guarded

GROUP = "aitop.providers"
OURS = "aitop_status-"
# This package's own entry points, so that no search is needed to find them. Claude Code comes behind the other
# clients: it takes any hook payload of its shape, and other clients copied that shape.
BUILTIN = {
    "codex": "aitop.providers.codex:provider",
    "gemini": "aitop.providers.gemini:provider",
    "opencode": "aitop.providers.opencode:provider",
    "kilo": "aitop.providers.opencode:kilo",
    "mimo": "aitop.providers.opencode:mimo",
    "openclaude": "aitop.providers.claude_code.relatives:openclaude",
    "copilot": "aitop.providers.copilot:provider",
    "copilot-chat": "aitop.providers.copilot_chat:provider",
    "qwen": "aitop.providers.qwen:provider",
    "trae": "aitop.providers.codex:trae",
    "pi": "aitop.providers.pi:provider",
    "omp": "aitop.providers.pi:omp",
    "openclaw": "aitop.providers.pi:openclaw",
    "qoder": "aitop.providers.qoder:provider",
    "cline": "aitop.providers.cline:cline",
    "roo": "aitop.providers.cline:roo",
    "bob": "aitop.providers.cline:bob",
    "cline-cli": "aitop.providers.cline:program",
    "kimi": "aitop.providers.kimi:provider",
    "goose": "aitop.providers.goose:provider",
    "hermes": "aitop.providers.hermes:provider",
    "droid": "aitop.providers.droid:provider",
    "amp": "aitop.providers.amp:provider",
    "crush": "aitop.providers.crush:provider",
    "zed": "aitop.providers.zed:provider",
    "grok": "aitop.providers.grok:provider",
    "vibe": "aitop.providers.vibe:provider",
    "kiro": "aitop.providers.kiro:provider",
    "openai": "aitop.providers.gateway:openai",
    "ollama": "aitop.providers.gateway:ollama",
    "judge": "aitop.providers.gateway:judge",
    "litellm": "aitop.providers.gateway:litellm",
    "claude-code": "aitop.providers.claude_code:provider",
    "otel": "aitop.providers.otel:provider",
}


def load() -> tuple[list[Guarded], dict[str, str]]:
    """Every provider that loads, and name → what went wrong for each of the others."""
    by_name: dict[str, Guarded] = {}
    broken: dict[str, str] = {}
    for name, target in BUILTIN.items():
        module, _, attribute = target.partition(":")
        by_name[name] = Guarded(name, getattr(importlib.import_module(module), attribute), trusted=True)
    for entry in _entry_points():
        if entry.name in BUILTIN:
            if entry.value != BUILTIN[entry.name]:
                broken[f"{entry.name} of {entry.value}"] = "the name is taken by a built-in provider"
            continue
        if entry.name in by_name:
            broken[f"{entry.name} of {entry.value}"] = "the name is taken by another package's provider"
            continue
        try:
            by_name[entry.name] = Guarded(entry.name, entry.load(), trusted=False)
        except (Exception, SystemExit) as error:
            broken[entry.name] = f"cannot be loaded: {type(error).__name__}: {error}"
    return list(by_name.values()), broken


def _entry_points() -> Iterable[Any]:
    if os.environ.get("AITOP_PROVIDERS") == "builtin":
        return ()
    if not _others():
        return ()
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def _others() -> bool:
    """Whether another installed package names the group, found without the entry-point machinery."""
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")
        except NotADirectoryError:
            return True  # an archive: let the machinery look into it
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and not name.startswith(OURS):
                try:
                    with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                        if GROUP.encode() in file.read():
                            return True
                except OSError:
                    continue
    return False
