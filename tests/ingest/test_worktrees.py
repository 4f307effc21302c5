"""A worktree's work belongs to its repository, told by paths and small text files alone."""

import os
import subprocess

import pytest

from aitop.ingest import worktrees
from aitop.ingest.worktrees import Worktrees, repository
from aitop.model.events import Place, Response, Usage


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/gone/app/.claude/worktrees/fix1", "/gone/app"),
        ("/gone/app/.claude/worktrees/fix1/packages/ui", "/gone/app/packages/ui"),
        ("/gone/app", "/gone/app"),
        ("/gone/app/.claude", "/gone/app/.claude"),
        ("relative/x", "relative/x"),
        ("C:\\work", "C:\\work"),
    ],
)
def test_claude_codes_own_worktrees_are_known_by_their_path(folder, expected):
    assert repository(folder) == expected


@pytest.fixture
def checkout(tmp_path):
    """A repository with a worktree beside it, made by git."""
    run = {"check": True, "capture_output": True, "env": {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}}
    app = tmp_path / "app"
    subprocess.run(["git", "init", "-q", str(app)], **run)
    named = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", str(app), *named, "commit", "-q", "--allow-empty", "-m", "x"], **run)
    subprocess.run(
        ["git", "-C", str(app), "worktree", "add", "-q", str(tmp_path / "fix"), "-b", "fix"], **run
    )
    os.makedirs(tmp_path / "fix" / "sub" / "deep")
    return tmp_path


def test_a_worktree_that_git_made_belongs_to_the_main_checkout(checkout):
    assert repository(str(checkout / "fix")) == str(checkout / "app")
    assert repository(str(checkout / "fix" / "sub" / "deep")) == str(checkout / "app" / "sub" / "deep")
    assert repository(str(checkout / "app")) == str(checkout / "app")


@pytest.mark.parametrize("text", ["gitdir: ../.git/modules/sub", "gitdir: /nowhere", "", "x" * 9000, "\xff"])
def test_a_submodule_or_an_odd_file_changes_nothing(tmp_path, text):
    (tmp_path / ".git").write_text(text)
    assert repository(str(tmp_path)) == str(tmp_path)


def test_a_relative_name_of_the_repository_is_followed(tmp_path):
    os.makedirs(tmp_path / "fix")
    (tmp_path / "fix" / ".git").write_text("gitdir: ../app/.git/worktrees/fix\n")
    assert repository(str(tmp_path / "fix")) == str(tmp_path / "app")


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / ".git")
    assert repository(str(tmp_path)) == str(tmp_path)


def test_a_network_drive_is_not_looked_at(tmp_path, monkeypatch):
    (tmp_path / ".git").write_text("gitdir: /app/.git/worktrees/fix")
    mounts = tmp_path / "mountinfo"
    line = "36 35 0:30 / {} rw - {} server:/x rw\n"
    monkeypatch.setattr(worktrees, "MOUNTS", str(mounts))
    mounts.write_text(line.format("/", "ext4") + line.format(tmp_path, "nfs4"))
    assert repository(str(tmp_path)) == str(tmp_path)
    mounts.write_text(line.format("/", "nfs4") + line.format(tmp_path, "ext4"))
    assert repository(str(tmp_path)) == "/app"


def test_each_response_gets_its_place_and_each_folder_is_looked_at_once(checkout, monkeypatch):
    asked = []
    monkeypatch.setattr(worktrees, "repository", lambda folder: asked.append(folder) or repository(folder))
    fix, app = str(checkout / "fix"), str(checkout / "app")
    events = [
        Response("s", 1.0, "m", Usage(1), f"m{n}", place=place)
        for n, place in enumerate(
            [Place(fix, "fix"), Place(app, "main"), None, Place(fix, "fix"), Place(None)]
        )
    ]
    Worktrees().move(events)
    assert [event.place for event in events] == [
        Place(app, "fix"), Place(app, "main"), None, Place(app, "fix"), Place(None),
    ]  # fmt: skip
    assert asked == [fix, app]
