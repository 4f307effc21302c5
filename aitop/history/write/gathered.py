"""Rows that are counted and wait to be written: the runs they came in, and where each key is among them.

Rows of a helper stay as it packed them until they are written, which takes a fifth of the memory. A row that another
record speaks of meanwhile is taken out: from then on it is decided and written as any other one.
"""

import sqlite3
from collections.abc import Iterable, Iterator

from aitop.history.rows import CountedResponse, Evidence, unpack_usage
from aitop.history.write import prepare as b
from aitop.history.write import wire
from aitop.history.write.load import Names, Tool
from aitop.history.write.prepare import Batch, Plain
from aitop.pricing.basis import Basis

_MARKS = ", ".join("?" * (5 + b.COLUMNS.count(",") + 1))
_RESPONSE = (
    f"INSERT INTO response (id, session, model, file, place, {b.COLUMNS}, copies) VALUES ({_MARKS}, 0)"  # noqa: S608
)
_TOOL = (
    "INSERT INTO tool (key, session, name, at, from_file, used, result_at, client_ms, failed) "
    "VALUES (?, ?, ?, ?, ?, 1, ?, NULL, ?)"
)
# a row that was taken out and merged with another one has told its name already
_ALIAS = "INSERT OR IGNORE INTO alias (key, response) VALUES (?, ?)"
_NONE: list[Plain | None] = []  # of every run that is packed; never changed
PLAIN_BYTES = 600  # about what one row takes in memory that is not packed


class Run:
    """Rows of one run of a file. A row that was taken out is None."""

    __slots__ = ("file", "first", "packed", "responses", "session", "tools")

    def __init__(self, found: Batch, session: int, file: int, first: int) -> None:
        self.session, self.file = session, file
        self.first = first  # the number of its first response; the others follow
        self.packed = found.packed
        self.responses: list[Plain | None] = [*found.responses] if found.responses else _NONE
        self.tools: list[Plain | None] = [*found.tools] if found.tools else _NONE

    def size(self) -> int:
        """About how many bytes it takes."""
        if self.packed is not None:
            return len(self.packed)
        return (len(self.responses) + len(self.tools)) * PLAIN_BYTES

    def unpack(self) -> None:
        """From here on its rows are in `responses` and `tools`."""
        if self.packed is not None:
            responses, tools = wire.rows_of(self.packed)
            self.responses, self.tools = [*responses], [*tools]
            self.packed = None


class Gathered:
    """The runs, and for each key that is among them its run."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self.names: dict[int, Run] = {}
        self.calls: dict[int, Run] = {}
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._runs)

    def add(self, run: Run, names: Iterable[int], calls: Iterable[int]) -> None:
        """One more run, and the keys of its responses and calls."""
        self._runs.append(run)
        self.names.update(dict.fromkeys(names, run))
        self.calls.update(dict.fromkeys(calls, run))
        self.bytes += run.size()

    # -- taking out ------------------------------------------------------------------------------------------

    def take_response(self, name: int, names: Names) -> CountedResponse | None:
        """The response of this name, which is no longer gathered; None where it is not here."""
        run = self.names.pop(name, None)
        if run is None:
            return None
        run.unpack()
        for index, plain in enumerate(run.responses):
            if plain is not None and plain[b.NAMES][0] == name:
                run.responses[index] = None
                return _row(run, run.first + index, plain, names)
        return None

    def take_call(self, key: int) -> Tool | None:
        """The same for a tool call."""
        run = self.calls.pop(key, None)
        if run is None:
            return None
        run.unpack()
        for index, plain in enumerate(run.tools):
            if plain is not None and plain[b.KEY] == key:
                run.tools[index] = None
                _, name, at, ended, failed, _, _ = plain
                return Tool(run.session, name, at, run.file, used=True, result_at=ended, failed=bool(failed))
        return None

    # -- writing ---------------------------------------------------------------------------------------------

    def write(self, db: sqlite3.Connection, names: Names) -> None:
        """Put all of it into the open transaction, each table in the order of its key."""
        runs, self._runs = self._runs, []
        self.names, self.calls, self.bytes = {}, {}, 0
        aliases: list[tuple[int, int]] = []
        calls: list[tuple[object, ...]] = []
        db.executemany(_RESPONSE, _rows(runs, names, aliases, calls))
        aliases.sort()
        db.executemany(_ALIAS, aliases)
        calls.sort()
        db.executemany(_TOOL, calls)


def _rows(
    runs: list[Run], names: Names, aliases: list[tuple[int, int]], calls: list[tuple[object, ...]]
) -> Iterator[tuple[object, ...]]:
    """The rows of `response`; fills what belongs into the other two tables."""
    model, place = names.model, names.place
    runs.reverse()
    while runs:
        run = runs.pop()  # so that its memory is free for the next one
        run.unpack()
        session, file = run.session, run.file
        for number, plain in enumerate(run.responses, run.first):
            if plain is not None:
                aliases.append((plain[b.NAMES][0], number))
                yield (
                    number, session, model(plain[b.MODEL]), file, place(plain[b.PLACE]),
                    *plain[b.STORED :],
                )  # fmt: skip
        calls += [
            (plain[b.KEY], session, plain[b.NAME], plain[b.TOOL_AT], file, plain[b.ENDED_AT], plain[b.FAILED])
            for plain in run.tools
            if plain is not None
        ]


def _row(run: Run, number: int, plain: Plain, names: Names) -> CountedResponse:
    """As it would be read back from the database."""
    place = plain[b.PLACE]
    usage = unpack_usage(plain[b.UNCACHED : b.MODIFIERS], plain[b.MODIFIERS])
    evidence = Evidence(
        plain[b.AT], plain[b.MODEL], usage, plain[b.STOP], plain[b.VISIBLE], plain[b.AGENT], None, run.file,
        plain[b.END], plain[b.DURATION], plain[b.TTFT], None, None,
        names.places.value(names.place(place)) if place and place[0] else None,
    )  # fmt: skip
    row = CountedResponse(number, run.session, evidence)
    row.cost, row.basis, row.incomplete = plain[b.COST], Basis(plain[b.BASIS]), bool(plain[b.INCOMPLETE])
    row.message_key, row.request_key = plain[b.MESSAGE_KEY], plain[b.REQUEST_KEY]
    return row
