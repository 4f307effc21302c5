"""Uncommitted changes of a session's folder, asked of the real git, only where they are shown."""

import os
import subprocess
import time

import psutil
import pytest
from golden.home import need

from aitop.publish.git_changes import AGAIN_SECONDS, GitChanges

LOOKS = ["{branch} {git_dirty}"]


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    need("git")
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("one\n")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "one")
    return tmp_path


def state(folder, **more):
    return {"sessions": [{"id": "s", "status": "working", "cwd": str(folder), "git_dirty": None} | more]}


def asked(changes, folder, now, looks=LOOKS):
    """What is known once git has answered."""
    for _ in range(200):
        value = state(folder)
        changes.fill(value, looks, now)
        if changes._running is None:  # noqa: SLF001
            return value["sessions"][0]["git_dirty"]
        time.sleep(0.02)
    raise AssertionError("git did not answer")


def test_a_change_is_seen_and_so_is_its_commit(repository):
    changes = GitChanges()
    assert asked(changes, repository, 0.0) is False
    (repository / "a").write_text("two\n")
    assert asked(changes, repository, AGAIN_SECONDS + 1) is True
    git(repository, "commit", "-qam", "two")
    assert asked(changes, repository, 2 * AGAIN_SECONDS + 2) is False


def test_a_folder_outside_a_repository_is_unknown(tmp_path):
    need("git")
    assert asked(GitChanges(), tmp_path, 0.0) is None
    assert asked(GitChanges(), tmp_path / "gone", 0.0) is None


def test_nothing_is_asked_where_no_display_shows_it(repository):
    changes = GitChanges()
    changes.fill(state(repository), ["{branch}"], 0.0)
    assert changes._running is None  # noqa: SLF001


def test_a_repositorys_own_programs_are_not_run(repository):
    trap = repository / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {repository}/RAN\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "core.pager"):
        git(repository, "config", key, str(trap))
    (repository / "a").write_text("two\n")
    assert asked(GitChanges(), repository, 0.0) is True
    assert not (repository / "RAN").exists()


@pytest.mark.parametrize("name", ["x", "a=b", "A.b"])
@pytest.mark.parametrize("key", ["clean", "process"])
def test_a_filter_of_the_repository_is_not_run(repository, name, key):
    (repository / ".gitattributes").write_text(f"* filter={name}\n")
    git(repository, "config", f"filter.{name}.{key}", f"touch {repository}/RAN; cat")
    git(repository, "config", f"filter.{name}.required", "true")
    (repository / "a").write_text("two\n")
    assert asked(GitChanges(), repository, 0.0) is True
    assert not (repository / "RAN").exists()


@pytest.mark.timeout(30)
def test_a_git_that_hangs_is_ended_with_what_it_started(repository, monkeypatch, tmp_path):
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nsleep 1000 &\nwait\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    changes = GitChanges()
    changes.fill(state(repository), LOOKS, 0.0)
    process = changes._running.process  # noqa: SLF001
    sleeping = child_of(process.pid)
    changes.fill(state(repository), LOOKS, 4.0)
    assert process.poll() is not None
    changes.close()
    while sleeping.is_running() and sleeping.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)


def child_of(pid):
    """The program that this one has started, once it has."""
    for _ in range(500):
        children = psutil.Process(pid).children()
        if children and children[0].name() == "sleep":
            return children[0]
        time.sleep(0.02)
    raise AssertionError("it started nothing")
