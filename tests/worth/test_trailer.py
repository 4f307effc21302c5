"""Trailers of commits: what the work of a working tree cost, in real repositories with the real hook."""

import os
import re
import subprocess
import sys
import time

import pytest
from golden.home import environment
from support.agent_work import GIT, AgentWork
from support.lines import usage
from support.worlds import SESSIONS

from aitop.worth import trailer

A, B = SESSIONS[:2]
# The command with wide bounds: a machine under load would meet the narrow ones, and a test must not depend on that.
MOMENT = 300
PATIENT = f"from aitop.worth import trailer_cli as t; t.SECONDS, t.SAME_SECONDS = 60.0, {MOMENT}; t.commit_trailer()"
AITOP = os.path.join(os.path.dirname(sys.executable), "aitop")


class Repository:
    """A repository with the hook, and a client that works in it. Commits have the machine's own time."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = environment(str(folder), CLAUDE_CONFIG_DIR=f"{folder}/claude") | {
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_EDITOR": "true"}  # fmt: skip
        os.makedirs(folder / "claude" / "projects" / "-w")
        self.main = self.work("shop", A)
        self.main.git("init", "-q", "-b", "main")
        self.git("commit", "-q", "--allow-empty", "-m", "begin", date=int(time.time()) - 4000)

    def work(self, name, session):
        path = self.folder / "claude" / "projects" / "-w" / f"{session}.jsonl"
        return AgentWork(self.folder / name, path, session, time.time() - 500)

    def run(self, *words, cwd=None, check=True, date=None, **more):
        stamps = {f"GIT_{who}_DATE": f"@{date} +0000" for who in ("AUTHOR", "COMMITTER")} if date else {}
        done = subprocess.run(words, cwd=cwd or self.main.root, env=self.environment | stamps | more, text=True,
                              capture_output=True, timeout=60)  # fmt: skip
        assert not check or done.returncode == 0, done.stderr
        return done

    def git(self, *words, **more):
        return self.run("git", *GIT, *words, **more)

    def aitop(self, *words, **more):
        return self.run(AITOP, *words, **more)

    def hook(self):
        """A hook that calls the command with patience."""
        path = f"{self.main.root}/.git/hooks/commit-msg"
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{sys.executable} -c '{PATIENT}' \"$1\"\n")
        os.chmod(path, 0o755)

    def trailer(self, file):
        self.run(sys.executable, "-c", PATIENT, str(file))

    def spend(self, tokens, work=None, branch="main"):
        work = work or self.main
        work.branch = branch
        work.prompt()
        work.answer(usage(tokens, uncached=7))

    def commit(self, message="work", *words, cwd=None):
        self.git("commit", "-q", "--allow-empty", "-m", message, *words, cwd=cwd)
        return self.told(cwd)

    def told(self, cwd=None, name="HEAD"):
        """The output tokens in a commit's trailer, None without one."""
        message = self.git("log", "-1", "--format=%B", name, cwd=cwd).stdout
        found = trailer.read(message)
        assert len(re.findall("AI-Cost", message)) == (found is not None)
        return found.output_tokens if found else None


@pytest.fixture
def shop(tmp_path):
    made = Repository(tmp_path)
    made.hook()
    made.aitop("report")  # the history is there, as a listener keeps it
    return made


def test_a_commit_says_what_the_work_since_the_one_before_it_cost(shop):
    shop.spend(1000)
    shop.spend(500)
    assert shop.commit("one") == 1500
    assert shop.git("log", "-1", "--format=%(trailers:key=AI-Cost,valueonly)").stdout.strip() == "0.03757 USD"
    assert (
        shop.git("log", "-1", "--format=%(trailers:key=AI-Tokens,valueonly)").stdout.strip()
        == "14 in, 1500 out"
    )
    shop.spend(30)
    assert shop.commit("two") == 30


def test_a_commit_without_work_has_no_trailer(shop):
    shop.spend(1000)
    shop.commit("one")
    assert shop.commit("two") is None
    assert shop.git("log", "-1", "--format=%B").stdout == "two\n\n"


def test_an_amended_commit_adds_the_work_that_came_since(shop):
    shop.spend(1000)
    shop.commit("one")
    shop.spend(30)
    shop.git("commit", "-q", "--amend", "--allow-empty", "--no-edit")
    assert shop.told() == 1030
    shop.git("commit", "-q", "--amend", "--allow-empty", "--no-edit")
    assert shop.told() == 1030


def test_a_commit_amended_with_a_new_message_keeps_its_numbers(shop):
    shop.spend(1000)
    shop.commit("one")
    assert shop.commit("two", "--amend") == 1000
    shop.spend(30)
    assert shop.commit("three", "--amend") == 1030
    assert shop.git("log", "-1", "--format=%s").stdout == "three\n"
    assert shop.commit("next") is None


def test_an_alias_that_amends_keeps_the_numbers_too(shop):
    shop.spend(1000)
    # the author's date is what tells git's amending from a new commit there, and it is of long ago
    stamp = f"@{int(time.time()) - MOMENT - 100} +0000"
    shop.git("commit", "-q", "--allow-empty", "-m", "one", "--date", stamp)
    shop.git("-c", "alias.again=commit --amend", "again", "-q", "--allow-empty", "-m", "two")
    assert shop.told() == 1000


def test_a_new_commit_of_the_same_moment_is_not_an_amended_one(shop):
    shop.spend(1000)
    stamp = f"@{int(time.time())} +0000"
    shop.commit("one", "--date", stamp)
    assert shop.commit("a message that names --amend", "--date", stamp) is None


def test_a_commit_that_another_hook_gave_up_leaves_its_work_to_the_next(shop):
    shop.spend(1000)
    hook = f"{shop.main.root}/.git/hooks/commit-msg"
    with open(hook, "a") as file:
        file.write("exit 1\n")
    assert shop.git("commit", "-q", "--allow-empty", "-m", "no", check=False).returncode == 1
    with open(hook) as file:
        text = file.read()
    with open(hook, "w") as file:
        file.write(text.removesuffix("exit 1\n"))
    shop.spend(30)
    assert shop.commit("yes") == 1030


def test_a_rebase_and_a_cherry_pick_leave_trailers_as_they_are(shop):
    shop.git("checkout", "-q", "-b", "fix")
    for number, tokens in enumerate((1000, 30)):
        shop.main.save(f"{number}.py", "x\n")
        shop.git("add", "-A")
        shop.spend(tokens, branch="fix")
        shop.commit(f"{number}")
    shop.git("checkout", "-q", "main")
    shop.main.save("other.py", "x\n")
    shop.git("add", "-A")
    shop.git("commit", "-q", "--no-verify", "-m", "other")
    shop.spend(7)
    shop.git("rebase", "-q", "main", "fix")
    assert (shop.told(name="fix"), shop.told(name="fix~1")) == (30, 1000)
    shop.git("checkout", "-q", "main")
    shop.git("cherry-pick", "fix~1")
    assert shop.told() == 1000
    assert shop.commit("last") == 7


@pytest.mark.parametrize(
    "name", ["rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"]
)
def test_while_git_makes_commits_anew_messages_stay_as_they_are(shop, tmp_path, name):
    shop.spend(1000)
    file = tmp_path / "message"
    file.write_text("a title\n")
    mark = tmp_path / "shop" / ".git" / name
    mark.touch()
    shop.trailer(file)
    assert file.read_text() == "a title\n"
    mark.unlink()
    shop.trailer(file)
    assert "AI-Cost" in file.read_text()


def test_a_squash_holds_the_numbers_of_the_commits_that_it_unites(shop):
    shop.git("checkout", "-q", "-b", "fix")
    for number, tokens in enumerate((1000, 30)):
        shop.main.save(f"{number}.py", "x\n")
        shop.git("add", "-A")
        shop.spend(tokens, branch="fix")
        shop.commit(f"{number}")
    shop.git("checkout", "-q", "main")
    shop.git("merge", "-q", "--squash", "fix")
    shop.git("commit", "-q", "--no-edit")
    message = shop.git("log", "-1", "--format=%(trailers:key=AI-Tokens,valueonly)").stdout
    assert message.strip() == "14 in, 1030 out"


def test_a_message_copied_from_elsewhere_does_not_bring_its_numbers(shop):
    shop.spend(1000)
    shop.commit("one")
    shop.commit("two")
    shop.commit("three")
    shop.spend(30)
    shop.git("commit", "-q", "--allow-empty", "-C", "HEAD~2")
    assert shop.told() == 30


def test_each_worktree_has_its_own_work(shop):
    fix = os.path.join(shop.main.root, ".claude", "worktrees", "fix")
    shop.git("worktree", "add", "-q", "-b", "fix", fix, date=int(time.time()) - 4000)
    other = shop.work("shop/.claude/worktrees/fix", B)
    shop.spend(1000)
    shop.spend(30, other, "fix")
    assert shop.commit("there", cwd=fix) == 30
    assert shop.commit("here") == 1000


def test_worktrees_without_a_branch_are_told_apart_by_their_sessions(shop):
    one, two = (os.path.join(shop.main.root, ".claude", "worktrees", name) for name in ("one", "two"))
    for folder in (one, two):
        shop.git("worktree", "add", "-q", "--detach", folder, date=int(time.time()) - 4000)
    shop.spend(1000, shop.work("shop/.claude/worktrees/one", B), "HEAD")
    shop.spend(30, shop.work("shop/.claude/worktrees/two", SESSIONS[2]), "HEAD")
    shop.git("checkout", "-q", "--detach")
    shop.spend(7, branch="HEAD")
    assert [shop.commit("work", cwd=cwd) for cwd in (one, None, two)] == [1000, 7, 30]


def test_work_done_before_its_branch_was_made_is_in_its_commit(shop):
    shop.spend(1000)
    shop.git("checkout", "-q", "-b", "fix")
    shop.spend(30, branch="fix")
    assert shop.commit("one") == 1030


def test_a_commit_on_a_detached_head_has_its_work(shop):
    shop.git("checkout", "-q", "--detach")
    shop.spend(1000, branch="HEAD")
    assert shop.commit("one") == 1000


def test_comments_and_a_diff_below_stay_where_they_are(shop, tmp_path):
    shop.spend(1000)
    message = (
        "a title\n\n# a comment\n# ------------------------ >8 ------------------------\ndiff --git a b\n"
    )
    (tmp_path / "message").write_text(message)
    shop.trailer(tmp_path / "message")
    text = (tmp_path / "message").read_text()
    assert text.startswith("a title\n\nAI-Cost: ")
    assert text.endswith(message.removeprefix("a title\n\n"))


@pytest.mark.parametrize(
    "message", ["", "\n# words\n", "# ------------------------ >8 ------------------------\ndiff --git a b\n"]
)
def test_an_empty_message_stays_empty_so_that_git_gives_up(shop, tmp_path, message):
    shop.spend(1000)
    (tmp_path / "message").write_text(message)
    shop.trailer(tmp_path / "message")
    assert (tmp_path / "message").read_text() == message


@pytest.mark.parametrize(
    "harm", ["no history", "damaged history", "no git", "slow git", "no file", "no repository"]
)
def test_a_commit_never_fails_for_its_trailer(shop, tmp_path, harm):
    shop.spend(1000)
    shop.aitop("report")
    file = tmp_path / "message"
    file.write_text("a title\n")
    home, path, cwd = shop.environment["AITOP_HOME"], os.environ["PATH"], None
    if harm == "no history":
        home = f"{home}/none"
    elif harm == "damaged history":
        with open(os.path.join(home, "history.db"), "r+b") as history:
            history.write(b"x" * 4096)
    elif harm in ("no git", "slow git"):
        os.makedirs(tmp_path / "bin")
        (tmp_path / "bin" / "git").write_text(
            "#!/bin/sh\n" + ("exec sleep 20\n" if harm == "slow git" else "exit 1\n")
        )
        (tmp_path / "bin" / "git").chmod(0o755)
        path = f"{tmp_path}/bin:{path}"
    elif harm == "no file":
        file.unlink()
    else:
        cwd = tmp_path
    done = shop.aitop("commit-trailer", str(file), cwd=cwd, PATH=path, AITOP_HOME=home)
    assert (done.returncode, done.stdout) == (0, "")
    assert not file.exists() or file.read_text() == "a title\n" or harm == "damaged history"


# -- the hook ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hook", [None, '#!/bin/sh\ngrep -q title "$1"\n', "#!/usr/bin/env bash\n# 文\r\ntrue", "#!/bin/sh\n"]
)
def test_the_hook_goes_in_and_comes_out_byte_for_byte(tmp_path, hook):
    shop = Repository(tmp_path)
    path = tmp_path / "shop" / ".git" / "hooks" / "commit-msg"
    path.unlink(missing_ok=True)
    if hook is not None:
        path.write_bytes(hook.encode())
        path.chmod(0o755)
    for _ in range(2):
        shop.aitop("commit-trailer", "--install")
    assert path.read_text().count("commit-trailer") == 1
    assert path.stat().st_mode & 0o111
    shop.aitop("commit-trailer", "--remove")
    assert (path.read_bytes() if path.exists() else None) == (hook.encode() if hook is not None else None)


def test_a_hook_that_refuses_a_message_still_does(tmp_path):
    shop = Repository(tmp_path)
    path = tmp_path / "shop" / ".git" / "hooks" / "commit-msg"
    path.write_text('#!/bin/sh\ngrep -q title "$1"\n')
    path.chmod(0o755)
    shop.aitop("commit-trailer", "--install")
    assert shop.git("commit", "--allow-empty", "-m", "other", check=False).returncode == 1
    assert shop.git("commit", "--allow-empty", "-m", "a title").returncode == 0


@pytest.mark.parametrize(
    "hook", ["#!/usr/bin/env python3\n", "\x7fELF", "#!/bin/sh\nexec other\n", "#!/bin/sh\nexit 0\n"]
)
def test_a_hook_that_would_never_come_to_the_call_is_refused_with_words(tmp_path, hook):
    shop = Repository(tmp_path)
    path = tmp_path / "shop" / ".git" / "hooks" / "commit-msg"
    path.write_text(hook)
    done = shop.aitop("commit-trailer", "--install", check=False)
    assert done.returncode == 1
    assert "by hand" in done.stderr
    assert path.read_text() == hook


def test_uninstall_takes_the_hook_out(tmp_path):
    shop = Repository(tmp_path)
    shop.aitop("commit-trailer", "--install")
    assert os.path.exists(f"{shop.main.root}/.git/hooks/commit-msg")
    shop.aitop("uninstall")
    assert not os.path.exists(f"{shop.main.root}/.git/hooks/commit-msg")


def test_outside_a_repository_there_is_no_hook_to_add(tmp_path):
    shop = Repository(tmp_path)
    done = shop.aitop("commit-trailer", "--install", cwd=tmp_path, check=False)
    assert (done.returncode, "no git repository" in done.stderr) == (1, True)
