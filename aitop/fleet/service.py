"""The fleet's part of a running listener: its door, switched by the configuration, and its problem in words.

The exporter works in the door's threads, one scrape at a time; `scrape_lock.py` says why. While nothing of the fleet
is switched on, a listener loads this module and no other of the room.
"""

import gc
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aitop.config import Config
from aitop.model.json_types import JsonObject

if TYPE_CHECKING:
    from aitop.fleet.asker import Asker
    from aitop.fleet.door import Door, Page
    from aitop.fleet.exporter import Exporter
    from aitop.fleet.sender import Sender

TOKEN = "fleet.token"  # noqa: S105 - a file
RETRY_SECONDS = 10.0
M_ARENA_MAX = -8  # of malloc.h
MISSING = "the exporter needs prometheus_client"
READ_KEYS = ("fleet.read", "fleet.read_seconds", "fleet.credentials")
KEYS = ("fleet.enabled", "fleet.address", "fleet.port", "fleet.token")


class Service:
    """What the listener holds. It never raises: a fault is `problem`."""

    def __init__(self, home: str, log: Callable[[str], None]) -> None:
        self._home, self._log = home, log
        self._config: Config | None = None
        self._door: Door | None = None
        self._exporter: Exporter | None = None
        self._asker: Asker | None = None
        self._sender: Sender | None = None
        self._next_try = 0.0
        self.problem: str | None = None

    def configure(self, config: Config) -> None:
        """Serve as the configuration says from now on; an unchanged address stays open."""
        before, self._config = self._config, config
        self._exporter = None  # a scrape in hand ends with the one it has
        self._ask(before, config)
        self._push(config)
        same = before is not None and all(before[key] == config[key] for key in KEYS)
        if same and (self._door is not None or not config["fleet.enabled"]):
            return
        self._shut()
        self.problem = None
        if config["fleet.enabled"]:
            self._open(config)

    def _ask(self, before: Config | None, config: Config) -> None:
        """Read the fleet's totals back from an engine, where one is named."""
        if before is not None and all(before[key] == config[key] for key in READ_KEYS):
            return
        if self._asker is not None:
            self._asker.close()
        self._asker = None
        if config["fleet.read"]:
            from aitop.fleet.asker import Asker

            seconds = float(config["fleet.read_seconds"])
            self._asker = Asker(
                self._home, config["fleet.read"], config["fleet.credentials"], seconds, self._log
            )

    def _push(self, config: Config) -> None:
        """Push by OTLP, where a receiver is named; anew with each configuration, which may shape labels otherwise."""
        if self._sender is not None:
            self._sender.close()
        self._sender = None
        if not config["fleet.push"]:
            return
        try:
            from aitop.fleet import scrape_lock
            from aitop.fleet.sender import Sender

            self._sender = Sender(self._home, config, scrape_lock.held, self._log)
        except ModuleNotFoundError as error:
            self._log(f"fleet.push needs {error.name}: {_add_extra()}")
        except (OSError, ValueError) as error:
            self._log(f"fleet.push: {error}")

    def totals(self) -> JsonObject | None:
        """The contents of `state.fleet`; None where no engine is asked."""
        return self._asker.summary if self._asker is not None else None

    def sweep(self, monotonic: float) -> None:
        """Once a second: try again where the address was taken."""
        config = self._config
        if (
            self._door is None
            and config is not None
            and config["fleet.enabled"]
            and monotonic >= self._next_try
        ):
            self._open(config)

    def _open(self, config: Config) -> None:
        """Open the door; where that fails, `problem` says why, and the log once."""
        self._next_try = time.monotonic() + RETRY_SECONDS
        host, port, before, self.problem = (
            config["fleet.address"],
            int(config["fleet.port"]),
            self.problem,
            None,
        )
        _keep_one_heap()
        try:
            from aitop.fleet import exposition, scrape_lock  # noqa: F401 - a missing library is told at once, forks wait
            from aitop.fleet.door import Door

            self._door = Door(host, port, token(self._home, config), self._answer)
        except ModuleNotFoundError:
            self.problem = f"{MISSING}: {_add_extra()}"
        except OSError as error:
            self.problem = (
                f"{host}:{port} is not available ({error.strerror or error}): another program uses it, or a listener "
                "of another home; choose another fleet.port"
                if error.errno is not None
                else str(error)
            )
        else:
            self._log(f"metrics are served at {host}:{self._door.port}")
        if self.problem and self.problem != before:
            self._log(self.problem)

    def _answer(self, accept: str) -> "Page":
        from aitop.fleet import exposition, scrape_lock
        from aitop.fleet.door import Page

        with scrape_lock.held:
            try:
                kind = exposition.media(accept)
                first = self._exporter is None
                exporter = self._exporter_now()
                before = exporter.readings
                text = exporter.text(kind, time.time())
                if first:
                    gc.collect()  # what loading the library took for a moment
                if exporter.readings != before:
                    _give_back()
                return Page(200, kind, text)
            except Exception as error:  # a scrape must never end the listener
                self._log(f"metrics: {type(error).__name__}: {error}")
                return Page(503, "text/plain; charset=utf-8", f"{error}\n".encode())

    def _exporter_now(self) -> "Exporter":
        exporter = self._exporter
        if exporter is None:
            from aitop.fleet.exporter import Exporter

            assert self._config is not None
            exporter = self._exporter = Exporter(self._home, self._config)
        return exporter

    def published(self) -> dict[str, object] | None:
        """The contents of `state.doctor.fleet`; None while it is off."""
        if self._door is None and self.problem is None:
            return None
        return {"port": self._door.port if self._door else None, "problem": self.problem}

    def _shut(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None

    def close(self) -> None:
        self._shut()
        for thread in (self._asker, self._sender):
            if thread is not None:
                thread.close()


def _keep_one_heap() -> None:
    """Let the door's threads use the process's own heap, where the C library would give each one of its own: 0.5 MB."""
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)


def _give_back() -> None:
    """Hand back the memory that a reading of the history took: the C library would keep it for the next one."""
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _add_extra() -> str:
    from aitop.system import installation

    return installation.add_extra("fleet")


def token(home: str, config: Config) -> str | None:
    """What a scraper must show; None on loopback, unless the user wants one there too. Raises OSError."""
    from aitop.system.loopback import secret_file, web_origin

    if not config["fleet.token"] and web_origin.is_local_host(config["fleet.address"]):
        return None
    return secret_file.read_or_make(os.path.join(home, TOKEN))
