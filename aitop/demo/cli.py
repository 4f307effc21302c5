"""`aitop demo`: plays the script on the stage and shows it, live on a terminal, elsewhere as text."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from aitop import paths
from aitop.demo import past_days, script
from aitop.demo.stage import Stage, StageError

BANNER = (
    "DEMO: made-up numbers. Two scripted sessions, written as Claude Code writes them, through real",
    "transcripts, the real socket and a real listener, in a folder that vanishes afterwards.",
)
SNAPSHOTS = 3
TICK_SECONDS = 1.0  # of the listener
LAST_SECONDS = 10.0  # how long the last snapshot waits for a tick
ENDED = (signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    help="How long it plays. Default: until you leave the full table, else 60.",
)
@click.option(
    "--speed", type=click.FloatRange(0.1, 100), default=1.0, show_default=True, help="2: twice as fast."
)
def demo(seconds: float | None, speed: float) -> None:
    """Play two made-up sessions, with thirty made-up days behind them, in a throw-away home.

    On a terminal: `aitop top`, live; q leaves. Without its extra: a plain table, with the lines that tmux
    and Claude Code would show.
    Elsewhere: a few snapshots of `aitop top --once`. Your own files are neither read nor changed.
    """
    sys.exit(run(seconds, speed))


def run(seconds: float | None, speed: float, notice: str = "", *, snapshots: int = SNAPSHOTS) -> int:
    """Play; the exit code. Whatever ends it, the folder and the listener go."""
    stage = Stage()
    try:
        with _ended_by_signals():
            return _play(stage, seconds, speed, notice, snapshots)
    except StageError as error:
        click.echo(f"aitop demo: {error}", err=True)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        with _deaf():
            stage.close()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the demo the way Ctrl-C does, so that it still tidies up."""
    before = {number: signal.signal(number, _end) for number in ENDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _deaf() -> Iterator[None]:
    """Nothing interrupts the tidying up."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (*ENDED, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


SAMPLE_SECONDS = 3.0
PLAIN_SECONDS = 60.0


def sample(notice: str) -> int:
    """Three seconds of the demo, then its table as text; the exit code."""
    return run(SAMPLE_SECONDS, 2.0, notice, snapshots=1)


def _play(stage: Stage, seconds: float | None, speed: float, notice: str, snapshots: int) -> int:
    from aitop.pricing import table
    from aitop.top.cli import full_installed

    beats = script.beats(table.load())
    past = [*past_days.beats(time.localtime().tm_wday), *(beat for beat in beats if beat.at < 0)]
    live = [beat for beat in beats if beat.at >= 0]
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    banner = [*([notice] if notice else []), *BANNER]
    if not on_terminal:
        click.echo("\n".join(banner) + "\n")
    stage.open(past)
    if on_terminal and full_installed() and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from aitop.demo import table as full

        click.echo("\n".join(banner))
        full.show(stage, live, speed, seconds)
        return 0
    seconds = seconds or PLAIN_SECONDS
    show = _Screen(stage, banner) if on_terminal else _Snapshots(stage, seconds, snapshots)
    with show.taken():
        _follow(stage, live, seconds, speed, show)
    return 0


def _follow(
    stage: Stage, beats: list[script.Beat], seconds: float, speed: float, show: _Screen | _Snapshots
) -> None:
    """Each beat at its second, the display in between, until the time is up or the user leaves.

    Where the display took longer than the time that was left, the beats of that time are played at its end.
    """
    began = time.monotonic()
    waiting = beats[::-1]
    while True:
        passed = min(time.monotonic() - began, seconds)
        while waiting and waiting[-1].at / speed <= passed:
            stage.play(waiting.pop(), time.time())
        if passed >= seconds:
            break
        if not show.wait(seconds - passed, waiting[-1].at / speed - passed if waiting else seconds):
            return
    show.last()


class _Screen:
    """The live table, and above it the lines other programs would show."""

    def __init__(self, stage: Stage, banner: list[str]) -> None:
        self.stage, self.banner = stage, banner
        self.resized = -1

    @contextmanager
    def taken(self) -> Iterator[None]:
        from aitop.top import screen

        with screen.taken() as self.resized:
            yield

    def wait(self, left: float, next_beat: float) -> bool:
        """Draw, then sleep until something happens; False when the user leaves."""
        from aitop.top import screen

        self._draw(left)
        key = screen.wait(self.resized, max(0.01, min(next_beat, left, 1.0)))
        return key is not None and "q" not in key and "Q" not in key

    def last(self) -> None:
        pass

    def _draw(self, left: float) -> None:
        from aitop import state
        from aitop.segments.text import cut
        from aitop.top import cli as top
        from aitop.top import screen

        width, height = screen.size()
        os.environ["AITOP_HOME"] = self.stage.home
        published = state.read()
        head = [
            *(f"\x1b[7m{cut(line, width)}\x1b[0m" for line in self.banner),
            "",
            f"tmux         {segment(self.stage.home)}",
            f"Claude Code  {self.stage.status_line}\x1b[0m",
            "",
        ]
        lines = top.frame(published, time.time(), width, "")
        lines[-1] = f"q leaves; {left:.0f} seconds left"
        screen.draw([*head, *top.painted(lines, published)], height)


class _Snapshots:
    """The whole table as text, a few times, printed by the command itself."""

    def __init__(self, stage: Stage, seconds: float, snapshots: int) -> None:
        self.stage, self.seconds, self.snapshots = stage, seconds, snapshots
        self.printed = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        yield

    def wait(self, left: float, next_beat: float) -> bool:
        due = self.seconds * (self.printed + 1) / self.snapshots
        if self.seconds - left >= due and self.printed < self.snapshots - 1:
            self._print()
        time.sleep(max(0.01, min(next_beat, left, 0.25)))
        return True

    def last(self) -> None:
        """Print once more, as soon as a tick of the listener has seen what happened last."""
        from aitop import state

        os.environ["AITOP_HOME"] = self.stage.home
        played, end = time.time(), time.monotonic() + LAST_SECONDS
        while time.monotonic() < end:
            published = state.read()
            if published is not None and published["written_at"] >= played + TICK_SECONDS:
                break
            time.sleep(0.05)
        self._print()

    def _print(self) -> None:
        self.printed += 1
        process = subprocess.run(
            [sys.executable, "-P", "-m", "aitop", "top", "--once"], env=self.stage.environment,
            cwd=self.stage.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
        )  # fmt: skip
        click.echo(f"--- made-up numbers, snapshot {self.printed} of {self.snapshots}")
        click.echo(f"tmux: {segment(self.stage.home)}\n")
        click.echo(process.stdout.decode("utf-8", "replace"))


def segment(home: str) -> str:
    """The tmux line without tmux's colours, as the listener rendered it; empty when it is old."""
    path = os.path.join(home, paths.SEGMENTS, "tmux-plain")
    try:
        if os.stat(path).st_mtime < time.time():
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().partition(" ")[2].partition(" ")[2].rstrip("\n")
    except OSError:
        return ""
