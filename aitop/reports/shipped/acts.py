"""What a client's records say was done: prompts, interruptions, tool calls and the lines that edits added. Pure.

A line is kept as a number made of its letters without white space, so no text of a file stays in memory and a change
of the indentation changes nothing. Empty lines have no number: they say nothing about their author.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

NOTEBOOK = ".ipynb"


class Edit(NamedTuple):
    """A change of one file. `lines`: a number for each line that it added; `cwd`: where the client worked."""

    path: str
    cwd: str | None
    lines: tuple[int, ...]


class Call(NamedTuple):
    """One tool call. `failed` None: no result is recorded. `names`: ids of the response that made it, the best first.

    `ended` is the moment of its result. `edits` are the files that it changed, none where it failed.
    """

    id: str
    session: str
    agent: str | None
    names: tuple[str, ...]
    model: str
    tool: str
    at: float
    ended: float | None = None
    failed: bool | None = None
    path: str | None = None
    edits: tuple[Edit, ...] = ()


class Prompt(NamedTuple):
    """The user's words that begin a turn. `model`: which one answered first, "" for none."""

    id: str
    session: str
    at: float
    model: str = ""


class Stop(NamedTuple):
    """The user interrupted a turn."""

    id: str
    session: str
    at: float


class Acts(NamedTuple):
    """Of one file; `sessions` are those with any record in it."""

    sessions: set[str]
    prompts: list[Prompt]
    stops: list[Stop]
    calls: list[Call]


def numbers(lines: Iterable[str], path: str) -> list[int]:
    """A number for each line of a file that holds anything."""
    letters = ("".join(_of_notebook(line) if path.endswith(NOTEBOOK) else line.split()) for line in lines)
    return [hash(one) for one in letters if one]


def _of_notebook(line: str) -> list[str]:
    """The letters of a line of a notebook's file, where source is a list of JSON texts."""
    text = line.strip().rstrip(",")
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text)).split()
        except ValueError:
            pass
    return line.split()


def added(old: Sequence[int], new: Sequence[int]) -> tuple[int, ...]:
    """The lines of `new` that `old` does not hold; a line that was moved or indented anew is in both."""
    left = Counter(old)
    found = []
    for number in new:
        if left[number] > 0:
            left[number] -= 1
        else:
            found.append(number)
    return tuple(found)
