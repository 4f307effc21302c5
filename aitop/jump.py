"""`aitop jump`: bring the user to the tmux pane of a session that waits, or of one that is named, and back.

Hot: a key calls it, so it imports no more than the one-shots do and starts one tmux process. It reads the
published state and the files that the tmux plugin leaves; it writes one small file, where the user came from.
"""

import os
import sys

if __name__ == "__main__":
    # Under -I -S neither the script's folder nor site-packages is on the path.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from aitop import paths
from aitop.segments import fields
from aitop.segments.text import clean
from aitop.system.ancestors import descends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.model.json_types import JsonObject

    Session = JsonObject

BACK = "jump.back"  # a line a jump: socket, pane
MAX_BACK = 20
TMUX = "tmux"
USAGE = """Usage: aitop jump [next | SESSION | back] [--print | --pid]

Go to the tmux pane of a session: of the one that has waited for you longest (`next`, the default; again for
the one after it), or of SESSION: the beginning of its id, its project, its tag or its name. `back` returns to
where the last jump began. A session without a pane: the command that resumes it is printed.
  --print          only say where it would go
  --pid            only print the session's process: recipes for terminals without tmux begin with it
  --pane PANE, --client CLIENT
                   where the key was pressed; the tmux plugin's keys say so

Exit codes: 0 there, 1 nowhere to go, 2 wrong usage.
"""
RESUME = {
    "claude-code": "claude --resume {id}",
    "codex": "codex resume {id}",
    "gemini": "gemini --resume {id}",
    "opencode": "opencode --session {id}",
    "copilot": "copilot --resume {id}",
    "qwen": "qwen --resume {id}",
    "kilo": "kilo --session {id}",
    "openclaude": "openclaude --resume {id}",
    "pi": "pi --session {id}",
    "cline-cli": "cline --id {id}",
    "kimi": "kimi --session {id}",
    "goose": "goose session --resume --session-id {id}",
    "hermes": "hermes --resume {id}",
    "droid": "droid --resume {id}",
    "grok": "grok --resume {id}",
    "crush": "crush --session {id}",
    "vibe": "vibe --resume {id}",
    "kiro": "kiro-cli chat --resume-id {id}",
    "qoder": "qodercli --resume {id}",
}


class JumpError(Exception):
    """There is nowhere to go; the message says why, and what to do."""


class Place:
    """One pane of one tmux server."""

    __slots__ = ("pane", "program", "socket")

    def __init__(self, program: str, socket: str, pane: str) -> None:
        self.program = program
        self.socket = socket
        self.pane = pane


def main(argv: list[str]) -> int:
    """Run `aitop jump …`; the exit code."""
    if any(word in ("-h", "--help") for word in argv):
        from aitop.system import help_text

        os.write(1, help_text.fitted(USAGE, help_text.columns()).encode())
        return 0
    target, pane, client, only = "", os.environ.get("TMUX_PANE", ""), "", ""
    words = iter(argv)
    for word in words:
        if word in ("--print", "--pid"):
            only = word
        elif word == "--pane":
            pane = next(words, "")
        elif word == "--client":
            client = next(words, "")
        elif word.startswith("-") or target:
            return _wrong(word)
        else:
            target = word
    try:
        if target == "back":
            return back(pane, client)
        session = chosen(_state(), target or "next", pane)
        if only == "--pid":
            print(process_of(session))
            return 0
        place = place_of(session)
        if only:
            print(f"{named(session)}: pane {place.pane} of {place.socket}")
            return 0
        go(place, pane, client)
    except JumpError as error:
        _say(str(error), client)
        return 1
    return 0


def _wrong(word: str) -> int:
    from aitop.system import help_text

    hint = help_text.nearest(word, ("--print", "--pid", "--pane", "--client", "--help", "next", "back"))
    usage = help_text.fitted(USAGE, help_text.columns())
    sys.stderr.write(f"aitop jump: {word}: not understood{hint}\n{usage}")
    return 2


def _state() -> "JsonObject":
    import time

    from aitop import state

    published = state.read()
    if published is None or not state.is_fresh(published, time.time()):
        raise JumpError("no listener is running: aitop start")
    return published


def waiting(state: "JsonObject") -> "list[Session]":
    """The sessions that wait for the user, the one that waits longest first."""
    rows = [row for row in fields.rows(state.get("sessions")) if row.get("status") == "waiting"]
    return sorted(rows, key=lambda row: (_since(row), str(row.get("id"))))


def _since(row: "Session") -> float:
    since = fields.number(row.get("status_since"))
    return float(since if since is not None else fields.number(row.get("last_activity_at")) or 0.0)


def chosen(state: "JsonObject", target: str, pane: str = "") -> "Session":
    """The session meant. `next` goes round those that wait, on from the pane where the user is. Raises JumpError."""
    if target != "next":
        return _named(state, target)
    rows = waiting(state)
    if not rows:
        raise JumpError("no session waits for you")
    here = [number for number, row in enumerate(rows) if pane and row.get("pane") == pane]
    return rows[(here[0] + 1) % len(rows)] if here else rows[0]


def _named(state: "JsonObject", target: str) -> "Session":
    """By the beginning of its id, else by tag or project; the newest of several living ones."""
    rows = fields.rows(state.get("sessions"))
    matches = [row for row in rows if str(row.get("id") or "").startswith(target)]
    matches = matches or [
        row for row in rows if target in (row.get("tag"), row.get("project"), row.get("title"))
    ]
    matches = matches or [
        row for row in rows if target.casefold() in str(row.get("project") or "").casefold()
    ]
    if matches:
        return next((row for row in matches if row.get("status") != "ended"), matches[0])
    names = ", ".join(dict.fromkeys(named(row) for row in rows[:8])) or "there is none"
    raise JumpError(f"no session is called {clean(target, 40)}; known: {names}")


def named(session: "Session") -> str:
    return clean(session.get("project"), 40) or clean(session.get("id"), 8) or "session"


def resume_command(session: "Session") -> str:
    """The command that goes on with a session, for a shell; "" where its client has none."""
    template = RESUME.get(str(session.get("provider")), "")
    identity = str(session.get("id") or "")
    if not template or not identity.replace("-", "").replace("_", "").isalnum():
        return ""
    folder = session.get("cwd")
    command = template.format(id=identity)
    if not isinstance(folder, str) or not folder.isprintable():
        return command
    quoted = (
        folder if folder.replace("/", "").replace("-", "").replace(".", "").isalnum() else _quoted(folder)
    )
    return f"cd {quoted} && {command}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def process_of(session: "Session") -> int:
    """The process of a session's client. Raises JumpError where none is known."""
    pid = session.get("pid")
    if session.get("status") == "ended" or not isinstance(pid, int) or isinstance(pid, bool):
        command = resume_command(session)
        raise JumpError(f"{named(session)}: no process is known{f'; to go on: {command}' if command else ''}")
    return pid


def place_of(session: "Session") -> Place:
    """The pane a session runs in. Raises JumpError, with the command that resumes it where there is none."""
    pane = session.get("pane")
    if session.get("status") == "ended" or not _is_pane(pane):
        command = resume_command(session)
        what = "has ended" if session.get("status") == "ended" else "runs in no tmux pane that is known"
        raise JumpError(f"{named(session)} {what}{f'; to go on with it: {command}' if command else ''}")
    assert isinstance(pane, str)
    candidates = servers()
    pid = session.get("pid")
    if len(candidates) > 1 and isinstance(pid, int):
        candidates = [server for server in candidates if descends(pid, server[2])] or candidates
    program, socket, _ = (
        candidates[0] if candidates else (TMUX, os.environ.get("TMUX", "").partition(",")[0], 0)
    )
    return Place(program, socket, pane)


def _is_pane(pane: object) -> bool:
    return isinstance(pane, str) and pane[:1] == "%" and pane[1:].isascii() and pane[1:].isdigit()


def servers() -> list[tuple[str, str, int]]:
    """(program, socket, pid) of every tmux server with our plugin; the one we run in first."""
    folder = paths.in_home(paths.TMUX)
    running = []
    try:
        names = sorted(name for name in os.listdir(folder) if name.isdigit())
    except OSError:
        names = []
    for name in names:
        try:
            text = paths.read(os.path.join(folder, name))[:65536].decode("utf-8", "replace")
        except OSError:
            continue
        rows = dict(line.split("\t", 1) for line in text.splitlines() if "\t" in line)
        if rows.get("socket") and os.path.exists(rows["socket"]):
            running.append((rows.get("tmux") or TMUX, rows["socket"], int(name)))
    here = os.environ.get("TMUX", "").partition(",")[0]
    return sorted(running, key=lambda server: server[1] != here)


def arguments(place: Place, client: str = "", *, asks: bool = False) -> list[str]:
    """One tmux call that shows a pane: its window, the pane in it, its session in the client.

    `asks`: it first prints the pane that is shown now.
    """
    start = [place.program, *(["-S", place.socket] if place.socket else [])]
    start += ["display-message", "-p", "#{pane_id}", ";"] if asks else []
    switch = ["switch-client", *(["-c", client] if client else []), "-t", place.pane]
    return [*start, "select-window", "-t", place.pane, ";", "select-pane", "-t", place.pane, ";", *switch]


def go(place: Place, pane: str, client: str, *, remember: bool = True) -> None:
    """Show the place; remember where the user was. Raises JumpError."""
    here = os.environ.get("TMUX", "").partition(",")[0]
    outside = not here  # a notification's click: tmux says what its client shows before it goes
    code, shown_before = _run(
        arguments(place, client if place.socket in ("", here) else "", asks=outside), heard=outside
    )
    if code:
        shown = f"-S {place.socket} " if place.socket else ""
        raise JumpError(f"no tmux client shows that server; attach one: tmux {shown}attach -t '{place.pane}'")
    origin, socket = (shown_before, place.socket) if outside else (pane, here)
    if remember and _is_pane(origin) and socket and origin != place.pane:
        _push(socket, origin)


def _run(command: list[str], *, heard: bool = False) -> tuple[int, str]:
    """Run a program without output: its exit code (127 when it is missing) and, if `heard`, its first line."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            null = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(write if heard and number == 1 else null, number)
            os.execvp(command[0], command)  # noqa: S606
        finally:
            os._exit(127)
    os.close(write)
    first_line = os.read(read, 200).decode("utf-8", "replace").partition("\n")[0] if heard else ""
    os.close(read)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), first_line


def back(pane: str, client: str) -> int:
    """Return to where the last jump began; 1 when there was none. Raises JumpError."""
    lines = _history()
    while lines:
        socket, _, origin = lines.pop().partition("\t")
        if not _is_pane(origin) or not os.path.exists(socket) or origin == pane:
            continue
        _write(lines)
        program = next((server[0] for server in servers() if server[1] == socket), TMUX)
        go(Place(program, socket, origin), pane, client, remember=False)
        return 0
    _write([])
    raise JumpError("no jump to go back from")


def _history() -> list[str]:
    try:
        text = paths.read(paths.in_home(BACK))[:8192].decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if "\t" in line][-MAX_BACK:]


def _push(socket: str, pane: str) -> None:
    _write([*_history(), f"{socket}\t{pane}"][-MAX_BACK:])


def _write(lines: list[str]) -> None:
    path = paths.in_home(BACK)
    try:
        fresh = os.open(f"{path}.new", os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        os.write(fresh, "".join(f"{line}\n" for line in lines).encode())
        os.close(fresh)
        os.replace(f"{path}.new", path)
    except OSError:
        return  # a jump that cannot be undone is still a jump


def _say(text: str, client: str) -> None:
    """An error where the user sees it: in tmux's message line when a key called, else on stderr."""
    if client and os.environ.get("TMUX"):
        _run([TMUX, "display-message", "-c", client, f"aitop: {clean(text, 200).replace('#', '##')}"])
    else:
        sys.stderr.write(f"aitop jump: {text}\n")


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
