"""Hints name the command that works for how this copy was installed."""

import os
import shlex
import subprocess
import sys

import pytest

from aitop.system import installation


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of its own; the function makes it one of a kind."""

    def make(kind):
        prefix = tmp_path / "clone" / ".venv"
        (prefix / "bin").mkdir(parents=True)
        if kind == "uv":
            (prefix / "uv-receipt.toml").write_text("")
        if kind == "pipx":
            (prefix / "pipx_metadata.json").write_text("{}")
        if kind == "clone":
            (tmp_path / "clone" / "bin").mkdir()
            (tmp_path / "clone" / "bin" / "try").write_text("")
        if kind == "deb":
            monkeypatch.setattr(installation, "DEB_PREFIX", os.path.realpath(prefix))
        if kind in ("clone", "venv"):
            (prefix / "bin" / "pip").write_text("")
        for name in ("aitop", "python"):
            (prefix / "bin" / name).write_text("#!/bin/sh\n")
            (prefix / "bin" / name).chmod(0o755)
        monkeypatch.setattr(sys, "prefix", sys.base_prefix if kind == "system" else str(prefix))
        monkeypatch.setattr(sys, "executable", str(prefix / "bin" / "python"))
        monkeypatch.setattr(sys, "argv", [str(prefix / "bin" / "aitop-py")])
        return prefix

    return make


@pytest.mark.parametrize("kind", ["uv", "pipx", "deb", "clone", "venv", "system"])
def test_each_kind_is_known_and_adds_an_extra_by_its_packages(copy, kind):
    prefix = copy(kind)
    assert installation.kind() == kind
    line = installation.add_extra("top")
    words = shlex.split(line)
    assert any(word.startswith("textual") for word in words)
    assert "aitop-status[top]" not in line
    starts = {
        "uv": ["uv", "pip", "install", "--python", f"{prefix}/bin/python"], "pipx": ["pipx", "inject", "aitop-status"],
        "deb": ["sudo", "python3", "-m", "pip", "--python"], "clone": [f"{prefix}/bin/pip", "install"],
        "venv": [f"{prefix}/bin/pip", "install"], "system": [f"{prefix}/bin/python", "-m", "pip", "install", "--user"],
    }  # fmt: skip
    assert words[: len(starts[kind])] == starts[kind]
    assert installation.remove()


def test_a_condition_on_the_version_of_python_is_kept(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 13))
    assert any(line.startswith("backports") for line in installation.requirements("gateway"))
    monkeypatch.setattr(sys, "version_info", (3, 14))
    assert not any(line.startswith("backports") for line in installation.requirements("gateway"))


def test_the_command_is_the_name_where_the_name_finds_this_copy(copy, monkeypatch):
    prefix = copy("venv")
    monkeypatch.setenv("PATH", str(prefix / "bin"))
    assert installation.command("setup", "--only", "a b") == "aitop setup --only 'a b'"
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("HOME", "/elsewhere")
    assert installation.command("start") == f"{prefix}/bin/aitop start"
    monkeypatch.setenv("HOME", str(prefix))
    assert installation.command("start") == "~/bin/aitop start"


def test_the_commands_run_as_they_are_printed(copy, monkeypatch, tmp_path):
    prefix = copy("venv")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("HOME", str(prefix))
    done = subprocess.run(
        ["/bin/sh", "-c", installation.command("x y")], env={"HOME": str(prefix)}, check=False
    )
    assert done.returncode == 0
