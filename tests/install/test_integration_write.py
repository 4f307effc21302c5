"""`aitop init NAME --write` and `--remove`: into real configuration files, twice, and out again."""

import json
import os
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import in_process

from aitop.install import blocks, json_text, snippets, waybar
from aitop.install.blocks import CSS, HASH, SLASHES, Unclear

BAR = """// mine
{
    "layer": "top", // here
    "modules-left": ["sway/workspaces"],
    "modules-right": [
        "clock", /* the time */
        "battery",
    ],
    "clock": {"format": "{:%H:%M}", "modules-right": []},
}
"""
FILES = {
    "tmux": {".tmux.conf": "set -g status-right '#S'\nrun '~/.tmux/plugins/tpm/tpm'\n"},
    "bash": {".bashrc": "PS1='$ '"},
    "zsh": {".zshrc": "PROMPT='%# '\n"},
    "powerlevel10k": {".zshrc": "source ~/.p10k.zsh\n"},
    "starship": {
        ".config/starship.toml": 'format = "$all"\n[character]\nsymbol = ">"\n',
        ".bashrc": "# mine\n",
    },
    "waybar": {".config/waybar/config.jsonc": BAR, ".config/waybar/style.css": "* { color: red; }\n"},
}
ALONE = {"fish": ".config/fish/conf.d/aitop.fish", "argos": ".config/argos/aitop.r.2s+.sh"}


def lay(tmp_path, host):
    """The user's files, as name → path."""
    found = {}
    for name, text in FILES[host].items():
        path = os.path.join(tmp_path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", newline="") as file:
            file.write(text)
        found[path] = text
    return found


def read(path):
    with open(path, newline="") as file:
        return file.read()


def aitop(tmp_path, *words, **more):
    return in_process.run(str(tmp_path), "init", *words, **{"SHELL": "/bin/bash", **more})


@pytest.mark.parametrize("host", FILES)
def test_lines_go_in_once_however_often_and_come_out_byte_for_byte(tmp_path, host):
    before = lay(tmp_path, host)
    first = aitop(tmp_path, host, "--write")
    assert first.returncode == 0, first.stderr.decode()
    after = {path: read(path) for path in before}
    for path, text in before.items():
        assert after[path] != text
        assert after[path].count(">>> aitop init") == 1
        assert path in first.stdout.decode()
    second = aitop(tmp_path, host, "--write")
    assert {path: read(path) for path in before} == after
    assert "has our lines already" in second.stdout.decode()
    assert aitop(tmp_path, host, "--remove").returncode == 0
    assert {path: read(path) for path in before} == before
    assert os.listdir(os.path.join(tmp_path, "backups")) == []


@pytest.mark.parametrize("host", FILES)
def test_what_was_changed_since_stays_when_our_lines_go(tmp_path, host):
    before = lay(tmp_path, host)
    aitop(tmp_path, host, "--write")
    for path in before:
        with open(path, "a") as file:
            file.write("/* later */\n" if path.endswith((".css", ".jsonc")) else "# later\n")
    found = aitop(tmp_path, host, "--remove")
    assert b"all else stays" in found.stdout
    for path, text in before.items():
        shown = read(path)
        assert "aitop" not in shown
        assert "later" in shown
        kept = [line for line in text.splitlines() if "modules-right" not in line]
        assert [line for line in kept if line not in shown] == []


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("order", [("zsh", "starship"), ("starship", "zsh")])
def test_two_hosts_in_one_file_go_out_one_at_a_time(tmp_path, there, order):
    path = tmp_path / ".zshrc"
    if there:
        path.write_text("# mine\n")
    for host in ("zsh", "starship"):
        assert aitop(tmp_path, host, "--write", SHELL="/bin/zsh").returncode == 0
    first, second = order
    aitop(tmp_path, first, "--remove", SHELL="/bin/zsh")
    left = path.read_text()
    assert f">>> aitop init {second} >>>" in left
    assert f">>> aitop init {first} >>>" not in left
    aitop(tmp_path, second, "--remove", SHELL="/bin/zsh")
    assert (path.read_text() if path.exists() else None) == ("# mine\n" if there else None)


@pytest.mark.parametrize("host", ALONE)
def test_a_file_of_its_own_is_created_and_removed(tmp_path, host):
    path = os.path.join(tmp_path, ALONE[host])
    assert aitop(tmp_path, host, "--write").returncode == 0
    assert "aitop" in read(path)
    assert os.access(path, os.X_OK) == (host == "argos")
    assert aitop(tmp_path, host, "--remove").returncode == 0
    assert not os.path.exists(path)


@pytest.mark.parametrize("name", ["swiftbar", "swiftbar-stream"])
def test_a_menu_plugin_goes_into_the_folder_named(tmp_path, name):
    assert aitop(tmp_path, name, "--write").returncode == 1
    folder = tmp_path / "plugins"
    assert aitop(tmp_path, name, "--write", "--folder", str(folder)).returncode == 0
    (plugin,) = folder.iterdir()
    assert os.access(plugin, os.X_OK)
    assert ("streamable" in plugin.read_text()) == (name == "swiftbar-stream")
    assert aitop(tmp_path, name, "--remove", "--folder", str(folder)).returncode == 0
    assert not folder.exists()


def test_a_foreign_file_of_that_name_is_not_overwritten(tmp_path):
    path = os.path.join(tmp_path, ALONE["fish"])
    os.makedirs(os.path.dirname(path))
    with open(path, "w") as file:
        file.write("echo mine\n")
    found = aitop(tmp_path, "fish", "--write")
    assert found.returncode == 1
    assert b"not ours" in found.stderr
    assert aitop(tmp_path, "fish", "--remove").returncode == 0
    assert read(path) == "echo mine\n"


@pytest.mark.parametrize(
    ("host", "name", "text", "said"),
    [
        ("bash", ".bashrc", "if true\n", "cannot parse"),
        ("bash", ".bashrc", "# <<< aitop init bash <<<\n", "do not pair"),
        ("zsh", ".zshrc", "echo 'open\n", "cannot parse"),
        ("tmux", ".tmux.conf", "if-shell x {\n", "cannot parse"),
        ("starship", ".config/starship.toml", "[env_var.AITOP_OK]\nvariable = 'X'\n", "cannot be parsed"),
        ("waybar", ".config/waybar/config.jsonc", "{ nope", "cannot be parsed"),
        ("waybar", ".config/waybar/config.jsonc", "[{}, {}]", "several bars"),
        ("waybar", ".config/waybar/config.jsonc", "{}", "has no list"),
        (
            "waybar",
            ".config/waybar/config.jsonc",
            '{"custom/aitop": {}, "modules-right": []}',
            "defined already",
        ),
        ("waybar", ".config/waybar/style.css", "/* open", "is not closed"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_and_nothing_is_changed(tmp_path, host, name, text, said):
    lay(tmp_path, host)
    path = os.path.join(tmp_path, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    kept = {os.path.join(tmp_path, name): read(os.path.join(tmp_path, name)) for name in FILES[host]}
    found = aitop(tmp_path, host, "--write")
    assert found.returncode == 1
    assert said in found.stderr.decode()
    assert path in found.stderr.decode()
    assert {path: read(path) for path in kept} == kept


@pytest.mark.parametrize(
    "host", ["polybar", "i3blocks", "i3status-rust", "sketchybar", "zellij", "wezterm", "oh-my-posh"]
)
def test_a_recipe_says_that_it_is_to_be_pasted(tmp_path, host):
    found = aitop(tmp_path, host, "--write")
    assert found.returncode == 1
    assert b"paste" in found.stderr


def test_claude_code_runs_the_clients_own_commands(tmp_path):
    program = tmp_path / "claude"
    program.write_text('#!/bin/sh\necho "$*" >> "$AITOP_HOME/ran"\n')
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert aitop(tmp_path, "claude-code", "--write", PATH=path).returncode == 0
    assert aitop(tmp_path, "claude-code", "--remove", PATH=path).returncode == 0
    folder = os.path.join(snippets.folder(), "claude-code")
    assert read(tmp_path / "ran").splitlines() == [
        f"plugin marketplace add {folder}", "plugin install aitop@aitop",
        "plugin uninstall aitop@aitop", "plugin marketplace remove aitop",
    ]  # fmt: skip
    found = aitop(tmp_path, "claude-code", "--write", PATH="/nonexistent")
    assert found.returncode == 1
    assert b"not on PATH" in found.stderr


def test_all_that_was_written_can_be_undone_at_once(tmp_path, monkeypatch):
    from aitop.install import written

    everything = {}
    for host in ("tmux", "bash", "waybar"):
        everything |= lay(tmp_path, host)
        assert aitop(tmp_path, host, "--write").returncode == 0
    monkeypatch.setenv("AITOP_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    written.remove_all()
    assert {path: read(path) for path in everything} == everything
    assert written.load() == {}


@pytest.mark.real
def test_the_written_tmux_lines_show_in_a_real_tmux(tmp_path):
    lay(tmp_path, "tmux")
    with open(os.path.join(tmp_path, ".tmux.conf"), "w") as file:
        file.write("set -g status-right ''\n")
    assert aitop(tmp_path, "tmux", "--write").returncode == 0
    call = ["tmux", "-S", str(tmp_path / "s"), "-f", str(tmp_path / ".tmux.conf")]
    environment = os.environ | {"AITOP_HOME": str(tmp_path), "HOME": str(tmp_path)}
    try:
        subprocess.run([*call, "new", "-d", "sleep 30"], check=True, env=environment)
        shown = subprocess.run([*call, "show", "-gv", "status-right"], capture_output=True, text=True).stdout
    finally:
        subprocess.run([*call, "kill-server"])
    assert shown == " #{E:@aitop_out_aitop}\n"


LINES = st.text(alphabet=st.sampled_from("ab #/*>\n"), max_size=40)


@given(LINES, st.sampled_from([HASH, SLASHES, CSS]))
def test_a_block_put_in_twice_and_taken_out_leaves_the_text(text, comment):
    once = blocks.put(text, "x", "one\n", comment)
    assert blocks.put(once, "x", "one", comment) == once
    assert "two" in blocks.put(once, "x", "two", comment)
    gone = blocks.take(once, "x", comment)
    assert gone == text or gone == text + "\n"


def test_marks_that_do_not_pair_are_refused():
    first, last = blocks.markers("x", HASH)
    for text in (first, last, f"{last}\n{first}", f"{first}\n{first}\n{last}"):
        with pytest.raises(Unclear, match="do not pair"):
            blocks.find(text, "x", HASH)


VALUES = st.recursive(
    st.integers() | st.text(max_size=8) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), st.sampled_from([None, 4]), st.booleans())
def test_any_bar_keeps_all_it_had_when_the_module_comes_and_goes(bar, indent, trailing):
    bar["modules-right"] = ["clock"]
    text = json.dumps(bar, indent=indent)
    if trailing:
        text = text[:-1].rstrip() + ", // the end\n}"
    module = snippets.snippet("waybar", "bash", "/usr/bin/aitop").split("\n/*")[0]
    body = "\n".join(line for line in module.splitlines() if not line.startswith("//"))
    new = waybar.put(text, body)
    assert {
        key: value for key, value in waybar.parse(new).items() if key not in ("custom/aitop", "modules-right")
    } == {key: value for key, value in bar.items() if key != "modules-right"}
    assert waybar.parse(new)["modules-right"] == ["custom/aitop", "clock"]
    assert waybar.put(new, body) == new
    assert waybar.parse(waybar.take(new)) == bar


def test_comments_and_trailing_commas_become_spaces_and_nothing_else_moves():
    shown = json_text.plain(BAR)
    assert len(shown) == len(BAR)
    assert "//" not in shown
    assert json.loads(shown)["modules-right"] == ["clock", "battery"]
    assert json_text.plain('{"a": "// no, }"}') == '{"a": "// no, }"}'
    assert re.sub(r"\s", "", shown).endswith('"modules-right":[]}}')
