"""A session that only hooks prove is a lower bound everywhere, never $0; one that anything records is that record's."""

import json
import os
import subprocess
import sys

import pytest
from golden.home import ROOT
from support.published import NOWHERE, encoded
from support.worlds import Book

from aitop import segments
from aitop.config import Config
from aitop.history.recovery import integrity
from aitop.listener.feed import LiveFeed
from aitop.listener.unrecorded import WAIT, UnrecordedTurns
from aitop.live.snapshot import take
from aitop.model.events import ClientTotals, Response, Usage
from aitop.providers import claude_code, codex, gemini

NOW = 1_790_000_000.0
S = "01990000-aaaa-7000-8000-000000000001"
PAYLOADS = {
    "claude-code": (
        claude_code.provider, {},
        {"hook_event_name": "Stop", "session_id": S, "cwd": "/w/shop", "transcript_path": "/gone/x.jsonl"},
    ),
    "codex": (
        codex.provider, {"provider": "codex"},
        {"hook_event_name": "Stop", "session_id": S, "cwd": "/w/shop", "transcript_path": None, "turn_id": "1",
         "model": "gpt-5.5"},
    ),
    "gemini": (
        gemini.provider, {"provider": "gemini"},
        {"hook_event_name": "AfterAgent", "session_id": S, "cwd": "/w/shop", "transcript_path": "",
         "timestamp": "2026-09-21T14:13:20Z"},
    ),
}  # fmt: skip
CLIENTS = pytest.mark.parametrize("client", list(PAYLOADS))


@pytest.fixture
def book(tmp_path):
    made = Book(tmp_path / "home" / "history.db", now=NOW)
    yield made
    made.db.close()


@pytest.fixture(autouse=True)
def folder(tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)


def ended(book, client, meanwhile=(), **more):
    """A turn ends, `meanwhile` is reported, and time passes; what then counts as unrecorded."""
    provider, header, payload = PAYLOADS[client]
    fed = provider.feed(header, payload | more, NOW)
    turns = UnrecordedTurns()
    turns.wait(100.0, client, fed)
    book.history.apply(client, [*fed.events, *meanwhile], NOW)
    book.commit()
    assert turns.due(100.0 + WAIT - 1, book.history) == []
    found = turns.due(100.0 + WAIT, book.history)
    for name, turn in found:
        book.history.apply(name, [turn], NOW + WAIT)
    book.commit()
    assert integrity.problem(book.db) is None
    return found


def state_of(history, now):
    """As the listener publishes it."""
    feed = LiveFeed(now)
    feed.begin_day(history.db, now)
    feed.recall(history, now)
    found = take(feed.aggregator, feed.money, history.sessions.values(), before=(), config=Config(),
                 lookups=NOWHERE, now=now)  # fmt: skip
    return encoded(found)


@CLIENTS
def test_a_turn_that_nothing_records_is_a_request_of_unknown_usage(book, client):
    ((name, turn),) = ended(book, client)
    model = "gpt-5.5" if client == "codex" else "unknown"
    assert (name, turn.model, turn.usage) == (client, f"no usage: {model}", Usage())
    total = book.history.session(client, S).total
    assert (total.requests, total.unpriced_requests, total.cost) == (1, 1, 0)


@CLIENTS
def test_state_and_displays_show_it_as_at_least(book, client):
    ended(book, client)
    state = state_of(book.history, NOW + WAIT)
    (row,) = state["sessions"]
    assert (row["spent_usd"], row["unpriced_requests"]) == (0, 1)
    for sums in (state["today"], state["month"], state["by_provider"][client]["today"]):
        assert sums["unpriced_requests"] == 1
    assert state["coverage"]["responses"]["at_least"] == 1
    for display in ("tmux", "plain", "waybar", "swiftbar"):
        shown = segments.render(state, display, template="{cost_today} {cost_session}", now=NOW + WAIT)
        assert shown.count("≥$0.00") >= 2, display


@CLIENTS
@pytest.mark.slow
def test_reports_show_it_as_at_least(book, client, tmp_path):
    ended(book, client)
    book.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": ROOT, "TZ": "UTC"}
    own = base | {"AITOP_HOME": str(tmp_path / "home")}

    def report(*words):
        call = [sys.executable, "-m", "aitop", "report", *words]
        done = subprocess.run(call, env=own, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    for grouping in ("sessions", "daily", "models", "projects"):
        assert "≥" in report(grouping), grouping
        (row,) = json.loads(report(grouping, "--json"))
        assert row["unpriced_requests"] == 1


@CLIENTS
def test_what_telemetry_counted_is_not_counted_again(book, client):
    sent = Response(S, NOW - 1, "gpt-5.5", Usage(900, 5), record_id="t", stop_reason="end_turn")
    assert ended(book, client, [sent]) == []


@CLIENTS
def test_what_the_clients_own_total_covers_is_known(book, client):
    assert ended(book, client, [ClientTotals(S, NOW, 0.25)]) == []
    assert book.history.session(client, S).total.untracked == 25 * 10**10


@CLIENTS
def test_a_session_with_a_file_is_that_files(book, client, tmp_path):
    (tmp_path / f"rollout-{S}.jsonl").write_bytes(b"")
    assert ended(book, client, transcript_path=str(tmp_path / f"rollout-{S}.jsonl")) == []


@CLIENTS
def test_each_further_turn_is_one_more(book, client):
    ended(book, client)
    provider, header, payload = PAYLOADS[client]
    turns = UnrecordedTurns()
    turns.wait(0.0, client, provider.feed(header, payload | {"turn_id": "2"}, NOW + 60))
    (found,) = turns.due(WAIT, book.history)
    book.history.apply(*found[:1], [found[1]], NOW + 60)
    book.commit()
    assert book.history.session(client, S).total.requests == 2


def test_a_claude_hook_that_names_no_transcript_proves_nothing(book):
    assert ended(book, "claude-code", transcript_path=None) == []
