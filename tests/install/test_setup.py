"""`aitop setup` in a home with real programs' files: one command in, one command out, to the byte."""

import json
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest
from golden.home import ROOT, need
from support.clients import client
from support.messages_api import Api

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
FRONT = os.path.join(os.path.dirname(sys.executable), "aitop")
FILES = {
    ".claude/settings.json": '{\n   "model" : "opus",\n   "env": {"A": "b"}\n}\n',
    ".tmux.conf": "set -g status-right '#S'\n# run catppuccin\n",
    ".bashrc": "PS1='$ '\n",
    ".zshrc": "PROMPT='%# '\n",
    ".config/fish/config.fish": "set -g fish_greeting\n",
    ".config/waybar/config": '// mine\n{"modules-right": ["clock"]}\n',
}


@pytest.fixture
def home(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield tmp_path
    aitop(tmp_path, "stop")
    subprocess.run(["tmux", "kill-server"], env=environment(tmp_path), capture_output=True)


def environment(home, **more):
    return {
        "PATH": f"{os.path.dirname(FRONT)}:{os.environ['PATH']}", "HOME": str(home), "SHELL": "/bin/zsh",
        "LANG": "C.UTF-8", "TERM": "xterm-256color", "TMUX_TMPDIR": str(home), "AITOP_PROVIDERS": "builtin",
    } | more  # fmt: skip


def aitop(home, *words, code=0, **more):
    done = subprocess.run(
        [FRONT, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, cwd=home,
        env=environment(home, **more),
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def tree(home):
    """Every file and folder of the user's, with its bytes and mode."""
    return {
        str(path.relative_to(home)): (path.read_bytes() if path.is_file() else None, path.stat().st_mode)
        for path in pathlib.Path(home).rglob("*")
        if not str(path.relative_to(home)).startswith((".aitop", "tmux-")) and not path.is_socket()
    }


def names(home):
    return {part["name"] for part in json.loads(aitop(home, "setup", "--json"))["parts"]}


def test_a_look_changes_nothing(home):
    before = tree(home)
    said = aitop(home, "setup", "--dry-run")
    for word in ("Claude Code", "status line", "tmux", "zsh prompt", "Waybar", "Nothing was changed"):
        assert word in said
    assert len(said.splitlines()) < 20
    assert "+++" in aitop(home, "setup", "--diff")
    assert names(home) >= {"claude-code", "statusline", "tmux", "waybar"}
    assert tree(home) == before
    assert not (home / ".aitop").exists()


def test_all_of_it_goes_in_with_one_command_and_out_with_one_to_the_byte(home):
    before = tree(home)
    said = aitop(home, "setup", "--yes")
    assert "Set up: Claude Code, status line, tmux" in said
    assert said.splitlines()[-1].startswith("$0")  # the live line
    after = tree(home)
    assert [name for name in before if before[name][0] is not None and after[name] == before[name]] in (
        [".config/fish/config.fish"], [".config/fish/config.fish", ".zshrc"], [],
    )  # fmt: skip
    assert json.loads(aitop(home, "status", "--json"))["running"]
    assert "Everything is set up" in aitop(home, "setup", "--yes")
    assert tree(home) == after
    out = aitop(home, "setup", "--remove", "--yes")
    assert "listener: stopped" in out
    assert tree(home) == before
    assert not any(
        (home / ".aitop" / name).exists()
        for name in ("hook", "statusline", "installed.json", "snippets.json")
    )


def test_uninstall_undoes_it_as_well(home):
    before = tree(home)
    aitop(home, "setup", "--yes")
    aitop(home, "uninstall", "--purge", "--yes")
    assert tree(home) == before
    assert not (home / ".aitop").exists()


def test_parts_go_in_and_out_alone(home):
    before = tree(home)
    aitop(home, "setup", "--yes", "--only", "bash", "--only", "claude-code")
    changed = {name for name, what in tree(home).items() if before.get(name) != what}
    assert changed == {".bashrc", ".claude/settings.json"}
    assert '"statusLine"' not in (home / ".claude/settings.json").read_text()
    aitop(home, "setup", "--yes", "--only", "statusline")
    assert '"refreshInterval": 1' in (home / ".claude/settings.json").read_text()
    aitop(home, "setup", "--remove", "--yes", "--only", "statusline")
    assert '"statusLine"' not in (home / ".claude/settings.json").read_text()
    assert '"SessionStart"' in (home / ".claude/settings.json").read_text()
    aitop(home, "setup", "--remove", "--yes", "--only", "bash")
    aitop(home, "setup", "--remove", "--yes", "--only", "claude-code")
    assert tree(home) == before


def test_nothing_is_written_when_one_file_refuses(home):
    (home / ".config/waybar/config").chmod(0o444)
    before = tree(home)
    said = aitop(home, "setup", "--yes", code=1)
    assert "is read-only" in said
    assert tree(home) == before
    assert not (home / ".aitop" / "installed.json").exists()


def test_a_file_that_cannot_be_read_for_certain_is_named_and_the_rest_goes_on(home):
    (home / ".bashrc").write_text("if true\n")
    need("bash")
    said = aitop(home, "setup", "--yes", SHELL="/bin/bash")
    assert "bash cannot parse it" in said
    assert (home / ".bashrc").read_text() == "if true\n"
    assert "aitop" in (home / ".tmux.conf").read_text()
    assert "cannot parse" in aitop(home, "setup", "--yes", "--only", "bash", code=1, SHELL="/bin/bash")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["setup"], 2, "no terminal to ask on"),
        (["setup", "--remove"], 2, "no terminal to ask on"),
        (["setup", "--yes", "--only", "nosuch"], 1, "nosuch: not found here; what can be set up:"),
        (["setup", "--remove", "--yes", "--only", "tmux"], 1, "tmux: is not set up"),
    ],
)
def test_wrong_use_changes_nothing_and_says_what_to_do(home, words, code, said):
    before = tree(home)
    assert said in aitop(home, *words, code=code)
    assert tree(home) == before


def answered(home, *words, answers, **more):
    """Run on a terminal and answer each question; what was shown."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [FRONT, *words],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment(home, **more),
        cwd=home,
    )
    os.close(follower)
    shown, pending = "", list(answers)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([leader], [], [], 0.2)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            part = os.read(leader, 65536).decode("utf-8", "replace")
        except OSError:
            break
        shown += part
        while pending and shown.count("]: ") > len(answers) - len(pending):
            os.write(leader, pending.pop(0).encode() + b"\n")
    process.wait(timeout=10)
    os.close(leader)
    return shown


def test_on_a_terminal_each_part_is_asked_about_once(home):
    count = len(names(home))
    order = [part["name"] for part in json.loads(aitop(home, "setup", "--json"))["parts"]]
    answers = ["y" if name == "tmux" else "n" for name in order]
    shown = answered(home, "setup", answers=answers)
    assert shown.count("Set up ") == count
    assert "Set up: tmux." in shown
    assert "aitop" in (home / ".tmux.conf").read_text()
    assert (home / ".claude/settings.json").read_text() == FILES[".claude/settings.json"]
    assert "Nothing was changed" in answered(home, "setup", "--remove", answers=["n"])
    assert "aitop" in (home / ".tmux.conf").read_text()


@pytest.mark.parametrize(
    ("shell", "ask"),
    [
        ("bash", ["bash", "-ic", 'eval "$PROMPT_COMMAND"; printf "%s\\n" "seen:$AITOP_SEGMENT"']),
        ("zsh", ["zsh", "-ic", 'for f in $precmd_functions; do $f; done; print -r -- "seen:$AITOP_SEGMENT"']),
        ("fish", ["fish", "-ic", "echo seen:(aitop_segment)"]),
    ],
)
def test_the_real_shell_shows_the_number_until_it_is_taken_out(home, shell, ask):
    need(shell)
    more = {"SHELL": f"/bin/{shell}"}
    aitop(home, "setup", "--yes", "--only", shell, **more)

    def seen():
        done = subprocess.run(ask, capture_output=True, text=True, env=environment(home, **more), cwd=home, timeout=30,
                              stdin=subprocess.DEVNULL)  # fmt: skip
        return done.stdout

    assert "0.00" in seen().partition("seen:")[2]
    aitop(home, "setup", "--remove", "--yes", "--only", shell, **more)
    assert "0.00" not in seen()


def tmux(home, *words):
    return subprocess.run(
        ["tmux", *words], env=environment(home), capture_output=True, text=True, timeout=20
    ).stdout


SETTINGS = (["show-options", "-g"], ["show-options", "-gw"], ["show-environment", "-g"], ["list-keys"])


@pytest.mark.parametrize(
    "theme", ["", "# none\nset -g @plugin 'catppuccin/tmux'\n"], ids=["plain", "catppuccin"]
)
def test_a_tmux_that_runs_shows_it_at_once_and_is_as_before_afterwards(home, theme):
    need("tmux")
    with open(home / ".tmux.conf", "a") as file:
        file.write(theme)
    tmux(home, "new-session", "-d", "sleep 60")
    before = [tmux(home, *command) for command in SETTINGS]
    aitop(home, "setup", "--yes", "--only", "tmux")
    deadline = time.monotonic() + 20
    while "$0" not in (shown := tmux(home, "display-message", "-p", "#{T:status-right}")):
        assert time.monotonic() < deadline, shown
        time.sleep(0.2)
    aitop(home, "setup", "--yes", "--only", "tmux")
    shown = tmux(home, "show-options", "-gv", "status-right")
    assert shown.count("#{E:@aitop_out_cost}" if theme else "#{E:@aitop_out_aitop}") == (2 if theme else 1)
    aitop(home, "setup", "--remove", "--yes")
    assert [tmux(home, *command) for command in SETTINGS] == before


def test_the_real_claude_code_is_counted_by_its_hooks_and_runs_on_without_them(home):
    program = client("claude")
    settings = home / ".claude" / "settings.json"
    aitop(home, "setup", "--yes", "--only", "claude-code", "--only", "statusline")
    api = Api()
    try:
        for connected in (True, False):
            more = {
                "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "sk-ant-none", "DISABLE_AUTOUPDATER": "1",
                "DISABLE_TELEMETRY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            }  # fmt: skip
            done = subprocess.run(
                [program, "--model", "claude-sonnet-4-5", "--allowedTools", "Bash", "-p", "go"], cwd=home, timeout=90,
                env=environment(home, **more), capture_output=True, text=True, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            assert (done.returncode, done.stdout.strip()) == (0, "fine"), done.stdout + done.stderr
            if connected:
                state = until(home, lambda state: state["today"]["requests"] == 2)
                assert state["hooks"]["by_event"]["SessionStart"] == 1
                aitop(home, "setup", "--remove", "--yes")
                assert settings.read_text() == FILES[".claude/settings.json"]
    finally:
        api.close()


def until(home, wanted):
    """The published state, once it is as wanted."""
    deadline = time.monotonic() + 30
    while True:
        state = json.loads((home / ".aitop" / "state.json").read_text())
        if wanted(state):
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.1)


def test_the_prompt_program_of_a_shell_gets_the_lines_and_not_the_shell(home):
    need("zsh")
    (home / ".zshrc").write_text('eval "$(starship init zsh)"\n')
    assert "starship" in names(home)
    (home / ".zshrc").write_text('# eval "$(starship init zsh)"\n')
    assert "starship" not in names(home)


def test_a_theme_of_tmux_is_followed(home):
    need("tmux")
    (home / ".tmux.conf").write_text("set -g @plugin 'dracula/tmux'\n")
    assert "in the style of dracula" in aitop(home, "setup", "--dry-run")
    aitop(home, "setup", "--yes", "--only", "tmux")
    assert "#50fa7b" in (home / ".tmux.conf").read_text().lower()


def test_a_client_that_needs_no_part_is_no_error_and_a_mistyped_name_is_answered_with_the_nearest(home):
    (home / ".codex" / "sessions").mkdir(parents=True)
    before = tree(home)
    assert "codex: nothing to set up" in aitop(home, "setup", "--yes", "--only", "codex")
    assert "did you mean codex?" in aitop(home, "setup", "--yes", "--only", "codx", code=1)
    assert "did you mean tmux?" in aitop(home, "setup", "--yes", "--only", "tmx", code=1)
    assert tree(home) == before


def test_a_home_without_anything_is_told_so(tmp_path):
    said = aitop(tmp_path, "setup", "--dry-run", PATH="/nonexistent", SHELL="/bin/none")
    assert "no Claude Code, tmux" in said or "service" in said


def test_the_clone_has_the_command_in_its_help():
    assert "setup" in aitop(pathlib.Path(ROOT), "--help")
    assert shutil.which("aitop", path=os.path.dirname(FRONT))
