"""`aitop codex-notify JSON`: what Codex runs at the end of each turn → the listener's socket.

Codex's `notify` passes one JSON text as the last argument and waits for nothing. Like a hook it prints
nothing, exits 0 and ends in time; unlike one it looks up the thread's rollout, so that the listener
reads it at once. Imports what a hook may, and `json`.
"""

import os
import sys

from aitop import hook

PROVIDER = "codex"
MOST = 1 << 20  # bytes of the argument; it holds the conversation's last texts, which are dropped here
KEPT = ("type", "thread-id", "turn-id", "cwd")
DAYS = 3  # newest folders in which a rollout is looked for
USAGE = """Usage: aitop codex-notify JSON

Tell the listener that a turn of Codex has ended. In ~/.codex/config.toml, above every [table]:

    notify = ["aitop", "codex-notify"]
"""


def main(argv: list[str]) -> int:
    if argv[:1] in ([], ["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0 if argv else 2
    try:
        hook.start_timer(hook.DEADLINE)
        message = payload(argv[-1], os.environ)
        if message is not None:
            hook.send(hook.socket_path(), hook.header("notify", PROVIDER) + message)
    except BaseException:  # a notification must never disturb its host, whatever happens
        return 0
    finally:
        hook.stop_timer()
    return 0


def payload(text: str, environ: "os._Environ[str] | dict[str, str]") -> bytes | None:
    """The notification without its texts, and with the rollout's path where it is found."""
    import json

    told = json.loads(text) if len(text) < MOST else None
    if not isinstance(told, dict):
        return None
    kept = {key: told[key] for key in KEPT if isinstance(told.get(key), str)}
    base = environ.get("CODEX_HOME") or os.path.join(environ.get("HOME") or "/", ".codex")
    path = rollout(os.path.join(base, "sessions"), kept.get("thread-id", ""))
    if path is not None:
        kept["transcript_path"] = path
    return json.dumps(kept).encode()


def rollout(root: str, thread: str) -> str | None:
    """A thread's file among those of the newest days, by its name."""
    if not thread:
        return None
    end = f"-{thread}.jsonl"
    days = [f"{root}/{year}/{month}/{day}" for year in _newest(root, 2)
            for month in _newest(f"{root}/{year}", 2) for day in _newest(f"{root}/{year}/{month}", DAYS)]  # fmt: skip
    for folder in days[:DAYS]:
        for name in _newest(folder, 1 << 20):
            if name.endswith(end):
                return f"{folder}/{name}"
    return None


def _newest(folder: str, most: int) -> list[str]:
    try:
        return sorted(os.listdir(folder), reverse=True)[:most]
    except OSError:
        return []
