"""Budgets and tag rules as the configuration writes them: checked here, applied elsewhere. Pure.

`fail(path, message)` makes the error of the file that is read; a pattern is a shell pattern, compared
without regard to where a folder's home is written as `~`.
"""

import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from aitop.model.json_types import JsonObject

PERIODS = ("day", "week", "month", "session")
BUDGET_FIELDS = ("period", "limit_usd", "project", "tag", "warning", "critical")
TAG_FIELDS = ("folders", "branches")
Fail = Callable[[str, str], Exception]


class Budget(NamedTuple):
    """What may be spent in a period by everything, by a project or under a tag; thresholds in percent."""

    name: str
    period: str
    limit_usd: float
    scope: str = "all"
    match: str = ""
    warning: float = 80.0
    critical: float = 100.0

    def covers(self, cwd: str | None, tag: str | None) -> bool:
        """Whether a session's money counts here."""
        if self.scope == "project":
            return in_folder(cwd, self.match)
        return self.scope == "all" or (tag is not None and fnmatchcase(tag, self.match))


class TagRule(NamedTuple):
    """A tag given to sessions of a folder, of a branch, or (both named) of such a branch in such a folder."""

    tag: str
    folders: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()

    def fits(self, cwd: str | None, branch: str | None) -> bool:
        in_place = not self.folders or any(in_folder(cwd, pattern) for pattern in self.folders)
        on_branch = not self.branches or any(fnmatchcase(branch or "", pattern) for pattern in self.branches)
        return in_place and on_branch


def in_folder(cwd: str | None, pattern: str) -> bool:
    """Whether a folder is one a pattern names, or lies within: by whole path, or by name when it has no slash."""
    if not cwd:
        return False
    path = cwd.replace("\\", "/").rstrip("/")
    if "/" not in pattern and not pattern.startswith("~"):
        return fnmatchcase(path.rpartition("/")[2], pattern)
    wanted = os.path.expanduser(pattern).rstrip("/")
    return fnmatchcase(path, wanted) or fnmatchcase(path, f"{wanted}/*")


def tag_of(
    own: str | None, environment: str | None, cwd: str | None, branch: str | None, rules: tuple[TagRule, ...]
) -> str | None:
    """A session's tag: the one given by hand, else $AITOP_TAG's, else the first rule's that fits."""
    if own is not None:
        return own or None
    if environment:
        return environment
    return next((rule.tag for rule in rules if rule.fits(cwd, branch)), None)


def budgets(data: object, fail: Fail) -> tuple[Budget, ...]:
    """`[budgets.NAME]` tables."""
    return tuple(_budget(name, body, fail) for name, body in _tables("budgets", data, BUDGET_FIELDS, fail))


def tags(data: object, fail: Fail) -> tuple[TagRule, ...]:
    """`[tags.NAME]` tables, in the order of the file."""
    rules = []
    for name, body in _tables("tags", data, TAG_FIELDS, fail):
        for key, value in body.items():
            if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
                raise fail(f"tags.{name}.{key}", f"must be a list of patterns, not {value!r}")
        if not any(body.values()):
            raise fail(f"tags.{name}", "needs folders or branches")
        rules.append(TagRule(name, tuple(body.get("folders", ())), tuple(body.get("branches", ()))))
    return tuple(rules)


def _budget(name: str, body: JsonObject, fail: Fail) -> Budget:
    dotted = f"budgets.{name}"
    period = body.get("period")
    if period not in PERIODS:
        raise fail(f"{dotted}.period" if period else dotted, f"needs period = one of {', '.join(PERIODS)}")
    numbers = {}
    for key, lowest in (("limit_usd", 0.0), ("warning", 0.0), ("critical", 0.0)):
        value: Any = body.get(key, {"limit_usd": None, "warning": 80.0, "critical": 100.0}[key])
        if not isinstance(value, int | float) or isinstance(value, bool) or not lowest < value < 1e12:
            raise fail(f"{dotted}.{key}" if key in body else dotted, f"needs {key} = a number above 0")
        numbers[key] = float(value)
    for key in ("project", "tag"):
        if key in body and not (isinstance(body[key], str) and body[key]):
            raise fail(f"{dotted}.{key}", f"must be a pattern, not {body[key]!r}")
    if "project" in body and "tag" in body:
        raise fail(dotted, "is of a project or of a tag, not of both")
    scope = next((key for key in ("project", "tag") if key in body), "all")
    return Budget(name, period, numbers["limit_usd"], scope, body.get(scope, ""), numbers["warning"],
                  numbers["critical"])  # fmt: skip


def _tables(head: str, data: object, fields: tuple[str, ...], fail: Fail) -> list[tuple[str, JsonObject]]:
    if not isinstance(data, dict):
        raise fail(head, "must be a table of tables")
    for name, body in data.items():
        if not isinstance(body, dict):
            raise fail(f"{head}.{name}", "must be a table")
        for key in body:
            if key not in fields:
                raise fail(f"{head}.{name}.{key}", f"unknown key; known are {', '.join(fields)}")
    return list(data.items())
