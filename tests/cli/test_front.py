"""The sh front: what it answers itself, what it hands on, and that its host is never disturbed."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from golden import states
from golden.home import FRONT, environment, front, processes, publish

from aitop.segments import swiftbar, waybar

ANSWERED = {
    ("tmux",): "tmux",
    ("prompt",): "plain",
    ("prompt", "--shell", "plain"): "plain",
    ("prompt", "--shell", "bash"): "bash",
    ("prompt", "--shell", "zsh"): "zsh",
    ("prompt", "--shell", "fish"): "fish",
    ("waybar",): "waybar",
    ("swiftbar",): "swiftbar",
}


@pytest.fixture
def home(tmp_path):
    return str(tmp_path)


@pytest.fixture
def installed(tmp_path):
    """The front beside an `aitop-py` that says how it was called."""
    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    shutil.copy(FRONT, folder / "aitop")
    (folder / "aitop-py").write_text('#!/bin/sh\nprintf "%s|" python "$@"\n')
    (folder / "aitop-py").chmod(0o755)
    return folder


@pytest.mark.parametrize("words", ANSWERED, ids=" ".join)
def test_a_fresh_segment_is_printed_whole(home, words):
    publish(home, states.subscription())
    with open(os.path.join(home, "segments", ANSWERED[words]), "rb") as file:
        expected = file.read().split(b" ", 2)[2]
    found = front(home, *words)
    assert (found.stdout, found.stderr, found.returncode) == (expected, b"", 0)


@pytest.mark.parametrize("words", ANSWERED, ids=" ".join)
def test_an_old_or_missing_segment_is_never_shown(home, words):
    expected = {"waybar": waybar.OFF.encode()}.get(words[0], b"")
    for _ in range(2):
        found = front(home, *words)
        assert (found.stderr, found.returncode) == (b"", 0)
        if words[0] == "swiftbar":
            assert found.stdout.startswith(b"aitop off |")
            assert b"param1=start" in found.stdout
        else:
            assert found.stdout.rstrip(b"\n") == expected
        publish(home, states.api(), fresh=False)


def test_the_off_menus_of_both_paths_say_the_same(home):
    titles = [line.split("|")[0] for line in front(home, "swiftbar").stdout.decode().splitlines()]
    assert titles == [line.split("|")[0] for line in swiftbar.off().splitlines()]


def test_a_home_that_cannot_be_touched_shows_nothing(home):
    publish(home, states.api())
    os.mkdir(os.path.join(home, ".now"))
    found = front(home, "tmux")
    assert (found.stdout, found.stderr, found.returncode) == (b"", b"", 0)


@pytest.mark.parametrize("shell", ["tmux", "bash", "zsh", "fish"])
def test_no_color_chooses_the_text_without_colours(home, shell):
    publish(home, states.api())
    words = ("tmux",) if shell == "tmux" else ("prompt", "--shell", shell)
    coloured = front(home, *words).stdout
    bare = front(home, *words, NO_COLOR="1").stdout
    assert bare != coloured
    assert b"7.20/h" in bare
    assert b"\x1b" not in bare
    assert b"fg=" not in bare
    assert b"%F" not in bare
    assert front(home, *words, NO_COLOR="").stdout == coloured


@pytest.mark.parametrize("words", ANSWERED, ids=" ".join)
def test_no_process_is_started(home, words):
    started, _ = processes([FRONT, *words], home)
    assert started == 0
    publish(home, states.subscription())
    started, shown = processes([FRONT, *words], home)
    assert started == 0
    assert shown


def test_any_other_word_goes_to_python_with_its_arguments(home, installed):
    for words in (["tmux", "--preset", "burn"], ["top", "a b"], [], ["prompt", "--shell", "elvish"]):
        found = subprocess.run(
            [installed / "aitop", *words], check=False, env=environment(home), capture_output=True
        )
        assert found.stdout.decode() == "|".join(["python", *words, ""])


def test_a_link_to_the_command_alone_still_finds_its_python(home, installed, tmp_path):
    outside = tmp_path / "local"
    outside.mkdir()
    os.symlink("../venv/bin/aitop", outside / "one")
    os.symlink(outside / "one", outside / "aitop")
    found = subprocess.run(
        [outside / "aitop", "status"], check=False, env=environment(home), capture_output=True
    )
    assert found.stdout == b"python|status|"
    path = f"{outside}:{os.environ['PATH']}"
    found = subprocess.run(
        ["sh", "-c", "aitop status"], check=False, env=environment(home, PATH=path), capture_output=True
    )
    assert found.stdout == b"python|status|"


def test_hook_goes_to_the_installed_forwarder_else_to_python(home, installed):
    call = [installed / "aitop", "hook", "Stop"]
    assert (
        subprocess.run(call, check=False, env=environment(home), capture_output=True).stdout
        == b"python|hook|Stop|"
    )
    with open(os.path.join(home, "hook"), "w") as file:
        file.write('#!/bin/sh\nprintf "%s|" forwarder "$@"\n')
    os.chmod(file.name, 0o755)
    assert (
        subprocess.run(call, check=False, env=environment(home), capture_output=True).stdout
        == b"forwarder|Stop|"
    )


def test_without_its_python_hook_is_silent_and_the_rest_says_what_to_do(home, installed):
    (installed / "aitop-py").unlink()
    found = subprocess.run(
        [installed / "aitop", "hook", "Stop"], check=False, env=environment(home), capture_output=True
    )
    assert (found.stdout, found.stderr, found.returncode) == (b"", b"", 0)
    found = subprocess.run(
        [installed / "aitop", "top"], check=False, env=environment(home), capture_output=True
    )
    assert found.returncode == 1
    assert b"install aitop-status again" in found.stderr


@pytest.mark.parametrize(
    "form",
    [
        "#!{python}\n",
        "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n",
        "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n",
    ],
)
def test_statusline_runs_its_one_file_without_site(home, installed, form):
    package = installed.parent / "lib" / "python3.99" / "site-packages" / "aitop"
    package.mkdir(parents=True)
    (package / "statusline.py").write_text(
        "import sys; print(sys.flags.isolated, sys.flags.no_site, sys.argv[1:])"
    )
    os.symlink(sys.executable, installed / "python")
    (installed / "aitop-py").write_text(form.format(python=installed / "python"))
    call = [installed / "aitop", "statusline", "--", "a b"]
    found = subprocess.run(call, check=False, env=environment(home), capture_output=True)
    assert found.stdout.decode().strip() == "1 1 ['--', 'a b']"


def test_statusline_without_its_file_goes_the_ordinary_way(home, installed):
    found = subprocess.run(
        [installed / "aitop", "statusline"], check=False, env=environment(home), capture_output=True
    )
    assert found.stdout == b"python|statusline|"


def test_the_front_is_executable_and_clean_for_every_sh():
    assert os.stat(FRONT).st_mode & 0o777 == 0o755
    for shell in ("sh", "dash", "bash", "busybox"):
        if shutil.which(shell):
            command = [shell, "sh", "-n", FRONT] if shell == "busybox" else [shell, "-n", FRONT]
            assert subprocess.run(command, check=False).returncode == 0
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", FRONT], check=True)


def test_waybar_json_of_both_paths_is_valid(home):
    assert json.loads(front(home, "waybar").stdout)["class"] == "off"
    publish(home, states.hostile())
    assert json.loads(front(home, "waybar").stdout)["class"] == ["warning", "working"]
