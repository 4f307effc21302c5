"""Tables that must agree: a row added to one of them and forgotten in the other is found here."""

import os
import sqlite3

import pytest
from golden import states
from golden.home import ROOT
from support.worlds import NOW, SESSIONS, Book

from aitop import cli
from aitop.history import columns as history_columns
from aitop.history import keys, schema
from aitop.history.rows import CountedResponse, Evidence, pack_modifiers
from aitop.history.write import digest, prepare
from aitop.model import Place, Response, Usage
from aitop.model.sums import COLUMNS, Sum, published
from aitop.pricing import cost
from aitop.pricing.basis import Basis
from aitop.reports import columns as report_columns
from aitop.reports.rows import figures
from aitop.top import plain, sessions
from aitop.top.choices import Choices
from aitop.top.paint import RICH

# Columns of the full-screen table for which the plain one has no room; any other one is in both.
ONLY_ON_SCREEN = {
    "branch", "tag", "duration", "hits", "hourly", "tools", "errors", "agents", "latency", "ttft", "speed",
}  # fmt: skip
PLAIN_HEADS = {"project": "session", "requests": "req", "context": "ctx", "cost": "spent"}


def test_a_column_of_the_sessions_is_in_both_tables_or_named_as_on_screen_only():
    on_screen = {column.key for column in sessions.COLUMNS}
    assert on_screen >= ONLY_ON_SCREEN, "`ONLY_ON_SCREEN` names a column that aitop/top/sessions.py has not"
    heads = {head for head, _ in plain.SESSION_COLUMNS}
    differ = sorted(heads ^ {PLAIN_HEADS.get(key, key) for key in on_screen - ONLY_ON_SCREEN})
    assert differ == [], (
        "in one table only: `SESSION_COLUMNS` of aitop/top/plain.py, or `ONLY_ON_SCREEN` above, is to follow"
    )


def test_every_column_of_the_sessions_is_filled():
    rows = sessions.rows(states.api(), Choices(), {}, {}, RICH)
    assert rows
    keys_of = {column.key for column in sessions.COLUMNS}
    differ = {key for row in rows for key in set(row.shown) ^ keys_of}
    assert differ == set(), "a column of `COLUMNS` needs its cell in `_row` of aitop/top/sessions.py"


def test_every_number_of_a_sum_but_credits_is_published_under_a_key_of_its_own():
    names = [column.attribute for column in COLUMNS]
    assert set(Sum._fields) <= set(names)
    assert [column.attribute for column in COLUMNS if column.published is None] == ["credits"]
    assert len({column.published for column in COLUMNS}) == len(COLUMNS)
    numbered = Sum(*range(1, len(Sum._fields) + 1))
    row = published(numbered, usd=int)
    assert {c.published: getattr(numbered, c.attribute) for c in COLUMNS if c.published} == row


@pytest.mark.parametrize(
    ("basis", "counted"),
    [(Basis.LISTED, None), (Basis.FAMILY, "estimated_requests"), (Basis.UNPRICED, "unpriced_requests"),
     (Basis.CLIENT, "client_priced_requests")],
)  # fmt: skip
def test_a_response_adds_to_the_sum_of_its_own_basis(basis, counted):
    db = sqlite3.connect(":memory:")
    db.execute(schema.RESPONSE_TABLES.partition(";")[0].replace("NOT NULL", "NOT NULL DEFAULT 0"))
    db.execute(
        "INSERT INTO response (uncached, output, cache_read, write_5m, write_1h, cost, basis) "
        "VALUES (2, 3, 4, 5, 6, 7, ?)",
        (basis,),
    )
    found = history_columns.from_response(
        db.execute(f"SELECT {history_columns.OF_RESPONSE} FROM response").fetchone()
    )
    wanted = Sum(
        1, uncached_input_tokens=2, output_tokens=3, cache_read_tokens=4, cache_write_5m_tokens=5,
        cache_write_1h_tokens=6, cost=7,
    )  # fmt: skip
    assert found == (wanted._replace(**{counted: 1}) if counted else wanted)
    db.close()


# Each count of a response has a value of its own, made from the field names: one that is forgotten or taken from
# another place gives another sum. A new field of `Usage` and a new column of `prepare.COLUMNS` are in by themselves.
USAGE = Usage(
    *(
        default if isinstance(default, str | tuple) else 101 + number
        for number, default in enumerate(Usage._field_defaults.values())
    )
)
COUNTS = [name for name, value in USAGE._asdict().items() if isinstance(value, int)]
STORED_PLACES = dict(
    zip(prepare.COLUMNS.split(", "), range(prepare.STORED, prepare.REQUEST_KEY + 1), strict=True)
)


def response_of(basis, incomplete, visible):
    """One response twice: as a row of the history, and as a first read hands it on."""
    plain = [1001 + place for place in range(prepare.REQUEST_KEY + 1)]
    plain[prepare.UNCACHED : prepare.MODIFIERS] = [getattr(USAGE, name) for name in COUNTS]
    understated = incomplete and visible > 9 * USAGE.output_tokens
    own = {
        prepare.NAMES: (1,), prepare.MODEL: "m", prepare.PLACE: None, prepare.UNDERSTATED: understated,
        prepare.AT: 900.0, prepare.MODIFIERS: None, prepare.STOP: None, prepare.VISIBLE: visible,
        prepare.AGENT: None, prepare.BASIS: int(basis), prepare.INCOMPLETE: incomplete,
    }  # fmt: skip
    for place, value in own.items():
        plain[place] = value
    evidence = Evidence(
        900.0, "m", USAGE, None, visible, None, None, 1, plain[prepare.END], plain[prepare.DURATION],
        plain[prepare.TTFT],
    )  # fmt: skip
    row = CountedResponse(1, 1, evidence)
    row.cost, row.basis, row.incomplete = plain[prepare.COST], basis, incomplete
    return row, tuple(plain)


# output tokens are 102: nine characters each and more make a response understated
EXTENTS = pytest.mark.parametrize(("incomplete", "visible"), [(False, 3), (True, 3), (True, 3000)])


def test_the_stored_counts_of_a_response_are_those_of_its_usage_in_the_same_order():
    assert len(COUNTS) == prepare.MODIFIERS - prepare.UNCACHED
    assert len({getattr(USAGE, name) for name in COUNTS} - {0}) == len(COUNTS)
    places = {name: prepare.UNCACHED + number for number, name in enumerate(COUNTS)}
    summed = {sql: name for sql, name in history_columns.STORED if name in places}
    assert {STORED_PLACES[sql]: name for sql, name in summed.items()} == {
        places[name]: name for name in summed.values()
    }


@pytest.mark.parametrize("basis", Basis)
@EXTENTS
def test_a_response_adds_the_same_by_sql_and_by_its_row(basis, incomplete, visible):
    row, plain = response_of(basis, incomplete, visible)
    row.evidence = row.evidence._replace(billed=81, claimed=82, credits=83)
    stored = {name: plain[place] for name, place in STORED_PLACES.items()}
    stored |= {"id": 84, "session": 1, "model": 85, "file": 1, "place": 86, "copies": 87, "paying": None,
               "billed": 81, "claimed": 82, "credits": 83}  # fmt: skip
    db = sqlite3.connect(":memory:")
    db.executescript(schema.RESPONSE_TABLES)
    columns = {name for _, name, *_ in db.execute("PRAGMA table_info(response)")}
    assert columns == set(stored), "a column of `response` needs a value of its own in this test"
    db.execute(
        f"INSERT INTO response ({', '.join(stored)}) VALUES ({', '.join('?' * len(stored))})",
        [*stored.values()],
    )
    by_sql = history_columns.from_response(
        db.execute(f"SELECT {history_columns.OF_RESPONSE} FROM response").fetchone()
    )
    db.close()
    assert by_sql == row.contribution().sum, "columns._OF_RESPONSE and CountedResponse.contribution differ"


@pytest.mark.parametrize("basis", Basis)
@EXTENTS
def test_a_response_adds_the_same_in_a_first_read(basis, incomplete, visible):
    row, plain = response_of(basis, incomplete, visible)
    [(*_, numbers)] = digest.of([plain], []).sums
    assert Sum._make(numbers) == row.contribution().sum, (
        "digest._sums and CountedResponse.contribution differ"
    )


@pytest.mark.parametrize("short_way", [True, False])
@pytest.mark.parametrize(
    ("model", "basis"),
    [("claude-opus-4-6", Basis.LISTED), ("claude-opus-4-99", Basis.FAMILY), ("made-up", Basis.UNPRICED)],
)
def test_every_column_of_a_response_holds_the_value_of_its_name(short_way, model, basis):
    """By both ways into the history; each value is one that no other column has."""
    at = NOW - 90_000.0
    usage = Usage(
        101,
        102,
        103,
        104,
        105,
        106,
        107,
        speed="fast",
        geo="us",
        advisor=(("claude-haiku-4-5", 1, 2, 3, 4, 5),),
    )
    response = Response(
        SESSIONS[0], at, model, usage, "m1", "r1", "record", "end_turn", agent="helper", visible_chars=108, offset=109,
        end=110, duration_ms=111.5, ttft_ms=112.5, place=Place("/work", "main"),
        credits=None if short_way else 0.25,
    )  # fmt: skip
    book = Book(exact=float("inf"))
    file = book.history.file("claude-code", "/p/x.jsonl")
    if short_way:
        batch = book.history.prepare([response], NOW)
        assert len(batch.responses) == 1
        book.history.take("claude-code", batch, NOW, file)
    else:
        book.history.apply("claude-code", [response], NOW, file)
    book.commit()
    book.db.row_factory = sqlite3.Row
    row = dict(book.db.execute("SELECT * FROM response").fetchone())
    priced = cost.price(book.prices, model, usage, at)
    assert priced.basis == basis
    assert row == {
        "id": 1, "session": 1, "model": row["model"], "file": file.id, "place": row["place"], "at": at,
        "uncached": 101, "output": 102, "cache_read": 103, "write_5m": 104, "write_1h": 105, "reasoning": 106,
        "searches": 107, "modifiers": pack_modifiers(usage), "stop_reason": "end_turn", "visible": 108,
        "agent": "helper", "paying": None, "end": 110, "duration_ms": 111.5, "ttft_ms": 112.5, "billed": None,
        "claimed": None, "credits": None if short_way else 250_000, "cost": priced.cost, "basis": basis,
        "incomplete": 0, "copies": 0,
        "message_key": keys.key("m", "m1"), "request_key": keys.key("r", "r1"),
    }  # fmt: skip
    named = book.db.execute("SELECT name FROM model WHERE id = ?", (row["model"],)).fetchone()[0]
    placed = book.db.execute("SELECT cwd, branch FROM place WHERE id = ?", (row["place"],)).fetchone()
    assert (named, tuple(placed)) == (model, ("/work", "main"))
    book.db.close()


def test_the_stored_numbers_of_a_basis_stay():
    assert {basis.name: basis.value for basis in Basis} == {
        "LISTED": 0,
        "FAMILY": 1,
        "UNPRICED": 2,
        "CLIENT": 3,
    }


def test_every_column_of_a_report_is_a_field_of_its_rows():
    row = figures(Sum())
    own = {"last_activity_at", "models", "failure_rate", "lines", "usd_per_line", "sessions", "merged_at"}
    own |= {column.key for column in report_columns.TRIES} | {"share"}
    for name in ("day", "session", "tool", "commit", "model", "pull_request", "fate", "tries"):
        for total in (Sum(), Sum(untracked=1)):
            keys = {column.key for column in report_columns.columns(name, total)}
            assert keys - own <= set(row)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_can_be_imported_and_says_what_it_does(name):
    module, _, attribute = cli.COMMANDS[name][0].partition(":")
    command = getattr(__import__(module, fromlist=[attribute]), attribute)
    assert (command.help or "").strip()


def test_every_folder_of_integrations_is_in_the_page():
    with open(os.path.join(ROOT, "docs", "integrations.md"), encoding="utf-8") as file:
        page = file.read().lower()
    folders = [entry.name for entry in os.scandir(os.path.join(ROOT, "integrations")) if entry.is_dir()]
    assert [name for name in sorted(folders) if name.replace("-", "") not in page.replace("-", "")] == []
