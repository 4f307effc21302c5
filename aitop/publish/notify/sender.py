"""Starting the programs that show alerts, without ever waiting for them: few processes at a time, each with an end.

What is news is written down before it is sent: a listener killed in between rather says nothing than
the same thing twice.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable

import orjson

from aitop import paths
from aitop.config import Config
from aitop.live.alerts import Alert
from aitop.publish.notify import channels, memory
from aitop.publish.notify.channels import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

MAX_PROCESSES = 4
MAX_WAITING = 32  # messages
PATIENCE = 10.0  # seconds a process may take


class Sender:
    """Tells people of alerts. `servers` gives (program, socket) of each tmux server, `complain` takes a line."""

    def __init__(
        self, path: str, host: str, system: str, servers: Callable[[], Iterable[tuple[str, str]]],
        complain: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._path, self._host, self._system = path, host, system
        self._servers, self._complain = servers, complain
        self._memory = memory.decode(_read(path))
        self._waiting: deque[Message] = deque(maxlen=MAX_WAITING)
        self._running: list[tuple[subprocess.Popen[bytes], str, float]] = []

    def tick(self, alerts: Iterable[Alert], config: Config, now: float) -> None:
        """Tell what is news; once a second."""
        self._tend(now)
        if not (config["notify.desktop"] or config["notify.tmux"] or config["notify.command"]):
            return
        news, self._memory = memory.decide(
            self._memory, alerts, config["notify.level"], config["notify.mute"],
            60 * config["notify.cooldown_minutes"], now,
        )  # fmt: skip
        if self._memory.changed and not self._write_down():
            return
        for alert in news:
            self._waiting.extend(self._messages(alert, config, now))
        while self._waiting and len(self._running) < MAX_PROCESSES:
            self._start(self._waiting.popleft(), now)

    def close(self) -> None:
        """Nothing that was started goes on without us."""
        for process, _, _ in self._running:
            _end(process)
        self._running.clear()

    def _messages(self, alert: Alert, config: Config, now: float) -> Iterable[Message]:
        if config["notify.desktop"]:
            yield channels.desktop(alert, self._system)
        if config["notify.tmux"]:
            for program, socket in self._servers():
                yield channels.tmux(alert, program, socket)
        if config["notify.command"]:
            yield channels.command(alert, config["notify.command"], self._host, now)

    def _start(self, message: Message, now: float) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TMUX")}
        import subprocess

        try:
            process = subprocess.Popen(
                message.arguments, stdin=subprocess.PIPE if message.stdin else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._complain(f"notify: {message.arguments[0]}: {error.strerror}")
            return
        if process.stdin is not None:
            try:
                process.stdin.write(message.stdin)  # less than any pipe holds: never waits
                process.stdin.close()
            except OSError:
                pass  # it reads nothing, which is its right
        self._running.append((process, message.channel, now))

    def _tend(self, now: float) -> None:
        kept = []
        for process, channel, begun in self._running:
            code = process.poll()
            begun = min(begun, now)  # noqa: PLW2901 - a clock set back must not end what has just begun
            if code is None and now - begun < PATIENCE:
                kept.append((process, channel, begun))
            elif code is None:
                _end(process)
                self._complain(f"notify: {channel} did not end within {PATIENCE:.0f} seconds and was stopped")
            elif code:
                self._complain(f"notify: {channel} failed with exit code {code}")
        self._running = kept

    def _write_down(self) -> bool:
        fresh = f"{self._path}.{os.getpid()}"
        try:
            fd = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as file:
                file.write(orjson.dumps(memory.encode(self._memory)))
            os.replace(fresh, self._path)
        except OSError as error:
            self._complain(
                f"notify: {self._path}: {error.strerror}; nothing is sent that could not be remembered"
            )
            return False
        return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass
    process.wait()


def _read(path: str) -> object:
    try:
        return orjson.loads(paths.read(path))
    except (OSError, orjson.JSONDecodeError):
        return None
