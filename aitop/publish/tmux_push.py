"""Showing numbers in tmux without a process at each refresh: the listener sets hidden variables of the server.

A changed text is on the screen at once: the call that sets it also redraws the status line of every client.

The tmux plugin leaves one small file for each tmux server in `$AITOP_HOME/tmux/`: where the server is,
which texts its status line shows, in which colours. When a text has changed, one `tmux setenv -gh` sets
it for every client and window at once; the status line reads it as `#{E:@aitop_out_cost}`. Beside the
texts goes the time they hold until, which the status line compares with its own clock: a listener that
was killed cannot leave an old number behind. A server that cannot do this reads segments instead.

Never waits for tmux: a call that does not end is killed. The file of a server that has gone is removed.
"""

import os
import signal

from aitop import paths, segments
from aitop.log import Log
from aitop.model.json_types import JsonObject
from aitop.publish.tmux_servers import Server, by_status, in_panes, lives, read
from aitop.segments import fields, money

LIFE = 10.0  # seconds a text may be shown after it was sent
KEEP = 6.0  # seconds after which an unchanged one is sent again
SLOW = 3.0  # seconds after which a call is killed
FAILURES = 3  # calls in a row after which a server is given up until its plugin runs again
MAX_SERVERS = 16
AT_ONCE = 0.9  # seconds between two calls: a changed text goes with the next tick
MARK = "AITOP_UNTIL="  # in a call's answer: its variables were set
MAX_CLIENTS = 8  # of a server, that are redrawn


class Call:
    """What a server was last sent, and the call that sends it."""

    __slots__ = ("answer", "begun", "clients", "failures", "pid", "redraw_due", "sent", "sent_at")

    def __init__(self) -> None:
        self.clients: tuple[str, ...] | None = (
            None  # who looks at it, as the last call found; None: not known
        )
        self.redraw_due = False  # a text has changed since the clients last drew
        self.answer: int | None = None  # the descriptor that the call under way writes to
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

    def tell(self, state: JsonObject, now: float) -> None:
        """Send each server what has changed for it."""
        self._look()
        for name, server in list(self._servers.items()):
            call = self._calls.setdefault(name, Call())
            if not self._over(name, call, now) or not server.push:
                continue
            if not lives(server):
                self._forget(name)
                continue
            wanted = _texts(server, state, now, several=len(self._servers) > 1)
            changes = wanted != call.sent or (call.redraw_due and bool(call.clients))
            wait = AT_ONCE if changes and not call.failures else KEEP
            if 0 <= now - call.sent_at < wait:
                continue
            until = {"AITOP_UNTIL": str(int(now + LIFE))}
            changed = {key: text for key, text in wanted.items() if call.sent.get(key) != text}
            self._start(server, call, changed | until, now, redraw=bool(changed) or call.redraw_due)
            call.sent = wanted

    def segments(self, state: JsonObject, now: float) -> dict[str, str]:
        """The texts of servers that read segments: name of the segment → text."""
        texts: dict[str, str] = {}
        for name, server in list(self._servers.items()):
            if not server.push and lives(server):
                texts |= {f"tmux-{look}": text for look, text in _rendered(server, state, now).items()}
            elif not server.push:
                self._forget(name)
        return texts

    def addresses(self) -> list[tuple[str, str]]:
        """(program, socket) of every living server, those that read segments included."""
        self._look()
        return [(server.program, server.socket) for server in self._servers.values() if lives(server)]

    def close(self, now: float) -> None:
        """On a clean end the numbers vanish at once; waits a moment, and for no call that hangs."""
        for name, server in self._servers.items():
            call = self._calls.get(name)
            if call is None:
                continue
            self._over(name, call, now + SLOW)
            if server.push and call.sent:
                self._start(server, call, {"AITOP_UNTIL": "0"}, now, redraw=True)
        for call in self._calls.values():
            _await(call)

    # -- the files -------------------------------------------------------------------------------------------

    def _look(self) -> None:
        try:
            status = os.stat(self._folder)
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return
            names = sorted(os.listdir(self._folder))[:MAX_SERVERS]
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

    def _start(
        self, server: Server, call: Call, variables: dict[str, str], now: float, *, redraw: bool
    ) -> None:
        """One call: it sets the variables, says which clients there are, and redraws their status lines."""
        arguments = [server.program, "-S", server.socket]
        for key, text in variables.items():
            arguments += ["setenv", "-gh", key, _argument(text), ";"]
        arguments += ["show-environment", "-gh", "AITOP_UNTIL", ";", "list-clients", "-F", "#{client_name}"]
        call.redraw_due = redraw and call.clients is None  # the first call finds out who they are
        for client in call.clients or () if redraw else ():
            arguments += [";", "refresh-client", "-S", "-t", client]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TMUX")}
        call.sent_at = call.begun = now
        read_end, write_end = os.pipe()
        null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 2)]
        answer = [(os.POSIX_SPAWN_DUP2, write_end, 1)]
        try:
            call.pid = os.posix_spawn(server.program, arguments, environment, file_actions=null + answer)
        except OSError as error:
            call.failures += 1
            os.close(read_end)
            self._log.error(f"tmux: {server.program}: {error.strerror}")
        else:
            call.answer = read_end
        finally:
            os.close(write_end)

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
        taken = _answered(call)
        call.failures = call.failures + 1 if status and not taken else 0
        if call.failures:
            call.sent = {}
        if call.failures == FAILURES:
            self._log.error("tmux: a server does not take our numbers; reload its configuration to try again")
            self._forget(name)
        return call.failures < FAILURES


def _answered(call: Call) -> bool:
    """Read what an ended call wrote: whether its variables were set, and the clients, for the next call.

    A client that left since the call before fails the redraw only.
    """
    if call.answer is None:
        return False
    os.set_blocking(call.answer, False)
    try:
        lines = os.read(call.answer, 65_536).decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    os.close(call.answer)
    call.answer = None
    taken = any(line.startswith(MARK) for line in lines)
    call.clients = (
        tuple(line for line in lines if line and not line.startswith(MARK))[:MAX_CLIENTS] if taken else None
    )
    return taken


def _rendered(server: Server, state: JsonObject, now: float) -> dict[str, str]:
    return segments.for_tmux(state, server.looks, now, colours=server.colours, levels=server.levels)


def _texts(server: Server, state: JsonObject, now: float, *, several: bool) -> dict[str, str]:
    """Every variable of a server: its texts, and the panes with sessions that work, wait and rest."""
    variables = {
        "AITOP" if name == "aitop" else f"AITOP_{name.upper()}": text
        for name, text in _rendered(server, state, now).items()
    }
    if server.panes:
        for status, panes in by_status(state, server.pid if several else None).items():
            variables[f"AITOP_PANES_{status.upper()}"] = "".join(f"<{pane}>" for pane in panes)
        variables["AITOP_PANE_COSTS"] = _pane_costs(state, server.pid if several else None)
    return variables


def _pane_costs(state: JsonObject, server: int | None) -> str:
    """`<%1=$1.23>` for each pane with a living session: what that session has spent."""
    texts = {
        pane: money.of(state, money.spent(session), fields.session_sums(state, session)).replace("#", "##")
        for pane, session in in_panes(state, server).items()
    }
    return "".join(f"<{pane}={text}>" for pane, text in texts.items() if ">" not in text)


def _argument(text: str) -> str:
    """A `;` at the end of an argument would end tmux's command."""
    return text[:-1] + "\\;" if text.endswith(";") else text


def _await(call: Call) -> None:
    """Give a last call a moment, then end it."""
    import time

    if not call.pid:
        return
    for _ in range(30):
        try:
            ended = os.waitpid(call.pid, os.WNOHANG)[0] != 0
        except ChildProcessError:
            ended = True
        if ended:
            break
        time.sleep(0.01)
    else:
        os.kill(call.pid, signal.SIGKILL)
        os.waitpid(call.pid, 0)
    _answered(call)
