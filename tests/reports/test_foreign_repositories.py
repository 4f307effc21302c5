"""A repository from anywhere: nothing that its configuration names is run, and git is ended with what it started."""

import os
import subprocess
import time

import psutil
import pytest
from support.agent_work import AgentWork

from aitop.reports import git


@pytest.fixture
def work(tmp_path):
    made = AgentWork(tmp_path / "shop", tmp_path / "t.jsonl", "s").begin()
    made.save("a.txt", "alpha\n")
    made.commit()
    return made


def settings(work, pairs):
    for key, value in pairs.items():
        work.git("config", key, value)


def test_a_missing_object_is_not_fetched(work, tmp_path):
    blob = work.git("rev-parse", "HEAD:a.txt").strip()
    os.unlink(f"{work.root}/.git/objects/{blob[:2]}/{blob[2:]}")
    settings(work, {
        "core.repositoryformatversion": "1", "extensions.partialClone": "o", "remote.o.url": "ssh://x/y",
        "remote.o.promisor": "true", "protocol.ssh.allow": "always", "core.sshCommand": f"touch {tmp_path}/RAN; false",
    })  # fmt: skip
    assert git.ask(work.root, "blame", "--porcelain", "HEAD", "--", "a.txt") is None
    assert not (tmp_path / "RAN").exists()


def test_a_folder_that_only_looks_like_a_repository_is_none(work):
    inner = f"{work.root}/pkg"
    subprocess.run(["git", "init", "-q", "--bare", inner], check=True)
    with open(f"{inner}/config", "w") as file:
        file.write("[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n")
    assert git.toplevel(inner) is None
    assert git.toplevel(work.root) == os.path.realpath(work.root)


@pytest.mark.slow  # it waits for an end of time
@pytest.mark.timeout(30)
def test_a_program_that_git_started_is_ended_with_it(work, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nsleep 1000 &\necho $! >{tmp_path}/pid\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(git, "TIMEOUT_SECONDS", 2.0)
    with pytest.raises(git.TooLongError):
        git.ask(work.root, "log")
    pid = int((tmp_path / "pid").read_text())
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)
