"""docs/pictures/tmux-animated.svg: ten seconds of tmux. One session works, one comes to wait, a key goes there.

python scripts/animate_tmux.py

Every frame is what a real tmux drew, fed by a real listener with the demo's sessions; nothing is drawn by hand.
Needs tmux.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "scripts")]

import terminal_svg  # noqa: E402
from picture_displays import front  # noqa: E402

from aitop.demo import script  # noqa: E402
from aitop.demo.stage import Stage  # noqa: E402
from aitop.install import snippets  # noqa: E402
from aitop.pricing import table  # noqa: E402

TARGET = os.path.join(ROOT, "docs", "pictures", "tmux-animated.svg")
COLUMNS, ROWS = 96, 9
SECONDS = 10
FRAME_SECONDS = 0.5
WINDOW = "#[fg=#cdd6f4]#[bg=#313244] #I #W "
CURRENT = "#[fg=#11111b]#[bg=#89b4fa]#[bold] #I #W "
CONFIG = (
    "set -g status-style 'fg=#cdd6f4,bg=#1e1e2e'\nset -g status-left ''\nset -g status-right ''\n"
    f"set -g window-status-format '{WINDOW}'\nset -g window-status-current-format '{CURRENT}'\n"
    "set -g status-interval 1\nset -g prefix C-a\n"
)
SCREENS = {
    "checkout": ("\033[1m> fix the rounding of totals\033[0m", "", "● Reading src/cart/total.py",
                 "● Editing src/cart/total.py", "● Running the tests …"),
    "docs": ("\033[1m> publish the new page\033[0m", "", "● npm run deploy", "",
             "\033[33mDo you want to allow this command?  1. Yes  2. No\033[0m"),
}  # fmt: skip


class Film:
    """An outer tmux that shows an inner one, which runs our plugin."""

    def __init__(self, environment):
        self.folder = tempfile.mkdtemp(prefix="aitop-film-", dir="/tmp")
        self.environment = environment | {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
        }
        config = os.path.join(self.folder, "c")
        with open(config, "w") as file:
            file.write(CONFIG + snippets.snippets("tmux", "bash", front(), "catppuccin")[0])
        windows = []
        for name, lines in SCREENS.items():
            path = os.path.join(self.folder, name)
            with open(path, "w") as file:
                file.write("\n".join(lines))
            windows.append(f"-n {name} 'cat {path}; sleep 90'")
        inner = f"env -u TMUX tmux -u -S {self.folder}/i -f {config}"
        self.outer("new", "-d", "-x", str(COLUMNS), "-y", str(ROWS),
                   f"{inner} new -s s {windows[0]} \\; neww -d {windows[1]}")  # fmt: skip

    def outer(self, *words):
        return self._call("o", *words)

    def inner(self, *words):
        return self._call("i", *words)

    def _call(self, name, *words):
        call = ["tmux", "-u", "-S", os.path.join(self.folder, name), "-f", os.devnull, *words]
        return subprocess.run(call, env=self.environment, capture_output=True, text=True, check=False).stdout

    def frame(self):
        return self.outer("capture-pane", "-p", "-e").rstrip("\n").split("\n")

    def close(self):
        self.inner("kill-server")
        self.outer("kill-server")
        shutil.rmtree(self.folder, ignore_errors=True)


def hook(home, session, pane, event):
    payload = {"session_id": session, "hook_event_name": event, "notification_type": "permission_prompt"}
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(os.path.join(home, "claudecode.sock"))
        peer.sendall(
            f"aitop/1\tprovider=claude-code\tpane=%25{pane}\n".encode() + json.dumps(payload).encode()
        )


def shoot():
    """The frames, one each half second."""
    stage = Stage()
    film = None
    try:
        beats = [beat for beat in script.beats(table.load()) if beat.at < 12]
        stage.open([beat for beat in beats if beat.at < 0])
        live = [beat for beat in beats if beat.at >= 0]
        film = Film(stage.environment | {"PATH": os.environ["PATH"]})
        time.sleep(4)
        first, second = (f"d3300000-0000-4000-8000-{number:012d}" for number in (1, 2))
        frames = []
        live = [beat for beat in live if beat.action.session == first]  # the other one only waits
        hook(stage.home, first, 0, "UserPromptSubmit")
        hook(stage.home, second, 1, "UserPromptSubmit")
        time.sleep(3)
        began = time.monotonic()
        while len(frames) * FRAME_SECONDS < SECONDS:
            at = len(frames) * FRAME_SECONDS
            while live and live[0].at - 1 <= at:
                stage.play(live.pop(0), time.time())
            if at == 3.0:
                hook(stage.home, second, 1, "Notification")
            if at == 6.5:
                film.outer("send-keys", "C-a")
                film.outer("send-keys", "j")
            time.sleep(max(0.0, began + at + FRAME_SECONDS - time.monotonic()))
            frames.append(film.frame())
        return frames
    finally:
        if film is not None:
            film.close()
        stage.close()


def animated(frames):
    """The frames as one picture that moves."""
    title = "tmux: a session works, another one comes to wait, a key goes to it"
    timed = [(number * FRAME_SECONDS, frame) for number, frame in enumerate(frames)]
    return terminal_svg.film(timed, SECONDS, title, COLUMNS, ROWS)


if __name__ == "__main__":
    with open(TARGET, "w", encoding="utf-8") as target:
        target.write(animated(shoot()))
    print(TARGET)
