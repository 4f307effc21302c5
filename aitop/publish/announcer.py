"""Publishing at the pace of events: all of it when something happened, a sign of life when nothing did.

Building and rendering the whole state costs some milliseconds; at rest, where nothing changes but the
clock, that would be most of what the listener costs. So an uneventful second repeats the last state
with a new date, and everything is made anew every few seconds, for what depends on time alone.
"""

import os
import time
from typing import TYPE_CHECKING, cast

from aitop import paths, segments
from aitop.config import Config
from aitop.log import Log
from aitop.model.json_types import JsonObject
from aitop.publish import asked
from aitop.publish.files import REFRESH, Publisher
from aitop.publish.git_changes import GitChanges
from aitop.publish.status_lines import StatusLines
from aitop.segments.asked import known as asked_names
from aitop.state import only

if TYPE_CHECKING:
    from aitop.publish.state_types import State
    from aitop.publish.tmux_push import Pusher


MOVE_SECONDS = 10.0  # between two looks whether a folder in memory has come


class Announcer:
    """Remembers the last state, and what it was made of."""

    def __init__(self, publisher: Publisher, log: Log) -> None:
        self.publisher = publisher
        self._tmux: Pusher | None = None
        self._git = GitChanges()
        self.status_lines = StatusLines()
        self._log = log
        self._state: JsonObject | None = None
        self._sign: tuple[object, ...] | None = None
        self._made_at = 0.0
        self._next_move = 0.0

    @property
    def state(self) -> JsonObject | None:
        """The state as it was published last; None before the first time."""
        return self._state

    def repeat(self, sign: tuple[object, ...], now: float) -> bool:
        """Publish the last state again, if it still holds; whether it did."""
        if self._state is None or sign != self._sign or time.monotonic() - self._made_at >= REFRESH - 0.5:
            return False
        self._state["written_at"] = now
        self._write({}, now)
        return True

    def publish(self, published_state: "State", sign: tuple[object, ...], config: Config, now: float) -> None:
        """Publish a new state and every segment."""
        state = cast("JsonObject", published_state)
        self._state, self._sign, self._made_at = state, sign, time.monotonic()
        self._git.fill(state, _looks(config, self.publisher.home, now), now)
        own = [(s.name, s.display, s.preset, s.format) for s in config.segments if s.provider is None]
        texts = segments.render_all(state, own, now)
        if (tmux := self._pusher()) is not None:
            texts |= tmux.segments(state, now)
        texts |= _of_one_provider(state, config, now) | asked.texts(state, self.publisher.home, now)
        texts |= self.status_lines.texts(state, now)
        self._move_into_memory()
        self._write(texts, now)
        if tmux is not None:
            tmux.tell(state, now)

    def _pusher(self) -> "Pusher | None":
        """What sets the variables of tmux servers; None until the plugin of one has left its file."""
        if self._tmux is None and os.path.isdir(os.path.join(self.publisher.home, paths.TMUX)):
            from aitop.publish.tmux_push import Pusher

            self._tmux = Pusher(self.publisher.home, self._log)
        return self._tmux

    def tmux_servers(self) -> list[tuple[str, str]]:
        """(program, socket) of every living tmux server with our plugin."""
        tmux = self._pusher()
        return [] if tmux is None else tmux.addresses()

    def _write(self, texts: dict[str, str], now: float) -> None:
        """Write the segments, if there are any, then the state: who sees a state finds its segments there.

        Once more in new folders if somebody removed them.
        """
        assert self._state is not None
        for attempt in (1, 2):
            try:
                if texts:
                    self.publisher.write_segments(texts, now)
                self.publisher.state(self._state, now)
            except OSError as error:
                self._log.error(f"cannot publish: {error}")
                if attempt == 1 and not self._prepared():
                    return
            else:
                return

    def _move_into_memory(self) -> None:
        """A logout takes the runtime folder away, and the files lie in the home until a login brings it back."""
        monotonic = time.monotonic()
        if self.publisher.folder != self.publisher.home or monotonic < self._next_move:
            return
        self._next_move = monotonic + MOVE_SECONDS
        if paths.runtime_folder() is not None:
            self._prepared()

    def _prepared(self) -> bool:
        try:
            self.publisher.prepare(paths.runtime_folder())
        except OSError as error:
            self._log.error(f"cannot publish: {error}")
            return False
        return True

    def withdraw(self, now: float) -> None:
        """On a clean end every display goes blank at once."""
        self.publisher.withdraw()
        self._git.close()
        if self._tmux is not None:
            self._tmux.close(now)


def _looks(config: Config, home: str, now: float) -> list[str]:
    """Every template of the user's own: of the configuration, and asked for on a command line."""
    own = [segment.format for segment in config.segments if segment.format]
    return [config["statusline.format"], *own, *asked_names(home, now)]


def _of_one_provider(state: JsonObject, config: Config, now: float) -> dict[str, str]:
    """The user's segments that show one client; empty while the client has no numbers."""
    texts = {}
    for own in config.segments:
        if own.provider is not None:
            part = only(state, own.provider)
            texts[own.name] = (
                segments.render(part, own.display, preset=own.preset, template=own.format, now=now)
                if part
                else ""
            )
    return texts
