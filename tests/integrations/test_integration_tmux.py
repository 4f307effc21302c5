"""The tmux plugin in a real tmux, with a real listener that sends it the numbers."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from golden import states
from golden.home import need, publish
from support.hosts import HOSTILE, ROOT, TMUX_PLUGIN, Claude, Tmux, seconds

from aitop.install import snippets
from aitop.publish import tmux_push

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

PLUGIN = f"run-shell '{TMUX_PLUGIN}'\n"
QUIET = (
    "set -g status-interval 1\nset -g status-left ''\nset -g status-right-length 150\n"
    "set -g status-style 'fg=white,bg=black'\n"
)


@pytest.fixture
def claude(tmp_path):
    return Claude(tmp_path)


def bar(folder, home, config, **more):
    folder.mkdir()
    return Tmux(folder, home, QUIET + config, **more)


def test_placeholders_on_both_sides_are_shown_and_follow_what_is_spent(tmp_path, home, listener, claude):
    config = (
        "set -g status-left 'L #{aitop_cost} '\nset -g status-left-length 40\n"
        "set -g status-right '[#{aitop_sessions}|#{aitop}]'\n"
    )
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    with bar(tmp_path / "t", home, config + PLUGIN) as tmux:
        shown = tmux.until("L $1.0")
        assert "[1|$1.0" in tmux.until("[1|")
        claude.respond()
        shown = tmux.until("L $2.0")
        assert "not ready" not in shown


def test_a_second_status_line_shows_it_too(tmp_path, home, listener, claude):
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    layout = "set -g status 2\nset -g status-format[1] 'second #{aitop_cost}'\n"
    with bar(tmp_path / "t", home, layout + PLUGIN) as tmux:
        tmux.until("second $1.0")


def test_a_killed_listener_leaves_no_number_and_a_new_one_brings_them_back(tmp_path, home, listener, claude):
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    with bar(tmp_path / "t", home, "set -g status-right '#{aitop_cost}.'\n" + PLUGIN) as tmux:
        tmux.until("$1.0")
        listener.signal(signal.SIGKILL)
        listener.process.wait()
        tmux.until(lambda shown: "$" not in shown, limit=15)
        listener.start(CLAUDE_CONFIG_DIR=claude.root)
        tmux.until("$1.0")
        listener.end()
        tmux.until(lambda shown: "$" not in shown, limit=4)


def test_a_restarted_tmux_and_a_second_client_are_shown_the_numbers_too(tmp_path, home, listener, claude):
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    with bar(tmp_path / "t", home, "set -g status-right '#{aitop_cost}.'\n" + PLUGIN, clients=2) as tmux:
        tmux.until("$1.0")
        tmux.until("$1.0", client=1)
        first = os.listdir(os.path.join(home, "tmux"))
        tmux.end()
        seconds(lambda: not tmux.inside("list-clients"))
        tmux.start()
        tmux.until("$1.0")
        tmux.until("$1.0", client=1)
        seconds(lambda: len(os.listdir(os.path.join(home, "tmux"))) == 1)
        assert os.listdir(os.path.join(home, "tmux")) != first
        tmux.inside("source-file", tmux.config)  # a reloaded configuration changes nothing
        tmux.until("$1.0")


def test_a_new_number_is_drawn_long_before_tmux_would_look_again(tmp_path, home, listener, claude):
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    slow = "set -g status-interval 60\nset -g @aitop_interval 0\nset -g status-right '#{aitop_cost}.'\n"
    with bar(tmp_path / "t", home, slow + PLUGIN, clients=2) as tmux:
        for spent in ("$1.0", "$2.0", "$3.0"):
            for client in (0, 1):
                tmux.until(spent, client=client, limit=20)
            claude.respond()


def test_a_hostile_project_name_is_shown_as_it_is(tmp_path, home, listener):
    claude = Claude(tmp_path, HOSTILE.replace("/", ""))
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    config = "set -g @aitop_format '{cost_today} {project}'\nset -g status-right '#{aitop}'\n"
    with bar(tmp_path / "t", home, config + PLUGIN) as tmux:
        shown = tmux.until("touch RAN")
        assert HOSTILE[:39] in shown
        assert "\x1b[31m" not in tmux.bar("-e")
        assert not [
            name for folder in (tmp_path / "t", tmp_path) for name in os.listdir(folder) if name == "RAN"
        ]


def test_a_text_that_ends_in_a_semicolon_stays_one_argument(tmp_path, home, listener):
    claude = Claude(tmp_path, "a;")
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    config = "set -g status-right '<#{aitop_project}|#{aitop_cost}>'\n"
    with bar(tmp_path / "t", home, config + PLUGIN) as tmux:
        tmux.until("<a;|$1.0")


def test_each_window_shows_what_its_panes_sessions_do(tmp_path, home, listener, claude):
    config = "set -g window-status-format '#I:#{aitop_pane}'\nset -g window-status-current-format '#I:#{aitop_pane}'\n"
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    with bar(tmp_path / "t", home, config + PLUGIN) as tmux:
        tmux.inside("split-window", "-d", "-t", "s:0", "sleep 600")  # %1
        tmux.inside("new-window", "-d", "-t", "s:1", "sleep 600")  # %2
        claude.hook(listener, "UserPromptSubmit", "%1", prompt="go")
        tmux.until("0:● 1: ")
        claude.hook(listener, "Notification", "%1", notification_type="permission_prompt", message="may I")
        tmux.until("0:◐ 1: ")
        claude.hook(listener, "Stop", "%2")
        tmux.until("0: 1:○")
        claude.hook(listener, "SessionEnd", "%2", reason="exit")
        tmux.until("0: 1: ")


def test_options_choose_texts_colours_thresholds_and_icons(tmp_path, home, listener, claude):
    config = (
        "set -g @aitop_burn_warning 0.01\nset -g @aitop_burn_critical 900\n"
        "set -g @aitop_color_warning 'fg=colour201'\nset -g @aitop_burn_format 'at {burn}'\n"
        "set -g @aitop_preset cost\nset -g @aitop_interval 3\nset -g @aitop_popup_key F9\n"
        "set -g @aitop_command /opt/aitop\nset -g status-right 'x#{aitop_burn}y #{aitop}'\n"
    )
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    with bar(tmp_path / "t", home, "set -g status-interval 30\n" + config + PLUGIN) as tmux:
        tmux.until(re.compile(r"xat \$\d+\.\d\d/hy \$1\.\d\d today").search)
        assert "xat \x1b[38;5;201m$" in tmux.bar("-e")
        assert tmux.inside("show", "-gv", "status-interval") == "3\n"
        assert "exec '/opt/aitop' top" in tmux.inside("list-keys", "-T", "prefix", "F9")


def test_after_a_coloured_part_the_themes_own_colours_go_on(tmp_path, home, listener, claude):
    config = (
        "set -g @aitop_burn_warning 0.01\nset -g @aitop_burn_critical 900\n"
        "set -g @theme_text ' #{aitop_burn} end'\nset -g status-right '#[fg=colour17,bg=colour99]#{E:@theme_text}'\n"
    )
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    with bar(tmp_path / "t", home, config + PLUGIN) as tmux:
        tmux.until("/h end")
        drawn = tmux.bar("-e")
        assert re.search("48;5;99m \x1b\\[33m\\$[0-9.]+/h\x1b\\[38;5;17m end", drawn), drawn


def test_a_theme_that_runs_scripts_of_its_own_folder_shows_a_copy_of_ours(tmp_path, home, listener, claude):
    copied = tmp_path / "aitop.sh"
    shutil.copy(os.path.join(ROOT, "integrations", "tmux", "segment.sh"), copied)
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    with bar(tmp_path / "t", home, f"set -g status-right '#[fg=black,bg=green] #({copied}) end'\n") as tmux:
        assert " · ctx" in tmux.until(lambda bar: "$1.0" in bar and bar.rstrip().endswith("end"))


def test_an_old_tmux_reads_segments_with_sh_alone(tmp_path, home, listener, claude):
    config = (
        "set -g @aitop_push off\nset -g @aitop_cost_format 'c={cost_today}'\n"
        "set -g status-right '#{aitop_cost} #{aitop_pane}.'\n"
    )
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    with bar(tmp_path / "t", home, config + PLUGIN) as tmux:
        tmux.until("c=$1.0")
        listener.signal(signal.SIGKILL)
        listener.process.wait()
        tmux.until(lambda shown: "$" not in shown, limit=15)


def test_a_refresh_of_the_status_line_starts_no_process(tmp_path, home, listener, claude):
    need("strace")
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    with bar(tmp_path / "t", home, "set -g status-right '#{aitop} #{aitop_cost}'\n" + PLUGIN) as tmux:
        tmux.until("$1.0")
        server = tmux.inside("display-message", "-p", "#{pid}").strip()
        trace = os.path.join(tmp_path, "trace")
        call = ["strace", "-f", "-qq", "-e", "trace=fork,vfork,clone,clone3", "-o", trace, "-p", server]
        with subprocess.Popen(call, stderr=subprocess.DEVNULL) as strace:
            seconds(lambda: os.path.exists(trace))  # it watches
            time.sleep(4)  # as many refreshes
            strace.send_signal(signal.SIGINT)
        with open(trace) as file:
            assert file.read() == ""


def test_the_plugin_binds_the_table_to_a_free_key_only(tmp_path, home):
    config = "set -g @aitop_command /opt/aitop\nset -g status-right '#{aitop}'\n"
    with bar(tmp_path / "free", home, config + PLUGIN) as tmux:
        assert "/opt/aitop" in seconds(lambda: tmux.inside("list-keys", "-T", "prefix", "u"))
    with bar(tmp_path / "taken", home, "bind-key u display-message mine\n" + config + PLUGIN) as tmux:
        seconds(lambda: tmux.inside("show", "-gv", "@aitop_out_aitop"))
        time.sleep(0.3)
        assert "mine" in tmux.inside("list-keys", "-T", "prefix", "u")


def test_a_status_line_without_a_placeholder_asks_for_nothing(tmp_path, home):
    with bar(tmp_path / "t", home, "set -g status-right 'mine'\n" + PLUGIN) as tmux:
        tmux.until("mine")
        assert not os.path.exists(os.path.join(home, "tmux"))


def test_the_plugin_manager_finds_the_plugin_in_the_repositorys_root():
    assert [name for name in os.listdir(ROOT) if name.endswith(".tmux")] == ["aitop.tmux"]
    assert os.access(TMUX_PLUGIN, os.X_OK)


MANAGER = "/usr/share/tmux-plugin-manager/tpm"  # where Debian has it


def test_the_real_plugin_manager_loads_the_plugin_after_the_theme(tmp_path, home, listener, claude):
    if not os.access(MANAGER, os.X_OK):
        need("tpm", "tmux-plugin-manager")
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    folder = tmp_path / "t"
    plugins = folder / ".tmux" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "aitop").symlink_to(ROOT)
    (folder / ".tmux.conf").symlink_to("tmux.conf")  # TPM reads the text of the user's own file
    lines = "set -g status-right '#{aitop_cost} here'\nset -g @plugin 'OWNER/aitop'\n"
    with Tmux(folder, home, f"{QUIET}{lines}run '{MANAGER}'\n") as tmux:
        tmux.until(lambda bar: "$1.0" in bar and bar.endswith("here"))


class Quiet:
    def error(self, text):
        self.said = text


def described(home, program, **more):
    os.makedirs(os.path.join(home, "tmux"), exist_ok=True)
    words = {"tmux": program, "socket": "/nowhere", "pid": str(os.getpid()), "how": "push"} | more
    with open(os.path.join(home, "tmux", words["pid"]), "w") as file:
        file.writelines(f"{key}\t{value}\n" for key, value in words.items())
        file.write("show\tcost\tformat\t{cost_today}\n")


def script(folder, body):
    path = os.path.join(folder, "program")
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\n{body}\n")
    os.chmod(path, 0o755)
    return path


def test_a_tmux_that_hangs_holds_nobody_up_and_is_given_up(tmp_path, home):
    described(home, script(tmp_path, "exec sleep 600"))
    log = Quiet()
    pusher = tmux_push.Pusher(home, log)
    begun = time.monotonic()
    for second in range(60):
        pusher.tell(states.api(), 1000.0 + second)
    assert time.monotonic() - begun < 5
    assert os.listdir(os.path.join(home, "tmux")) == []
    assert "reload" in log.said
    pusher.close(2000.0)


def test_what_has_not_changed_is_sent_again_only_to_stay_fresh(tmp_path, home):
    described(home, script(tmp_path, 'echo "$*" >> "$AITOP_HOME/calls"'))
    pusher = tmux_push.Pusher(home, Quiet())
    for second in range(0, 70, 7):
        pusher.tell(states.api(), 1000.0 + second)
        time.sleep(0.05)
    pusher.close(2000.0)
    with open(os.path.join(home, "calls")) as file:
        calls = file.read().splitlines()
    assert sum("AITOP_COST" in call for call in calls) == 1
    assert "AITOP_UNTIL 1010" in calls[0]
    assert "AITOP_UNTIL 0" in calls[-1]


def test_a_file_of_a_server_that_has_gone_is_removed(home):
    described(home, "/bin/true", pid="4194303")
    tmux_push.Pusher(home, Quiet()).tell(states.api(), 1000.0)
    assert os.listdir(os.path.join(home, "tmux")) == []


@pytest.mark.parametrize(
    "text", ["", "tmux\t/bin/true\n", "pid\tx\n", "\0\0", "tmux\ta\nsocket\tb\npid\t1e9\nhow\tpush\n"]
)
def test_a_file_that_describes_no_server_is_passed_over(home, text):
    os.makedirs(os.path.join(home, "tmux"))
    with open(os.path.join(home, "tmux", "1"), "w") as file:
        file.write(text)
    tmux_push.Pusher(home, Quiet()).tell(states.api(), 1000.0)


def test_a_pane_shows_its_newest_session_and_no_made_up_name():
    def session(pane, status, pid=None):
        return states.session(1, pane=pane, status=status, pid=pid)

    told = [
        session("%1", "waiting"),
        session("%1", "working"),
        session("#(x)", "idle"),
        session("%2", "ended"),
        session("%3", "idle", 1),
    ]
    state = states.api() | {"sessions": told}
    assert tmux_push.by_status(state, None) == {"working": [], "waiting": ["%1"], "idle": ["%3"]}
    assert tmux_push.by_status(state, os.getpid())["idle"] == []
    mine = {"sessions": [session("%4", "idle", os.getpid())]}
    assert tmux_push.by_status(mine, os.getppid())["idle"] == ["%4"]


def test_the_script_for_old_tmux_prints_a_fresh_text_and_nothing_else(tmp_path):
    publish(str(tmp_path), states.api(), own=[("tmux-cost", "tmux", None, "{cost_today}")])
    call = ["sh", os.path.join(ROOT, "integrations/tmux/segment.sh"), "cost"]
    environment = {"AITOP_HOME": str(tmp_path), "PATH": "/nonexistent"}
    call[0] = "/bin/sh"
    assert subprocess.run(call, env=environment, capture_output=True, check=True).stdout == b"$4.21\n"
    publish(str(tmp_path), states.api(), own=[("tmux-cost", "tmux", None, "{cost_today}")], fresh=False)
    assert subprocess.run(call, env=environment, capture_output=True, check=True).stdout == b""


def test_today_is_published_by_project(home, listener, claude):
    claude.respond()
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    state = listener.wait_for(lambda state: state["projects_today"])
    assert [
        (row["project"], row["requests"], round(row["cost_usd"], 1)) for row in state["projects_today"]
    ] == [("shop", 2, 2.1)]


@pytest.mark.parametrize("theme", [name for name in snippets.THEMES if name != "plain"])
def test_a_theme_shows_its_pill_and_marks_inside_the_windows_own_style(
    tmp_path, home, listener, claude, theme
):
    claude.respond()
    listener.start(CLAUDE_CONFIG_DIR=claude.root)
    window = "set -g window-status-current-format '#[fg=blue] #I:#W #[default]'\nset -g status-right ''\n"
    text = window + snippets.snippets("tmux", "bash", "aitop", theme)[0]
    with bar(tmp_path / "t", home, text) as tmux:
        shown = tmux.until("$1.0")
        assert "#{" not in shown
        assert "\uf155" in shown
        form = tmux.inside("show-options", "-gwv", "window-status-current-format")
        assert form.startswith("#[fg=blue] #I:#W#{?#{E:@aitop_out_pane}, #{E:@aitop_out_pane},} #[default]")


def test_a_panes_border_shows_what_its_own_session_has_spent(tmp_path, home):
    border = "set -g pane-border-status top\nset -g pane-border-format '[#{aitop_pane_cost}]'\n"
    sent = "setenv -g AITOP_UNTIL 99999999999\nsetenv -g AITOP_PANE_COSTS '<%0=$1.23><%10=≈$45,678>'\n"
    with bar(tmp_path / "t", home, border + sent + PLUGIN) as tmux:
        tmux.inside("split-window", "-h", "sleep 600")
        form = tmux.inside("show-options", "-gwv", "pane-border-format")
        assert "aitop_out_pane_cost" in form
        shown = tmux.inside("list-panes", "-F", "#{pane_id} #{E:@aitop_out_pane_cost}")
        assert shown.splitlines() == ["%0 $1.23", "%1 "]


def test_a_key_with_nowhere_to_go_says_so_and_leaves_the_pane_as_it_was(tmp_path, home):
    command = f"set -g @aitop_command '{os.path.join(os.path.dirname(sys.executable), 'aitop')}'\n"
    publish(home, states.zero())
    with bar(tmp_path / "t", home, command + PLUGIN) as tmux:
        assert "jump next" in tmux.inside("list-keys", "-T", "prefix", "j")
        tmux.out("send-keys", "-t", "c0", "C-b")
        tmux.out("send-keys", "-t", "c0", "j")
        tmux.until("no session waits for you")
        assert tmux.inside("display-message", "-p", "#{pane_in_mode}") == "0\n"
