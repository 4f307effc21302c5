"""Showing numbers in tmux without a process at each refresh: the listener sets hidden variables of the server.

The tmux plugin leaves one small file for each tmux server in `$AITOP_HOME/tmux/`: where the server is,
which texts its status line shows, in which colours. When a text has changed, one `tmux setenv -gh` sets
it for every client and window at once; the status line reads it as `#{E:@aitop_out_cost}`. Beside the
texts goes the time they hold until, which the status line compares with its own clock: a listener that
was killed cannot leave an old number behind. A server that cannot do this reads segments instead.

Never waits for tmux: a call that does not end is killed. A file whose server has gone is removed.
"""

import os
import signal
from typing import Any, NamedTuple

from aitop import paths, segments
from aitop.log import Log
from aitop.segments import fields, money

LIFE = 10.0  # seconds a text may be shown after it was sent
KEEP = 6.0  # seconds after which an unchanged one is sent again
SLOW = 3.0  # seconds after which a call is killed
FAILURES = 3  # calls in a row after which a server is given up until its plugin runs again
MOST = 16  # servers, and texts of each
STATUSES = ("working", "waiting", "idle")


class Server(NamedTuple):
    """What one tmux server asked for."""

    program: str
    socket: str
    pid: int
    push: bool
    panes: bool
    every: float
    looks: dict[str, tuple[str | None, str | None]]  # name → preset, template
    colours: dict[str, str]
    levels: dict[str, list[float]]


class Call:
    """What a server was last told, and the call that tells it."""

    __slots__ = ("begun", "failures", "pid", "sent", "sent_at")

    def __init__(self) -> None:
        self.sent: dict[str, str] = {}
        self.sent_at = 0.0
        self.pid = 0
        self.begun = 0.0
        self.failures = 0


class Pusher:
    """Every tmux server that shows our numbers."""

    def __init__(self, home: str, log: Log) -> None:
        self._folder = os.path.join(home, paths.TMUX)
        self._log = log
        self._stamp: object = None
        self._servers: dict[str, Server] = {}
        self._calls: dict[str, Call] = {}

    def tell(self, state: dict[str, Any], now: float) -> None:
        """Send each server what has changed for it."""
        self._look()
        for name, server in list(self._servers.items()):
            call = self._calls.setdefault(name, Call())
            if not self._over(name, call, now) or not server.push:
                continue
            if not _lives(server):
                self._forget(name)
                continue
            wanted = _texts(server, state, now, several=len(self._servers) > 1)
            wait = KEEP if wanted == call.sent else server.every if call.failures == 0 else KEEP
            if 0 <= now - call.sent_at < wait:
                continue
            until = {"AITOP_UNTIL": str(int(now + LIFE))}
            changed = {key: text for key, text in wanted.items() if call.sent.get(key) != text}
            self._start(server, call, changed | until, now)
            call.sent = wanted

    def segments(self, state: dict[str, Any], now: float) -> dict[str, str]:
        """The texts of servers that read segments: name of the segment → text."""
        found: dict[str, str] = {}
        for name, server in list(self._servers.items()):
            if not server.push and _lives(server):
                found |= {f"tmux-{look}": text for look, text in _rendered(server, state, now).items()}
            elif not server.push:
                self._forget(name)
        return found

    def addresses(self) -> list[tuple[str, str]]:
        """(program, socket) of every living server, those that read segments included."""
        self._look()
        return [(server.program, server.socket) for server in self._servers.values() if _lives(server)]

    def close(self, now: float) -> None:
        """On a clean end the numbers vanish at once; waits a moment, and for no call that hangs."""
        for name, server in self._servers.items():
            call = self._calls.get(name)
            if call is None:
                continue
            self._over(name, call, now + SLOW)
            if server.push and call.sent:
                self._start(server, call, {"AITOP_UNTIL": "0"}, now)
        for call in self._calls.values():
            _await(call)

    # -- the files -------------------------------------------------------------------------------------------

    def _look(self) -> None:
        try:
            found = os.stat(self._folder)
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp == self._stamp:
                return
            names = sorted(os.listdir(self._folder))[:MOST]
        except OSError:
            self._servers.clear()
            self._stamp = None
            return
        self._stamp = stamp
        servers = {}
        for name in names:
            if name.isdigit():
                server = read(os.path.join(self._folder, name))
                if server is not None:
                    servers[name] = server
                if server != self._servers.get(name):
                    self._calls.setdefault(name, Call()).sent = {}
        self._servers = servers

    def _forget(self, name: str) -> None:
        self._servers.pop(name, None)
        try:
            os.unlink(os.path.join(self._folder, name))
        except OSError:
            pass

    # -- the calls -------------------------------------------------------------------------------------------

    def _start(self, server: Server, call: Call, variables: dict[str, str], now: float) -> None:
        arguments = [server.program, "-S", server.socket]
        for key, text in variables.items():
            arguments += ["setenv", "-gh", key, _argument(text), ";"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TMUX")}
        null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
        call.sent_at = call.begun = now
        try:
            call.pid = os.posix_spawn(server.program, arguments[:-1], environment, file_actions=null)
        except OSError as error:
            call.failures += 1
            self._log.error(f"tmux: {server.program}: {error.strerror}")

    def _over(self, name: str, call: Call, now: float) -> bool:
        """Whether no call is under way any more."""
        if not call.pid:
            return call.failures < FAILURES
        try:
            pid, status = os.waitpid(call.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = call.pid, 0
        if not pid:
            if 0 <= now - call.begun < SLOW:
                return False
            os.kill(call.pid, signal.SIGKILL)
            status = os.waitpid(call.pid, 0)[1]
        call.pid = 0
        call.failures = call.failures + 1 if status else 0
        if call.failures:
            call.sent = {}
        if call.failures == FAILURES:
            self._log.error("tmux: a server does not take our numbers; reload its configuration to try again")
            self._forget(name)
        return call.failures < FAILURES


def read(path: str) -> Server | None:
    """A server's file, written by the plugin; None when it is not one."""
    try:
        text = paths.read(path)[:65536].decode("utf-8", "replace")
        rows = [line.rstrip("\n").split("\t") for line in text.splitlines()]
    except OSError:
        return None
    words = {row[0]: row[1] for row in rows if len(row) == 2}
    looks: dict[str, tuple[str | None, str | None]] = {}
    for row in rows:
        if row[0] == "show" and len(row) == 4 and len(looks) < MOST:
            looks[row[1]] = (row[3] if row[2] == "preset" else None, row[3] if row[2] == "format" else None)
    try:
        return Server(
            words["tmux"], words["socket"], int(words["pid"]), words["how"] == "push", words.get("panes") == "on",
            min(60.0, max(1.0, float(words.get("every", "2")))), looks,
            {row[1]: row[2] for row in rows if row[0] == "colour" and len(row) == 3},
            {row[1]: [float(row[2]), float(row[3])] for row in rows if row[0] == "level" and len(row) == 4},
        )  # fmt: skip
    except (KeyError, ValueError):
        return None


def _rendered(server: Server, state: dict[str, Any], now: float) -> dict[str, str]:
    return segments.for_tmux(state, server.looks, now, colours=server.colours, levels=server.levels)


def _texts(server: Server, state: dict[str, Any], now: float, *, several: bool) -> dict[str, str]:
    """Every variable of a server: its texts, and the panes whose sessions work, wait and rest."""
    found = {
        "AITOP" if name == "aitop" else f"AITOP_{name.upper()}": text
        for name, text in _rendered(server, state, now).items()
    }
    if server.panes:
        for status, panes in by_status(state, server.pid if several else None).items():
            found[f"AITOP_PANES_{status.upper()}"] = "".join(f"<{pane}>" for pane in panes)
        found["AITOP_PANE_COSTS"] = _pane_costs(state, server.pid if several else None)
    return found


def _pane_costs(state: dict[str, Any], server: int | None) -> str:
    """`<%1=$1.23>` for each pane with a living session: what that session has spent."""
    panes = {pane for known in by_status(state, server).values() for pane in known}
    found: dict[str, str] = {}
    for session in state["sessions"]:
        pane = session.get("pane")
        if pane in panes and session.get("status") in STATUSES and pane not in found:
            counts = fields.session_sums(state, session)
            found[pane] = money.of(state, money.spent(session), counts).replace("#", "##")
    return "".join(f"<{pane}={text}>" for pane, text in found.items() if ">" not in text)


def by_status(state: dict[str, Any], server: int | None) -> dict[str, list[str]]:
    """Status → panes, a pane by its newest living session. `server`: only panes of this tmux server.

    Two servers both have a pane %0: which one a session runs in is told by its process's ancestors.
    """
    found: dict[str, list[str]] = {status: [] for status in STATUSES}
    seen = set()
    for session in state["sessions"]:
        pane, status = session.get("pane"), session.get("status")
        if not pane or status not in found or pane in seen:
            continue
        if not (pane[0] == "%" and pane[1:].isascii() and pane[1:].isdigit()):
            continue
        if server is not None and session.get("pid") and not _descends(session["pid"], server):
            continue
        seen.add(pane)
        found[status].append(pane)
    return found


def _descends(pid: int, ancestor: int) -> bool:
    """Whether a process stems from another; True where the system does not tell."""
    for _ in range(32):
        if pid == ancestor:
            return True
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return not os.path.isdir("/proc/self")
        if pid <= 1:
            return False
    return False


def _lives(server: Server) -> bool:
    try:
        os.kill(server.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _argument(text: str) -> str:
    """A `;` at the end of an argument would end tmux's command."""
    return text[:-1] + "\\;" if text.endswith(";") else text


def _await(call: Call) -> None:
    """Give a last call a moment, then end it."""
    import time

    for _ in range(30):
        if not call.pid:
            return
        try:
            pid, _ = os.waitpid(call.pid, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            return
        time.sleep(0.01)
    os.kill(call.pid, signal.SIGKILL)
    os.waitpid(call.pid, 0)
