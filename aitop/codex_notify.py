"""`aitop codex-notify JSON`: what Codex runs at the end of each turn → the listener's socket.

Codex's `notify` passes one JSON text as the last argument and waits for nothing. Like a hook it prints
nothing, exits 0 and ends in time; unlike one it looks up the thread's rollout, so that the listener
reads it at once. Imports what a hook may, and `json`.
"""

import os
import sys

from aitop import hook

PROVIDER = "codex"
MAX_ARGUMENT = 1 << 20  # bytes; it holds the conversation's last texts, which are dropped here
KEPT = ("type", "thread-id", "turn-id", "cwd")
NEWEST_DAYS = 3  # newest folders in which a rollout is looked for
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

    message = json.loads(text) if len(text) < MAX_ARGUMENT else None
    if not isinstance(message, dict):
        return None
    kept = {key: message[key] for key in KEPT if isinstance(message.get(key), str)}
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
    months = [f"{root}/{year}/{month}" for year in _newest(root, 2) for month in _newest(f"{root}/{year}", 2)]
    days = [f"{month}/{day}" for month in months for day in _newest(month, NEWEST_DAYS)]
    for folder in days[:NEWEST_DAYS]:
        for name in _newest(folder, 1 << 20):
            if name.endswith(end):
                return f"{folder}/{name}"
    return None


def _newest(folder: str, count: int) -> list[str]:
    try:
        return sorted(os.listdir(folder), reverse=True)[:count]
    except OSError:
        return []
