"""Small worlds of transcripts that copy from each other, read in any order, and a second way to count them."""

import functools
import os
import sqlite3
from collections import defaultdict

from hypothesis import strategies as st

from aitop.history import columns, rows, schema
from aitop.history.store import History
from aitop.ingest.queue import Ingest
from aitop.ingest.tail import Chunk
from aitop.model.events import Usage
from aitop.model.sums import PICO, Sum
from aitop.pricing import cost, table
from aitop.pricing.basis import Basis
from aitop.providers import Source
from aitop.providers.claude_code import provider
from support.lines import MODEL, START, assistant, encode, stamp, usage, user

PRICES = table.load()
NOW = START + 86_400
QUARTER = 900
SESSIONS = tuple(f"{letter * 8}-2222-4333-8444-555555555555" for letter in "abcd")
MODELS = (MODEL, "claude-haiku-4-5", "claude-opus-99", "somebody-else")


class Book:
    """A history that is fed run by run, as the listener feeds it, and may be closed and opened again."""

    def __init__(self, path=":memory:", prices=PRICES, now=NOW, exact=0.0):
        self.path, self.prices, self.now, self.exact = str(path), prices, now, exact
        self.changes = []
        self.open()

    def open(self):
        self.db = schema.connect(self.path) if self.path != ":memory:" else in_memory()
        self.adopt()

    def adopt(self):
        self.history = History(self.db, self.prices, exact=self.exact)
        self.ingest = Ingest(self.history, [provider], {}, 0)

    def restart(self):
        """What was not committed is lost, and read again: the offsets went with it."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self.adopt()

    def feed(self, path, records, start=0, source=None, *, prepared=False):
        """A run of a file's lines that begins at `start`; returns where it ends. `prepared`: as a helper sends it."""
        data = records if isinstance(records, bytes) else encode(records)
        known = self.history.files.get(path)
        if source is None and start and known is not None:
            source = Source(known.session, known.agent, known.pending)
        parsed = provider.parse(data, start, source or provider.identify(path))
        end = start + len(data)
        batch = self.history.packed(parsed.events, self.now) if prepared else None
        self.ingest.apply(Chunk(path, provider.name, start, end, 0, 1, 1, end, 1, parsed), self.now, batch)
        return end

    def apply(self, *events):
        self.history.apply(provider.name, events, self.now)

    def commit(self):
        self.changes.append(self.history.commit())
        return self.changes[-1]

    def settle(self, now=None):
        self.history.settle(now or self.now)
        return self.commit()

    # -- what it holds, counted from each place that keeps it ------------------------------------------------

    def session(self, name=SESSIONS[0]):
        return self.history.session(provider.name, name)

    def totals(self):
        """session → Sum, from the sessions' own totals."""
        found = {}
        for (name,) in self.db.execute("SELECT name FROM session").fetchall():
            total = Sum(*self.session(name).total)
            if any(total):
                found[name] = total
        return found

    def quarters(self):
        """(quarter, session, model) → Sum, without the empty ones."""
        rows = self.db.execute(f"SELECT at, session, model, {columns.BY_MODEL_NAMES} FROM quarter")
        sums = {tuple(row[:3]): columns.from_by_model(row[3:]) for row in rows}
        return {key: value for key, value in sums.items() if any(value)}

    def recount(self):
        """The same from the rows of responses and incidents."""
        found = defaultdict(lambda: [0] * len(Sum._fields))
        for row in self.db.execute(
            "SELECT at, session, model, uncached, output, cache_read, write_5m, write_1h, cost, basis, incomplete, "
            "incomplete AND visible > 9 * output, ifnull(credits, 0) FROM response"
        ):
            (
                at,
                session,
                model,
                uncached,
                output,
                read,
                short,
                long,
                spent,
                basis,
                incomplete,
                understated,
                own,
            ) = row
            one = Sum(
                requests=1, uncached_input_tokens=uncached, output_tokens=output, cache_read_tokens=read,
                cache_write_5m_tokens=short, cache_write_1h_tokens=long, cost=spent, unpriced_requests=basis == 2,
                estimated_requests=basis == 1, client_priced_requests=basis == 3, incomplete_requests=incomplete,
                understated_requests=understated, credits=own,
            )  # fmt: skip
            _plus(found[(int(at) // QUARTER * QUARTER, session, model)], one)
        empty = {name: number for number, name in self.db.execute("SELECT id, name FROM model")}.get("")
        for at, session in self.db.execute(
            "SELECT at, session FROM incident WHERE kind != 'compaction' AND NOT (twin IS NOT NULL AND from_file = 0)"
        ):
            _plus(found[(int(at) // QUARTER * QUARTER, session, empty)], Sum(errors=1))
        return {key: Sum(*value) for key, value in found.items()}

    def tool_quarters(self):
        rows = self.db.execute("SELECT at, session, name, calls, failures FROM quarter_tool")
        return {tuple(row[:3]): tuple(row[3:]) for row in rows if any(row[3:])}

    def tool_recount(self):
        found = defaultdict(lambda: [0, 0])
        for at, session, name, failed in self.db.execute("SELECT at, session, name, failed FROM tool"):
            _plus(found[(int(at) // QUARTER * QUARTER, session, name)], [1, failed])
        return {key: tuple(value) for key, value in found.items()}

    def seconds(self):
        """(second, session) → Sum of everything that commits handed out."""
        found = defaultdict(lambda: [0] * len(Sum._fields))
        names = dict(self.db.execute("SELECT id, name FROM session"))
        for changes in self.changes:
            for at, session, value in changes.sums:
                _plus(found[(int(at), names[session])], value)
        return {key: Sum(*value) for key, value in found.items() if any(value)}

    def check(self):
        """Every sum it keeps equals a recount of its rows."""
        assert self.quarters() == self.recount()
        assert self.tool_quarters() == self.tool_recount()


def in_memory():
    """An empty history without a file: a copy of one that is made once, in a tenth of the time."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    _empty().backup(db)
    return db


@functools.cache
def _empty():
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.executescript(schema.TABLES)
    return db


def _plus(total, value):
    for i, v in enumerate(value):
        total[i] += v


# -- worlds ----------------------------------------------------------


@st.composite
def worlds(draw):
    """path → records: responses of one to three lines, some of them copied into other files."""
    count = draw(st.integers(1, 4))
    files = {}
    paths = []
    for number in range(count):
        session = SESSIONS[draw(st.integers(0, len(SESSIONS) - 1))]
        if draw(st.integers(0, 3)) == 0:
            path = f"/p/-w{number}/{session}/subagents/agent-s{number}.jsonl"
        else:
            path = f"/p/-w{number}/{session}.jsonl"
        paths.append(path)
        # A fork begins with its origin's lines, so several files may begin at one moment.
        files[path] = [user("go", at=START + draw(st.sampled_from([0, 0, 1, 500])), session=session)]
    relay = draw(st.sampled_from([None, None, "request", "message"]))
    for number in range(draw(st.integers(1, 5))):
        at = START + draw(st.integers(0, 2000))
        holders = draw(st.lists(st.sampled_from(paths), min_size=1, max_size=3, unique=True))
        model = draw(st.sampled_from(MODELS))
        for path in holders:
            paying = draw(st.sampled_from([None, None, *SESSIONS]))
            sidechain = draw(st.booleans())
            for line in range(draw(st.integers(1, 3))):
                ids = draw(st.sampled_from([(True, True), (True, True), (False, True)]))
                if relay == "request":  # it answers every call with one constant request id
                    ids = (True, True)
                names = (
                    ("m" if relay == "message" else f"m{number}") if ids[0] else None,
                    ("same" if relay == "request" else f"r{number}") if ids[1] else None,
                )
                files[path].append(_line(draw, names, at + line, model, paying, sidechain))
    for path, records in files.items():
        files[path] = [records[0], *draw(st.permutations(records[1:]))]
    return files


def _line(draw, names, at, model, paying, sidechain):
    return assistant(
        names[0],
        at,
        request_id=names[1],
        model=model,
        usage=usage(
            draw(st.integers(1, 300)),
            draw(st.integers(1, 9)),
            draw(st.integers(0, 50)),
            draw(st.integers(0, 50)),
        ),
        stop=draw(st.sampled_from([None, "end_turn", "tool_use"])),
        requestSessionId=paying,
        content=[],
        isSidechain=sidechain,
        agentId="side" if sidechain else None,
    )


@st.composite
def readings(draw, files):
    """Some order in which the files' lines may be read: (path, how many lines), commits and restarts between."""
    steps = []
    left = {path: len(records) for path, records in files.items()}
    while left:
        path = draw(st.sampled_from(sorted(left)))
        count = draw(st.integers(1, left[path]))
        steps.append((path, count))
        left[path] -= count
        if not left[path]:
            del left[path]
        steps.append(draw(st.sampled_from([None, None, "commit", "settle"])))
    return steps


def read(book, files, steps, prepared=lambda: False):
    """Read a world in that order."""
    done = dict.fromkeys(files, 0)
    ends = dict.fromkeys(files, 0)
    for step in steps:
        if step is None:
            continue
        if step == "commit":
            book.commit()
        elif step == "settle":
            book.settle()
        else:
            path, count = step
            records = files[path][done[path] : done[path] + count]
            ends[path] = book.feed(path, records, ends[path], prepared=prepared())
            done[path] += count
    book.settle()


# -- the second way to count ----------------------------------------------------------


def oracle(files, now=NOW):
    """(second, session) → Sum, straight from the rules: no order, no state, no differences."""
    found = defaultdict(lambda: [0] * len(Sum._fields))
    order = sorted(files, key=lambda path: (_epoch(files[path][0]), path))
    for group in _groups(files):
        versions = []
        for path in order:
            lines = [record for record in files[path] if any(record is other for other in group)]
            if lines:
                versions.append((path, lines))
        agents = all(
            "/subagents/" in path or all(r["isSidechain"] for r in lines) for path, lines in versions
        )
        best = min(
            versions,
            key=lambda v: (v[1][-1]["message"]["stop_reason"] is None, agents and "/subagents/" not in v[0]),
        )[1][-1]
        paying = next(
            (
                line["requestSessionId"]
                for _, lines in versions
                for line in reversed(lines)
                if "requestSessionId" in line
            ),
            None,
        )  # noqa: E501
        at = min(_epoch(line) for _, lines in versions for line in lines)
        session = paying or provider.identify(versions[0][0]).session
        _plus(found[(int(at), session)], _sum(best["message"], at, now))
    return {key: Sum(*value) for key, value in found.items()}


def _sum(message, at, now):
    u = message["usage"]
    tokens = Usage(
        u["input_tokens"], u["output_tokens"], u["cache_read_input_tokens"], u["cache_creation_input_tokens"]
    )
    priced = cost.price(PRICES, message["model"], tokens, at)
    late = message["stop_reason"] is None and now - at > rows.INCOMPLETE_AFTER
    return Sum(
        requests=1, uncached_input_tokens=tokens.uncached_input_tokens, output_tokens=tokens.output_tokens,
        cache_read_tokens=tokens.cache_read_tokens, cache_write_5m_tokens=tokens.cache_write_5m_tokens,
        cost=priced.cost, unpriced_requests=priced.basis == Basis.UNPRICED,
        estimated_requests=priced.basis == Basis.FAMILY, incomplete_requests=late,
    )  # fmt: skip


def _epoch(record):
    from aitop.providers.lenient import epoch

    return epoch(record["timestamp"])


def _groups(files):
    """The lines of each response: one message id and one request id, and those without the first of the second."""
    records = [r for lines in files.values() for r in lines if r["type"] == "assistant"]
    groups = {}
    for record in records:
        if record["message"].get("id"):
            groups.setdefault((record["message"]["id"], record["requestId"]), []).append(record)
    for record in records:
        if not record["message"].get("id"):
            request = record["requestId"]
            named = (
                name for name, lines in groups.items() if any(r.get("requestId") == request for r in lines)
            )
            groups.setdefault(next(named, f"lone {request}"), []).append(record)
    return list(groups.values())


def by_session(seconds):
    found = defaultdict(lambda: [0] * len(Sum._fields))
    for (_, session), value in seconds.items():
        _plus(found[session], value)
    return {key: Sum(*value) for key, value in found.items()}


__all__ = [
    "NOW",
    "PICO",
    "PRICES",
    "SESSIONS",
    "Book",
    "by_session",
    "in_memory",
    "oracle",
    "os",
    "read",
    "readings",
    "stamp",
    "worlds",
]
