"""Actions on other processes: end a client, tag a session. Each checks its target first.

The system reuses process numbers. So a process is known by its owner, its start and its command, and a signal
is sent only to exactly that process.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from typing import Any, NamedTuple
from urllib.parse import quote

from aitop import paths
from aitop.model.json_types import JsonObject

# how each client's process names itself
CLIENTS = {"claude-code": ("claude",), "codex": ("codex",), "gemini": ("gemini",), "opencode": ("opencode",),
           "copilot": ("copilot",), "qwen": ("qwen",), "kilo": ("kilo",), "mimo": ("mimo", "mimocode"),
           "openclaude": ("openclaude",), "trae": ("trae", "traecli"), "pi": ("pi",), "omp": ("omp",),
           "openclaw": ("openclaw",), "qoder": ("qodercli", "qoder"), "cline-cli": ("cline",), "kimi": ("kimi",),
           "goose": ("goose",), "hermes": ("hermes",), "droid": ("droid",), "crush": ("crush",), "grok": ("grok",),
           "vibe": ("vibe",), "amp": ("amp",), "kiro": ("kiro",)}  # fmt: skip
OWN_RECORDS = (".jsonl", ".json")  # what a client writes for each session apart
INTERPRETERS = ("node", "bun", "deno", "python")
TAG_EVENT = "SessionTag"
TAG_LONGEST = 60
SOCKET_SECONDS = 1.0


class Process(NamedTuple):
    """Who a process is."""

    pid: int
    uid: int
    began: str  # epoch seconds: only ever compared
    command: tuple[str, ...]


class ActError(Exception):
    """The action was not done; the message says why."""


def look(pid: int) -> Process | None:
    """The process that has this number now; None when there is none."""
    if pid <= 1:
        return None
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            began = f"{process.create_time():.2f}"
            return Process(pid, process.uids().real, began, tuple(process.cmdline()))
    except (psutil.Error, OSError):
        return None


def is_client(process: Process, provider: str) -> bool:
    """Whether a process is one of this client's: its program, or the script that an interpreter runs."""
    names = CLIENTS.get(provider, ())
    program = process.command[0] if process.command else ""
    script = next((word for word in process.command[1:] if not word.startswith("-")), "")
    if os.path.basename(program).partition("-")[0].lower() in names:
        return True
    if not os.path.basename(program).lower().startswith(INTERPRETERS):
        return False
    return any(part.partition("-")[0] in names for part in script.lower().split("/"))


def holder(provider: str, name: str, record: str) -> int | None:
    """The one process of this client and of ours that has the record of the session `name` open, or another file in a
    folder that is this session's alone; None for none or several.

    Never a database: that is open for every session in it.
    """
    import psutil

    if not record.endswith(OWN_RECORDS):
        return None
    folder = os.path.dirname(os.path.realpath(record))
    own = folder + os.sep if name and name in os.path.basename(folder) else None
    holders = set()
    for process in psutil.process_iter():
        try:
            if process.uids().real != os.getuid():
                continue
            one = look(process.pid)
            if one is None or not is_client(one, provider):
                continue
            for file in process.open_files():
                wanted = file.path if own and file.path.startswith(own) else record
                if _is_open(wanted, one.pid, file):
                    holders.add(one.pid)
        except (psutil.Error, OSError):
            continue
    return holders.pop() if len(holders) == 1 else None


def _is_open(path: str, pid: int, file: Any) -> bool:
    """Whether an open file is the one at a path here. Another container may have files of the same path, so Linux is
    asked for the file itself.
    """
    name = f"/proc/{pid}/fd/{file.fd}" if sys.platform.startswith("linux") else file.path
    try:
        return os.path.samefile(path, name)
    except OSError:
        return False


def target(session: JsonObject, first_seen: Process | None) -> Process:
    """The process of a session, sure to be that client's, ours, and the one first seen. Raises ActError."""
    pid, provider = session.get("pid"), str(session.get("provider") or "")
    if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 1:
        raise ActError(
            "its process is not known: no hook of its client named it (aitop install), and no process of it has the "
            "session's own file open"
        )
    process = look(pid)
    if process is None:
        raise ActError(f"process {pid} has ended")
    if process.uid != os.getuid():
        raise ActError(f"process {pid} is not yours")
    if not is_client(process, provider):
        raise ActError(
            f"process {pid} is no {provider} any more: {' '.join(process.command)[:60] or 'unnamed'}"
        )
    if first_seen is not None and (process.pid, process.began) != (first_seen.pid, first_seen.began):
        raise ActError(f"process {pid} is not the one this table first saw for the session")
    return process


def send(process: Process, number: signal.Signals) -> None:
    """Signal exactly this process. Raises ActError."""
    try:
        with contextlib.ExitStack() as stack:
            held = None
            if hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal"):
                held = os.pidfd_open(process.pid)  # held: from here the number cannot be given away
                stack.callback(os.close, held)
            now = look(process.pid)
            if now is None or (now.began, now.uid) != (process.began, process.uid):
                raise ActError(f"process {process.pid} has ended")
            if held is None:
                os.kill(process.pid, number)
            else:
                signal.pidfd_send_signal(held, number)
    except ProcessLookupError as error:
        raise ActError(f"process {process.pid} has ended") from error
    except OSError as error:
        raise ActError(f"process {process.pid}: {error.strerror}") from error


def tag(session: JsonObject, text: str) -> None:
    """Tag a session through the listener, which alone writes the history. Raises ActError."""
    text = text.strip()[:TAG_LONGEST]
    if not text:
        raise ActError("a tag needs a text")
    provider = str(session.get("provider") or "")
    header = f"aitop/1\tprovider={quote(provider)}\tevent={TAG_EVENT}\ttag={quote(text)}\n"
    payload = {"session_id": str(session.get("id") or ""), "hook_event_name": TAG_EVENT}
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(SOCKET_SECONDS)
            peer.connect(paths.in_home(paths.SOCKET))
            peer.sendall(header.encode() + json.dumps(payload).encode())
    except OSError as error:
        raise ActError(
            f"the listener did not take it ({error.strerror or error}); try: aitop start"
        ) from error
