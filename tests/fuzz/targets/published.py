"""The state file, as every reader finds it: displays, one-shots, the guard, doctor, the tables."""

import contextlib
import functools
import io
import json
import os
import tempfile
import time
from random import Random
from typing import Any
from unittest import mock

from aitop import guard, paths, statusline
from aitop import state as published
from aitop.install import checks, checks_listener, doctor
from aitop.install.findings import Context, Finding
from aitop.install.record import Installed
from aitop.segments import oneshot, statusline_segment
from aitop.top import keys, paint, picture, plain
from aitop.top.choices import Choices
from aitop.top.view_model import World

from .. import book, corpus, judge, mutate

VIEWS = (*keys.VIEWS, "detail")
SIZES = ((120, 40), (80, 24), (30, 8))


def seeds() -> list[dict[str, Any]]:
    return corpus.documents("state")


doctor._version = functools.cache(doctor._version)  # what is installed stays so  # noqa: SLF001


class State:
    """A state file of any contents."""

    name = "state"

    def __init__(self) -> None:
        self.seeds, self.bytes = seeds(), corpus.raw("state")
        self.now = self.seeds[0]["written_at"]
        self.home = tempfile.TemporaryDirectory(prefix="aitop-fuzz-", dir=book._memory())  # noqa: SLF001
        self.file = os.path.join(self.home.name, paths.STATE)
        self.turn = 0

    def fresh(self) -> None:
        self.turn = 0

    def close(self) -> None:
        self.home.cleanup()

    def make(self, random: Random) -> bytes:
        if random.random() < 0.1:
            return mutate.battered(random.choice(self.bytes), random)
        state = mutate.mutated(random.choice(self.seeds), self.seeds, random, 8)
        if isinstance(state, dict) and random.random() < 0.9:
            state["written_at"] = self.now
        return mutate.encoded(state, random)

    def check(self, data: bytes) -> None:
        os.environ["AITOP_HOME"] = self.home.name
        with open(self.file, "wb") as file:
            file.write(data)
        self.turn += 1
        reader = READERS[self.turn % len(READERS)]
        reader(self)

    def settle(self) -> None:
        pass

    # -- the readers -----------------------------------------------------------------------------------------

    def _read(self) -> dict[str, Any] | None:
        return published.read("claude-code" if self.turn % 7 == 0 else None)

    def displays(self) -> None:
        state = self._read()
        if state is not None:
            book.shown(state, self.now)

    def one_shots(self) -> None:
        for word in ("tmux", "prompt", "waybar", "swiftbar"):
            options = oneshot.Options(word)
            options.display = "zsh" if word == "prompt" else word
            options.preset = ("cost", "burn", "limits", "full")[self.turn // len(READERS) % 4]
            text = oneshot.current(options, self.now)
            if text:
                judge.line(options.display, text)

    def plain_table(self) -> None:
        state = self._read()
        if state is not None:
            for line in plain.lines(state, 100):
                judge.printable(line, "top --once")
            json.dumps(plain.rows(state), allow_nan=False)

    def full_table(self) -> None:
        state = self._read()
        number = self.turn // len(READERS)
        view, size = VIEWS[number % len(VIEWS)], SIZES[number % len(SIZES)]
        chosen = Choices(view=view, shown="all", session="claude-code\t00000000-0000-4000-8000-000000000001")
        found = picture.paint(World(state=state, number=1), chosen, *size, paint.RICH)
        for line in (found.top, *found.banner, *found.head, *found.body, *found.tail, found.bottom):
            judge.printable(paint.text_of(line), f"top's {view}")

    def status_line(self) -> None:
        state = self._read()
        fresh = state if published.is_fresh(state, self.now) else None
        for preset in statusline.PRESETS:
            said = {"model": {"display_name": "Opus"}}
            for line in statusline_segment.render(
                said, fresh, None, self.now, {"preset": preset, "columns": 80}
            ):
                judge.line("statusline", line)

    def guards(self) -> None:
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stderr(err),
            mock.patch.object(
                guard, "_put", lambda text: out.write(f"{text}\n")
            ),  # it writes below Python's stdout
        ):
            code = guard.main(["--json"] if self.turn % 3 == 0 else [])
            state = self._read()
            for row in guard.spent(state, None) if state else ():
                out.write(f"{guard.reason(state, row)}\n")
        if code not in (guard.OK, guard.NEAR, guard.OVER, guard.NOT_RUNNING, guard.NO_DATA):
            raise judge.Broken(f"the guard says {code}")
        judge.printable(out.getvalue() + err.getvalue(), "guard", newlines=True)

    def doctors(self) -> None:
        state = checks.context(time.time(), prove=False).state
        context = Context(time.time(), state, (), Installed(), prove=False)
        found = [
            Finding(check.__name__, *one)
            for check in (checks_listener.prices, checks_listener.reading)
            for one in check(context)
        ]
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            doctor._print(found, verbose=True)  # noqa: SLF001 - what the command does with them
        judge.printable(out.getvalue(), "doctor", newlines=True)
        json.dumps(doctor.bundle(found, context))


READERS = (
    State.displays, State.one_shots, State.plain_table, State.full_table, State.status_line, State.guards,
    State.doctors,
)  # fmt: skip
