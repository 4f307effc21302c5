"""Checks of our own side: the listener, its home, the configuration, prices, what it read, the history.

They read; they repair nothing and start nothing.
"""

import os
import shutil
import sqlite3
import stat

from aitop import __version__, config, paths
from aitop import state as published
from aitop.history import schema
from aitop.history.recovery import integrity, restore
from aitop.install import service as units
from aitop.install.findings import RESTART, Context, Results, fail, ok, warn
from aitop.model.events import NO_USAGE
from aitop.providers import documents

LOW_DISK = 100 * 1024 * 1024
ODD = "not in a form that is known"
OWNER = "check their owner and mode"
REMEDIES = {
    documents.NOT_WHOLE: "harmless while its client writes it; else mend it or move it away",
    ODD: "aitop doctor --report, and report the client's version",
}


def listener(context: Context) -> Results:
    from aitop.listener import lifecycle, process_cache

    running, state = lifecycle.running(), context.state
    if running is None:
        held = os.path.exists(paths.in_home(paths.STOPPED))
        yield fail("no listener runs" + (", because you stopped it" if held else ""), "aitop start")
        return
    yield ok(f"pid {running.get('pid')}, version {running.get('version')}")
    if running.get("version") not in (None, __version__):
        yield warn(f"the listener is version {running.get('version')}, this is {__version__}", RESTART)
    age = published.age(state, context.now) if state else None
    if age is None:
        yield fail(
            "the listener publishes nothing",
            f"read the errors in {paths.in_home(paths.LOG)}, then aitop stop; aitop start",
        )
    elif age > published.FRESH_SECONDS:
        yield fail(f"the listener last published its numbers {age:.0f} s ago", RESTART)
    else:
        yield ok("its numbers are fresh")
    pid = running.get("pid")
    if state and isinstance(pid, int) and not process_cache.exists(pid):
        yield fail(f"the state names pid {pid}, which does not exist", "aitop start")


def service(context: Context) -> Results:  # noqa: ARG001
    if units.is_installed():
        active, line = units.status()
        yield ok(line) if active else warn(line, "aitop service install, or aitop service uninstall")


def home(context: Context) -> Results:  # noqa: ARG001
    from aitop.listener import lifecycle

    folder = paths.home()
    if not os.path.isdir(folder):
        yield warn(f"{folder}: does not exist yet", "aitop setup")
        return
    status = os.stat(folder)
    if status.st_uid != os.getuid():
        yield fail(f"{folder}: belongs to another user", "set AITOP_HOME to a folder of your own")
    elif status.st_mode & 0o077:
        yield fail(f"{folder}: other users can look into it", f"chmod 700 {folder}")
    kind = lifecycle.file_system(folder)
    if kind in lifecycle.NETWORK:
        yield fail(f"{folder}: is on a network file system ({kind})", "set AITOP_HOME to a local folder")
    free = shutil.disk_usage(folder).free
    if free < LOW_DISK:
        yield fail(f"{folder}: only {free // 1_048_576} MB are free on this disk", "free space on this disk")
    else:
        yield ok(f"{folder}: {free // 1_048_576} MB free")
    socket = os.path.join(folder, paths.SOCKET)
    try:
        info = os.stat(socket)
    except OSError:
        return
    if not stat.S_ISSOCK(info.st_mode):
        yield fail(f"{socket}: is not a socket", f"remove it, then {RESTART}")
    elif info.st_uid != os.getuid() or stat.S_IMODE(info.st_mode) & 0o077:
        yield fail(f"{socket}: is open to other users", RESTART)
    else:
        yield ok(f"{socket}: private")


def configuration(context: Context) -> Results:  # noqa: ARG001
    path = paths.config_file()
    try:
        config.load(path)
    except config.ConfigError as error:
        yield fail(str(error), "correct that line; `aitop config --defaults` shows every key")
    else:
        yield ok(
            f"{path}: fine" if os.path.exists(path) else f"{path}: no such file, so every key has its default"
        )


def prices(context: Context) -> Results:
    table = (context.state or {}).get("prices")
    if not isinstance(table, dict):
        return
    if table.get("stale"):
        yield warn(
            f"the prices were last checked on {table.get('as_of')}, over 90 days ago", "aitop prices update"
        )
    else:
        yield ok(f"the prices were checked on {table.get('as_of')}")
    for key, word in (("unpriced_models", "no price"), ("estimated_models", "only a family's price")):
        models = [model for model in _names(table.get(key)) if not model.startswith(NO_USAGE)]
        if models:
            yield warn(
                f"{word} for {', '.join(models[:10])}",
                ("aitop prices update, or give prices under [prices.models] in the configuration"),
            )
    silent = [model for model in _names(table.get("unpriced_models")) if model.startswith(NO_USAGE)]
    if silent:
        yield warn(
            f"requests without usage: {', '.join(model.removeprefix(NO_USAGE) for model in silent[:10])}",
            'ask for it: stream_options={"include_usage": true}; docs/gateway.md; or aitop install --otel',
        )


def _names(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def reading(context: Context) -> Results:
    doctor = (context.state or {}).get("doctor")
    if not isinstance(doctor, dict):
        return
    bad, unread = doctor.get("bad_lines"), doctor.get("unread_files")
    if isinstance(bad, int) and bad:
        yield warn(
            f"{bad} lines of the client's files could not be read and were skipped",
            ("harmless when few; else please report it with `aitop doctor --report`"),
        )
    reasons: dict[str, list[str]] = {}
    for path in _names(unread):
        reasons.setdefault(_why_unread(path), []).append(path)
    for why, files in reasons.items():
        number = "a file" if len(files) == 1 else f"{len(files)} files"
        first = files[0] if len(files) == 1 else f"the first: {files[0]}"
        yield warn(f"{number} of the clients cannot be read: {why}: {first}", REMEDIES.get(why, OWNER))


def _why_unread(path: str) -> str:
    """Why the listener cannot read a client's file, as it is now."""
    try:
        document = documents.load(path)
    except OSError as error:
        return error.strerror or str(error)
    return documents.NOT_WHOLE if path.endswith(".json") and document.value is None else ODD


def history(context: Context) -> Results:
    yield from _told(context)
    path = paths.in_home(paths.HISTORY)
    if not os.path.exists(path):
        return
    trouble: str | None
    try:
        db = schema.connect_read_only(path)
        try:
            trouble = integrity.problem(db)
        finally:
            db.close()
    except schema.NewerError as error:
        if not integrity.misnumbered(path):
            yield fail(str(error), "which -a aitop")
            return
        trouble = "its version number is damaged"
    except schema.HistoryError as error:
        yield warn(str(error), "aitop start")
        return
    except sqlite3.Error as error:
        if integrity.is_passing(error):  # locked, or out of reach: nothing against the file
            yield warn(f"{path}: could not be checked: {error}", "run `aitop doctor` again in a moment")
            return
        trouble = str(error)
    if trouble is None:
        yield ok(f"{path}: healthy, {_size(path) // 1024} KB")
        return
    mark = paths.in_home(restore.MARK)
    yield fail(
        f"{path}: {trouble}",
        f"touch {mark}; {RESTART}. The start restores it from the newest backup and the clients' files",
    )


def _size(path: str) -> int:
    """Bytes of the history, with what stands in its write-ahead log still."""
    log = path + "-wal"
    try:
        return os.path.getsize(path) + (os.path.getsize(log) if os.path.exists(log) else 0)
    except FileNotFoundError:  # the listener has just put the log into the file
        return os.path.getsize(path)


def _told(context: Context) -> Results:
    """What the listener says of its history: whether it can be written, and whether it had to be restored."""
    doctor = (context.state or {}).get("doctor")
    if not isinstance(doctor, dict):
        return
    if doctor.get("history_error"):
        yield fail(
            f"the history cannot be written: {doctor['history_error']}",
            "make room on the disk or give write access back; then the listener reads what the clients wrote meanwhile",
        )
    restored = doctor.get("history_restored")
    if not isinstance(restored, dict) or not os.path.exists(paths.in_home(str(restored.get("file")))):
        return
    days = restored.get("incomplete_days")
    missing = f"; incomplete: {', '.join(days)}" if days else "; nothing is missing" if days == [] else ""
    yield warn(
        f"the history was damaged and was restored from {restored.get('backup') or 'the client files'}{missing}",
        f"the damaged file is kept as {restored.get('file')}: remove it when you no longer want it",
    )
