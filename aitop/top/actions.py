"""What keys do outside the screen: signals, tags, files, the clipboard, the listener. Each shows what it did.

Everything that can wait (the socket, the file system, another process) runs off the UI thread.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from aitop import jump, paths
from aitop.history import schema
from aitop.history.query import session_detail
from aitop.model.json_types import JsonObject
from aitop.segments import fields, humanize, money
from aitop.segments.text import clean
from aitop.top import export, picture, processes, sessions

if TYPE_CHECKING:
    from aitop.top.app import Top

Found = TypeVar("Found")
SIGNALS = {"interrupt": (signal.SIGINT, "Interrupt"), "end": (signal.SIGTERM, "End")}


async def do(app: Top, name: str) -> None:
    """Do one action by its name. What goes wrong is shown, never raised."""
    try:
        if name == "start":
            await start(app, unless_stopped=False)
        elif name == "export":
            await write(app)
        elif name == "jump_next":
            await go(app, None)
        else:
            session = chosen(app)
            if session is None:
                app.notify("No session is selected.", severity="warning")
            elif name in SIGNALS:
                await stop(app, session, name)
            elif name == "jump":
                await go(app, session)
            elif name == "resume":
                command = jump.resume_command(session)
                app.copy_to_clipboard(command)
                app.notify(
                    f"Copied: {command}" if command else "Its client has no such command.", markup=False
                )
            elif name == "tag":
                await tag(app, session)
            elif name == "copy":
                app.copy_to_clipboard(str(session.get("id") or ""))
                app.notify(f"Copied {clean(session.get('id'), 60)}", markup=False)
            elif name == "folder":
                await folder(app, session)
    except (processes.ActError, jump.JumpError, OSError) as error:
        app.notify(str(error), severity="error", timeout=8, markup=False)


def chosen(app: Top) -> JsonObject | None:
    """The session that is open, or under the cursor."""
    view = app.choices.view
    key = app.choices.session if view == "detail" else app.choices.cursor.get(view, "")
    return sessions.found(app.world.state or {}, key) if key else None


def remember(app: Top) -> None:
    """Remember each session's process when it is first seen, since the system reuses process numbers."""
    for session in fields.rows((app.world.state or {}).get("sessions")):
        pid, key = session.get("pid"), sessions.named(session)
        earlier = app.seen.get(key)
        if (
            isinstance(pid, int)
            and session.get("status") != "ended"
            and (earlier is None or earlier.pid != pid)
        ):
            process = processes.look(pid)
            if process is not None:
                app.seen[key] = process


async def stop(app: Top, session: JsonObject, name: str) -> None:
    """Interrupt or end a session's process, after a question that names it."""
    number, word = SIGNALS[name]
    seen = app.seen.get(sessions.named(session))
    if session.get("pid") is None:
        session = session | {"pid": await off(app, lambda: holding(session))}
    process = await off(app, lambda: processes.target(session, seen))
    command = clean(" ".join(process.command), 60)
    hourly = app.world.answers.hourly.get(sessions.named(session), 0.0)
    spent = money.of(app.world.state or {}, money.spent(session))
    rate = f", now {money.of(app.world.state or {}, hourly)}/h" if hourly else ""
    question = (
        f"{word} {sessions.name_of(session)}? It has spent {spent}{rate}.\n"
        f"{number.name} goes to process {process.pid}: {command}"
    )
    from aitop.top.widgets.dialogs import Confirm

    if await app.push_screen_wait(Confirm(question)):
        again = await off(app, lambda: processes.target(session, process))
        await off(app, lambda: processes.send(again, number))
        app.notify(f"Sent {number.name} to process {process.pid}.")


async def go(app: Top, session: JsonObject | None) -> None:
    """Show a session's tmux pane; None: that of the one that has waited longest. A popup closes after it."""
    pane = os.environ.get("TMUX_PANE", "")
    target = jump.chosen(app.world.state or {}, "next", pane) if session is None else session
    place = jump.place_of(target)
    await off(app, lambda: jump.go(place, pane, ""))
    if os.environ.get("TMUX") and not pane:
        app.exit(0)


async def tag(app: Top, session: JsonObject) -> None:
    """Ask for a tag and hand it to the listener."""
    from aitop.top.widgets.dialogs import Ask

    name = sessions.name_of(session)
    text = await app.push_screen_wait(
        Ask(f"Tag {name} as:", clean(session.get("tag"), processes.TAG_LONGEST))
    )
    if text is not None:
        await off(app, lambda: processes.tag(session, text))
        app.notify(f"Tagged {name}; the listener shows it in a moment.", markup=False)


async def folder(app: Top, session: JsonObject) -> None:
    """Show and copy where the session's transcript is."""
    path = await off(app, lambda: record_of(session))
    if path is None:
        raise processes.ActError("no transcript of this session is known")
    app.copy_to_clipboard(path)
    app.notify(f"Copied: {clean(path, 400)}", timeout=10, markup=False)


def record_of(session: JsonObject) -> str | None:
    """The path of the session's own record, as the history knows it. Raises ActError."""
    try:
        db = schema.connect_read_only(paths.in_home(paths.HISTORY))
        try:
            return session_detail.transcript(db, *sessions.named(session))
        finally:
            db.close()
    except (sqlite3.Error, schema.HistoryError) as error:
        raise processes.ActError(f"the history cannot be read: {error}") from error


def holding(session: JsonObject) -> int | None:
    """The number of the process that has the session's own record open; None where none is known. Raises ActError."""
    record = record_of(session)
    return processes.holder(*sessions.named(session), record) if record else None


async def write(app: Top) -> None:
    """Ask for a file's name and write the list to it."""
    from aitop.top.widgets.dialogs import Ask

    view = app.choices.view
    rows = picture.listed(app.world, app.choices, app.glyphs)
    name = time.strftime(f"aitop-{view}-%Y%m%d-%H%M%S.csv")
    question = f"Write {humanize.count(len(rows))} rows to (.csv or .json):"
    path = await app.push_screen_wait(Ask(question, os.path.join(os.getcwd(), name)))
    if path and path.strip():
        path_written = await off(app, lambda: export.write(path.strip(), rows))
        app.notify(f"Wrote {path_written}", markup=False)


async def start(app: Top, *, unless_stopped: bool) -> None:
    """Start the listener where none runs, and say so; one that the user stopped stays stopped until asked."""
    from aitop.top.start import start_listener

    app.notify(await off(app, lambda: start_listener(unless_stopped=unless_stopped)), timeout=8, markup=False)


async def off(app: Top, call: Callable[[], Found]) -> Found:
    """Run something that may wait where it does not hold up the screen."""
    return await asyncio.get_running_loop().run_in_executor(app.threads, call)
