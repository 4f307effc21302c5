"""The demo in the full-screen table: the script plays in a thread of its own, the badge says what it is."""

from __future__ import annotations

import os
import threading
import time

from aitop.demo.script import Beat
from aitop.demo.stage import Stage

BADGE = "DEMO made-up numbers"


def show(stage: Stage, beats: list[Beat], speed: float, seconds: float | None) -> None:
    """Run the table on the stage until the user leaves, or for some seconds."""
    from aitop.top.app import Top
    from aitop.top.choices import Choices
    from aitop.top.cli import default_theme

    before = dict(os.environ)
    os.environ.update({name: stage.environment[name] for name in ("AITOP_HOME", "AITOP_CONFIG")})
    ends = threading.Event()
    player = threading.Thread(target=play, args=(stage, beats, speed, ends), daemon=True)
    try:
        app = Top(Choices(theme=default_theme(os.environ)))
        app.show_badge(BADGE)
        if seconds is not None:
            app.leave_after(seconds)
        player.start()
        app.run()
    finally:
        ends.set()
        player.join(timeout=5)
        os.environ.clear()
        os.environ.update(before)


def play(stage: Stage, beats: list[Beat], speed: float, ends: threading.Event) -> None:
    """Each beat at its second."""
    began = time.monotonic()
    for beat in beats:
        if ends.wait(max(0.0, beat.at / speed - (time.monotonic() - began))):
            return
        try:
            stage.play(beat, time.time())
        except OSError:
            return  # the folder has gone: the demo is over
