"""The working tree of each folder that was worked in, as git says it: each is asked for once, a bounded number at most.

What git cannot say stays beside it with the reason, so that no report takes it for nothing. Pure but for the
questions handed in; it must not start git itself.
"""

from collections.abc import Callable
from typing import TypeVar

from aitop.reports import git

REPOSITORIES_MAX = 50  # git is asked for each

T = TypeVar("T")


class WorkingTrees:
    """`errors`: working tree, or a folder without a known one → its path, and what git could not say of it."""

    def __init__(self, toplevel: Callable[[str], str | None]) -> None:
        self._toplevel = toplevel
        self._tops: dict[str, str | None] = {}
        self._known: set[str] = set()
        self.errors: dict[str, str] = {}

    def of(self, folder: str) -> str | None:
        """The working tree of a folder: None where it is in none, the folder itself where git cannot say it."""
        if folder not in self._tops:
            self._tops[folder] = self._ask(folder)
        return self._tops[folder]

    def _ask(self, folder: str) -> str | None:
        if folder in self._known:
            return folder
        if len(self._known) >= REPOSITORIES_MAX:
            return self.unknown(folder, f"git is asked for {REPOSITORIES_MAX} repositories")
        try:
            top = self._toplevel(folder)
        except git.UNKNOWN as error:
            return self.unknown(folder, str(error))
        if top is not None:
            self._known.add(top)
        return top

    def unknown(self, path: str, reason: str) -> str:
        """Note why git cannot say something of a path; the path."""
        self.errors[path] = f"{path}: {reason}"
        return path

    def answers(self, top: str, question: Callable[[str], list[T]]) -> list[T]:
        """What git answers about a working tree; empty where the path is none, or where git cannot say it."""
        if top in self.errors or top not in self._known:
            return []
        try:
            return question(top)
        except git.UNKNOWN as error:
            self.unknown(top, str(error))
            return []
