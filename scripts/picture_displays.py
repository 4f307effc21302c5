"""docs/pictures/*: every display as its real program draws it, from a run of the demo.

python scripts/picture_displays.py [--seconds N] [--real-themes FOLDER] [--only NAME]

FOLDER holds clones of tmux themes, each under the name that we have for it: catppuccin, dracula, tokyonight, gruvbox.

Terminals are captured from tmux, Waybar is a screenshot of the real one under sway. SwiftBar's menu is
drawn from what it prints (draw_menu.py), since SwiftBar itself runs on macOS only. Needs tmux, zsh, fish, starship,
and for Waybar what tests/support/desktop.py needs.
"""

import argparse
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests"), os.path.join(ROOT, "scripts")]

import draw_menu  # noqa: E402
import terminal_svg  # noqa: E402
from support.desktop import Desktop  # noqa: E402

from aitop.demo import script  # noqa: E402
from aitop.demo.stage import Stage  # noqa: E402
from aitop.install import snippets  # noqa: E402
from aitop.pricing import table  # noqa: E402

TARGET = os.path.join(ROOT, "docs", "pictures")
TMUX = """
set -g status-style 'fg=#cdd6f4,bg=#313244'
set -g status-left '#[fg=#11111b,bg=#89b4fa] demo #[default] '
set -g status-left-length 20
set -g status-right-length 120
set -g window-status-format ' #I #W#{?#{aitop_pane}, #{aitop_pane},} '
set -g window-status-current-format '#[bold] #I #W#{?#{aitop_pane}, #{aitop_pane},} '
set -g status-right '#{aitop_cost} today · #{aitop_burn} · ctx #{aitop_context} · #{aitop_sessions} sessions '
set -ag status-right '#[fg=#11111b,bg=#a6e3a1] %H:%M '
set -g status-interval 1
run-shell '{plugin}'
"""


PROMPTS = {
    "bash": r"PS1='\[\e[34m\]~/shop\[\e[0m\] $ '",
    "zsh": "PROMPT='%F{blue}~/shop%f %% '",
    "fish": "function fish_prompt; set_color blue; printf '~/shop'; set_color normal; printf ' > '; end",
}


class Terminal:
    """A program in a tmux of our own."""

    def __init__(self, environment, width=110, height=6):
        self.folder = tempfile.mkdtemp(prefix="aitop-picture-")
        self.environment = environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8",
                                          "HOME": self.folder, "PS1": "~/shop $ "}  # fmt: skip
        self.width, self.height = width, height

    def tmux(self, *words):
        call = ["tmux", "-u", "-S", os.path.join(self.folder, "o"), "-f", os.devnull, *words]
        return subprocess.run(
            call, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        ).stdout

    def show(self, command, keys=(), wait=3.0):
        self.tmux("new", "-d", "-x", str(self.width), "-y", str(self.height), command)
        self.tmux(
            "set", "-g", "default-terminal", "tmux-256color", ";", "set", "-ga", "terminal-overrides", ",*:Tc"
        )
        for key in keys:
            time.sleep(1)
            self.tmux("send-keys", key, "Enter")
        time.sleep(wait)
        return self.tmux("capture-pane", "-p", "-e").rstrip("\n").split("\n")

    def close(self):
        self.tmux("kill-server")
        shutil.rmtree(self.folder, ignore_errors=True)


def drawn(lines, title, columns):
    """Captured lines as an SVG on the character grid."""
    return terminal_svg.document(terminal_svg.captured(lines), title, columns, ground=terminal_svg.BACK)


def save(name, text):
    path = os.path.join(TARGET, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print(path)


def tmux(environment):
    terminal = Terminal(environment, 120, 4)
    try:
        path = os.path.join(terminal.folder, "inner.conf")
        with open(path, "w") as file:
            file.write(TMUX.replace("{plugin}", os.path.join(ROOT, "aitop.tmux")))
        inner = f"env -u TMUX tmux -u -S {terminal.folder}/i -f {path}"
        lines = terminal.show(f"{inner} new -s s -n claude 'sleep 60' \\; neww -d -n zsh 'sleep 60'", wait=6)
        subprocess.run(["tmux", "-S", f"{terminal.folder}/i", "kill-server"], check=False)
        save("tmux.svg", drawn([line for line in lines if "claude" in line][-1:], "aitop in tmux", 120))
    finally:
        terminal.close()


THEMES = {  # a bar in each theme's own colours, as the theme draws windows
    "catppuccin": ("#cdd6f4", "#1e1e2e", "#[fg=#11111b,bg=#89b4fa] #I #[fg=#cdd6f4,bg=#313244] #W "),
    "dracula": ("#f8f8f2", "#282a36", "#[fg=#f8f8f2,bg=#6272a4] #I #W "),
    "tokyonight": ("#c0caf5", "#1a1b26", "#[fg=#7aa2f7,bg=#292e42] #I #W "),
    "gruvbox": ("#ebdbb2", "#282828", "#[fg=#282828,bg=#a89984] #I #W "),
    "powerline": ("colour252", "colour234", "#[fg=colour252,bg=colour240] #I #W "),
}


# What a user of the real theme has in front of it, and behind it.
OPTIONS = {
    "catppuccin": "set -g @catppuccin_flavor mocha\nset -g @catppuccin_window_status_style rounded\n"
    "set -g @catppuccin_window_text ' #W'\nset -g @catppuccin_window_current_text ' #W'\n",
    "dracula": "set -g @dracula-plugins 'time'\nset -g @dracula-show-powerline true\n",
    "tokyonight": "set -g @tokyo-night-tmux_show_git 0\nset -g @tokyo-night-tmux_show_wbg 0\n",
}
AFTER = {"catppuccin": "set -g status-left ''\nset -g status-right '#{E:@catppuccin_status_session}'\n"}


def themes(environment):
    """The same line in the colours of each theme."""
    rows = []
    for name, (text, ground, window) in THEMES.items():
        terminal = Terminal(environment, 100, 4)
        try:
            path = os.path.join(terminal.folder, "inner.conf")
            with open(path, "w") as file:
                file.write(
                    f"set -g status-style 'fg={text},bg={ground}'\nset -g status-left ''\nset -g status-right ''\n"
                    f"set -g window-status-format '{window}'\nset -g window-status-current-format '{window}'\n"
                    "set -g status-interval 1\n" + snippets.snippets("tmux", "bash", front(), name)[0]
                )
            inner = f"env -u TMUX tmux -u -S {terminal.folder}/i -f {path}"
            lines = terminal.show(
                f"{inner} new -s s -n claude 'sleep 60' \\; neww -d -n zsh 'sleep 60'", wait=6
            )
            subprocess.run(["tmux", "-S", f"{terminal.folder}/i", "kill-server"], check=False)
            rows += ["\x1b[0m\x1b[90m" + name, [line for line in lines if "claude" in line][-1], ""]
        finally:
            terminal.close()
    save("themes.svg", drawn(rows[:-1], "aitop in the colours of five tmux themes", 100))


def real_themes(environment, folder):
    """Our lines behind the real themes, each loaded as its own pages say."""
    rows = []
    for name in THEMES:
        entries = sorted(glob.glob(os.path.join(folder, name, "*.tmux")))
        if not entries:
            continue
        terminal = Terminal(environment, 130, 5)
        try:
            path = os.path.join(terminal.folder, "inner.conf")
            with open(path, "w") as file:
                file.write(
                    f"set -g status-interval 1\nset -g status-left-length 30\n{OPTIONS.get(name, '')}"
                    f"run-shell {entries[0]}\n{AFTER.get(name, '')}"
                    + snippets.snippets("tmux", "bash", front(), name)[0]
                )
            inner = f"env -u TMUX tmux -u -S {terminal.folder}/i -f {path}"
            lines = terminal.show(
                f"{inner} new -s demo -n claude 'sleep 60' \\; neww -d -n zsh 'sleep 60'", wait=8
            )
            subprocess.run(["tmux", "-S", f"{terminal.folder}/i", "kill-server"], check=False)
            rows += ["\x1b[0m\x1b[90m" + name, [line for line in lines if "claude" in line][-1], ""]
        finally:
            terminal.close()
    save("real-themes.svg", drawn(rows[:-1], "aitop behind the real tmux themes", 130))


def place(home):
    """The demo's sessions as if they ran in the panes of the pictured tmux: one waits."""
    with open(os.path.join(home, "state.json"), "rb") as file:
        sessions = json.load(file)["sessions"][:2]
    for pane, (session, event) in enumerate(
        zip(sessions, ("UserPromptSubmit", "Notification"), strict=False)
    ):
        said = {
            "session_id": session["id"],
            "hook_event_name": event,
            "notification_type": "permission_prompt",
        }
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(os.path.join(home, "claudecode.sock"))
            peer.sendall(
                f"aitop/1\tprovider=claude-code\tpane=%25{pane}\n".encode() + json.dumps(said).encode()
            )
    time.sleep(1.2)


def held(home, draw):
    """Draw while the listener is stopped and its texts stay fresh: pictures of one moment."""
    with open(os.path.join(home, "state.json"), "rb") as file:
        listener = json.load(file)["listener"]["pid"]
    os.kill(listener, signal.SIGSTOP)
    try:
        for name in os.listdir(os.path.join(home, "segments")):
            os.utime(os.path.join(home, "segments", name), (time.time() + 3600, time.time() + 3600))
        draw()
    finally:
        os.kill(listener, signal.SIGCONT)


def shells(environment):
    lines = []
    for shell, start in (
        ("bash", "bash --norc --noprofile -i"),
        ("zsh", "zsh -f -i"),
        ("fish", "fish --no-config -i"),
        ("starship", "zsh -f -i"),
    ):
        terminal = Terminal(environment, 100, 10)
        try:
            name = "starship" if shell == "starship" else shell
            path = os.path.join(terminal.folder, "snippet")
            text = snippets.snippet(name, "zsh", "aitop")
            keys = [f"source {path}; clear"]
            if shell == "starship":
                toml, _, text = text.partition("# 2.")
                os.makedirs(os.path.join(terminal.folder, ".config"))
                with open(os.path.join(terminal.folder, ".config", "starship.toml"), "w") as file:
                    file.write('add_newline = false\nformat = "$env_var$directory$character"\n' + toml)
                text = f'# {text}\neval "$({os.path.dirname(sys.executable)}/starship init zsh --print-full-init)"\n'
            with open(path, "w") as file:
                file.write(text)
            if shell in PROMPTS:
                keys.insert(0, PROMPTS[shell])
            shown = terminal.show(start, keys, 6)
            lines += ["\x1b[0m\x1b[90m" + shell, "\x1b[0m" + next(line for line in shown if line.strip()), ""]
        finally:
            terminal.close()
    save("prompts.svg", drawn(lines[:-1], "aitop in bash, zsh, fish and starship", 100))


def waybar(home):
    module, _, style = snippets.snippet("waybar", "bash", front()).partition("\n/*")
    with Desktop(home) as desktop:
        desktop.bar(module.rstrip().rstrip(","), "/*" + style)
        time.sleep(2)
        desktop.x("mousemove", "300", "100", "mousemove", "60", "20", "mousemove", "50", "15")
        desktop.x("mousemove", "53", "16")
        time.sleep(2)
        desktop.shot(os.path.join(TARGET, "waybar.png"), "-g", "0,0 700x460")
        print(os.path.join(TARGET, "waybar.png"))


def front():
    return os.path.join(os.path.dirname(sys.executable), "aitop")


def swiftbar(home):
    """The menu with the submenu of the newest session open."""
    with open(os.path.join(home, "segments", "swiftbar"), encoding="utf-8") as file:
        text = file.read().split(" ", 2)[2].rstrip("\n")
    with open(os.path.join(home, "state.json"), "rb") as file:
        newest = json.load(file)["sessions"][0]["project"]
    save("swiftbar.svg", draw_menu.draw(text, f"● {newest}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=21.0, help="how much of the demo is played first")
    parser.add_argument("--real-themes", metavar="FOLDER", help="draw real-themes.svg too")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this picture, such as themes")
    arguments = parser.parse_args()
    os.makedirs(TARGET, exist_ok=True)
    stage = Stage()
    try:
        beats = script.beats(table.load())
        stage.open([beat for beat in beats if beat.at < 0])
        began = time.monotonic()
        for beat in beats:
            if 0 <= beat.at <= arguments.seconds:
                time.sleep(max(0.0, beat.at - (time.monotonic() - began)))
                stage.play(beat, time.time())
        time.sleep(1.5)
        environment = stage.environment | {"PATH": os.environ["PATH"]}
        pictures = {
            "statusline": lambda: save(
                "statusline.svg", drawn([stage.status_line], "aitop as Claude Code's status line", 110)
            ),
            "swiftbar": lambda: swiftbar(stage.home),
            "tmux": lambda: tmux(environment),
            "themes": lambda: themes(environment),
            "prompts": lambda: held(stage.home, lambda: shells(environment)),
            "waybar": lambda: waybar(stage.home),
        }
        if arguments.real_themes:
            pictures["real-themes"] = lambda: real_themes(environment, arguments.real_themes)
        place(stage.home)
        for name, draw in pictures.items():
            if not arguments.only or name in arguments.only:
                draw()
    finally:
        stage.close()


if __name__ == "__main__":
    main()
