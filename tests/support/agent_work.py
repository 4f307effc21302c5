"""A repository in which a client worked: files change on disk, its transcript says what it did, git keeps what is
committed. Times are arguments, so that what came first is never left to the clock of the test.
"""

import os
import subprocess

from support.lines import START, append, assistant, result, use, user

GIT = ["-c", "user.name=Ada", "-c", "user.email=ada@x.example", "-c", "commit.gpgsign=false"]


class AgentWork:
    """`root`: the working tree; `path`: the transcript; every act moves the clock by ten seconds."""

    def __init__(self, root, path, session, start=START):
        self.root, self.path, self.session, self.at = str(root), str(path), session, start
        self.calls, self.branch = 0, "main"
        os.makedirs(self.root, exist_ok=True)

    def git(self, *words, at=None):
        stamp = f"@{int(at or self.at)} +0000"
        environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": stamp,
            "GIT_COMMITTER_DATE": stamp,
        }  # fmt: skip
        done = subprocess.run(
            ["git", *GIT, *words], cwd=self.root, check=True, capture_output=True, env=environ
        )
        return done.stdout.decode("utf-8", "replace")

    def begin(self, branch="main"):
        self.git("init", "-q", "-b", branch)
        self.git("commit", "-q", "--allow-empty", "-m", "begin", at=self.at - 1000)
        return self

    def tick(self):
        self.at += 10
        return self.at

    def prompt(self, words="please"):
        append(self.path, user(words, self.tick(), self.session, cwd=self.root))

    def answer(self, usage=None):
        """A response that changes nothing."""
        self._answer([{"type": "text", "text": "fine"}], usage)

    def _answer(self, content, usage=None):
        self.calls += 1
        append(self.path, assistant(f"m-{self.session[:4]}-{self.calls}", self.tick(), request_id=f"r-{self.calls}",
                                    usage=usage, content=content, session=self.session, cwd=self.root,
                                    gitBranch=self.branch))  # fmt: skip

    def edit(self, name, old, new, *, failed=False, usage=None, patch=None, tool="Edit"):
        """Replace a text on disk, as the client's Edit does; with `patch` its result says what was written."""
        file = os.path.join(self.root, name)
        given = {"file_path": file, "old_string": old, "new_string": new}
        if not failed:
            text = self.read(name)
            assert old in text
            self.save(name, text.replace(old, new, 1))
        self._call(tool, given, failed, usage, patch)

    def write(self, name, text, *, usage=None, patch=None):
        """Write a whole file."""
        self.save(name, text)
        self._call(
            "Write", {"file_path": os.path.join(self.root, name), "content": text}, False, usage, patch
        )

    def _call(self, tool, given, failed, usage, patch):
        identity = f"toolu_{self.session[:4]}_{self.calls}"
        self._answer([use(identity, tool, **given)], usage)
        told = {"toolUseResult": {"structuredPatch": [{"lines": patch}]}} if patch is not None else {}
        append(self.path, result(identity, self.tick(), failed=failed or None, session=self.session, cwd=self.root,
                                 **told))  # fmt: skip

    def save(self, name, text):
        file = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)

    def read(self, name):
        with open(os.path.join(self.root, name), encoding="utf-8") as file:
            return file.read()

    def commit(self, message="work"):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, at=self.tick())
