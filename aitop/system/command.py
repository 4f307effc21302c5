"""The command lines of the processes that started this one: Linux alone says them.

For a git hook, which is not told how its commit was asked for. It reads, and signals nothing.
"""

import os
from collections.abc import Iterator, Sequence

GENERATIONS = 4  # git, the hook's shell, and what may stand between them


def of_ancestors() -> Iterator[list[str]]:
    """The words of the nearest ancestors' commands, the parent's first."""
    pid = os.getppid()
    for _ in range(GENERATIONS):
        parent, words = _process(pid)
        yield words
        if parent <= 1:
            return
        pid = parent


def amends(words: Sequence[str]) -> bool:
    """Whether a command is `git … commit … --amend`."""
    if not words or os.path.basename(words[0]).removesuffix(".exe") != "git" or "commit" not in words:
        return False
    options = words[words.index("commit") + 1 :]
    return "--amend" in options[: options.index("--")] if "--" in options else "--amend" in options


def _process(pid: int) -> tuple[int, list[str]]:
    """(parent, words) of a process, (0, []) where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            parent = int(file.read().rpartition(b")")[2].split()[1])
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return parent, [os.fsdecode(word) for word in file.read().rstrip(b"\0").split(b"\0")]
    except (OSError, ValueError, IndexError):
        return 0, []
