"""`aitop init`: the snippets, complete and with a path that works where they are pasted."""

import json
import os
import shutil
import subprocess
import tomllib

import pytest
from golden.home import ROOT, need
from support import in_process

from aitop.install import snippets, survey
from aitop.system import installation

AWKWARD = "/home/ada lovelace/it's 100%/#1/aitop"


@pytest.mark.parametrize("host", snippets.FILES)
def test_every_host_has_a_snippet_that_names_where_it_belongs(tmp_path, host):
    found = in_process.run(str(tmp_path), "init", host)
    assert found.returncode == 0, found.stderr
    text = found.stdout.decode()
    assert snippets.PLACEHOLDER not in text
    assert any(word in text for word in ("~/.", "plugin folder", "your layout", "claude plugin"))
    assert text.endswith("\n")


def test_an_unknown_host_is_wrong_usage(tmp_path):
    assert in_process.run(str(tmp_path), "init", "emacs").returncode == 2
    assert in_process.run(str(tmp_path), "init", "tmux", "--shell", "zsh").returncode == 2


@pytest.mark.parametrize("shell", snippets.SHELLS)
def test_starship_prints_the_hook_of_the_shell_in_use(monkeypatch, shell):
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    assert survey.login_shell() == shell
    text = snippets.snippet("starship", shell, "/usr/bin/aitop")
    named = tomllib.loads(text.partition("# 2.")[0])["env_var"]
    assert set(named) == {"AITOP_OK", "AITOP_WARNING", "AITOP_CRITICAL"}
    assert "__aitop_starship" in text.partition("# 2.")[2]


def test_a_login_shell_we_have_no_hook_for_means_bash(monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/dash")
    assert survey.login_shell() == "bash"


def test_an_awkward_path_survives_waybar_json_and_sh():
    text = snippets.snippet("waybar", "bash", AWKWARD).split("\n/*")[0]
    body = (
        "{"
        + "\n".join(line for line in text.splitlines() if not line.startswith("//")).rstrip().rstrip(",")
        + "}"
    )
    command = json.loads(body)["custom/aitop"]["exec"].removeprefix("exec ")
    assert words(command) == [AWKWARD, "waybar", "--follow"]


def test_an_awkward_path_survives_sh_in_a_menu_plugin():
    last = snippets.snippet("swiftbar", "bash", AWKWARD).splitlines()[-1]
    assert words(last.removeprefix("exec ")) == [AWKWARD, "swiftbar"]


def test_an_awkward_path_survives_tmux(tmp_path, monkeypatch):
    need("tmux")
    awkward = tmp_path / "it's 100%" / "#1 {x}"
    shutil.copytree(os.path.join(ROOT, "integrations"), awkward / "integrations")
    plugin = awkward / "integrations" / "tmux" / "aitop.tmux"
    plugin.write_text(f'printf "%s\\n" "$0" > "{tmp_path}/ran"\n')
    monkeypatch.setattr(snippets, "folder", lambda: str(awkward / "integrations"))
    config = tmp_path / "tmux.conf"
    config.write_text(snippets.snippet("tmux", "bash", AWKWARD))
    call = ["tmux", "-L", f"init-{os.getpid()}", "-f", str(config)]
    try:
        subprocess.run([*call, "new", "-d", "sleep 30"], check=True)
        shown = subprocess.run(
            [*call, "show", "-gv", "@aitop_command"], check=False, capture_output=True, text=True
        ).stdout
    finally:
        subprocess.run([*call, "kill-server"], check=False)
    assert shown == AWKWARD + "\n"
    assert (tmp_path / "ran").read_text() == f"{plugin}\n"


def words(command):
    """What sh makes of a command's words."""
    found = subprocess.run(
        ["sh", "-c", f'printf "%s\\n" {command}'], capture_output=True, text=True, check=True
    )
    return found.stdout.splitlines()


def test_the_path_is_the_lasting_link_when_it_is_the_same_command(tmp_path, monkeypatch):
    venv, local = tmp_path / "venv", tmp_path / "local"
    venv.mkdir()
    local.mkdir()
    for name in ("aitop", "aitop-py"):
        (venv / name).write_text("#!/bin/sh\n")
        (venv / name).chmod(0o755)
    os.symlink(venv / "aitop", local / "aitop")
    monkeypatch.setattr(installation.sys, "argv", [str(venv / "aitop-py"), "init", "tmux"])
    monkeypatch.setenv("PATH", str(local))
    assert installation.front() == str(local / "aitop")
    (local / "aitop").unlink()
    (local / "aitop").write_text("#!/bin/sh\n")  # another program of that name
    (local / "aitop").chmod(0o755)
    assert installation.front() == str(venv / "aitop")


def test_snippets_are_found_in_a_checkout_and_in_an_installed_package(tmp_path, monkeypatch):
    monkeypatch.setattr(snippets, "__file__", os.path.join(ROOT, "aitop", "install", "snippets.py"))
    assert snippets.folder() == os.path.join(ROOT, "integrations")
    package = tmp_path / "site-packages" / "aitop"
    (package / "install").mkdir(parents=True)
    (package / "integrations").mkdir()
    monkeypatch.setattr(snippets, "__file__", str(package / "install" / "snippets.py"))
    assert snippets.folder() == str(package / "integrations")


@pytest.mark.parametrize(
    "name",
    [
        "bash/aitop.bash",
        "starship/aitop.bash",
        "zsh/aitop.zsh",
        "starship/aitop.zsh",
        "fish/aitop.fish",
        "starship/aitop.fish",
    ],
)
def test_shell_snippets_parse_in_their_shell(name):
    shell = name.rpartition(".")[2]
    need(shell)
    subprocess.run([shell, "-n", os.path.join(ROOT, "integrations", name)], check=True)
