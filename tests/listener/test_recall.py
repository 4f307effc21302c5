"""After a restart of the listener alerts and windows know what they knew before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.published import NOWHERE
from support.worlds import SESSIONS, Book

from aitop.config import Config
from aitop.listener.feed import LiveFeed
from aitop.live.alerts import rules
from aitop.live.snapshot import take
from aitop.model.events import (
    ApiError,
    ClientTotals,
    Compaction,
    Response,
    SessionInfo,
    ToolResult,
    ToolUse,
    Usage,
)

NOW = 1_790_000_000.0
SPANS = (1, 5, 15)


def begun(history):
    feed = LiveFeed(NOW - 3600)
    feed.begin_day(history.db, NOW)
    return feed


def restarted(history):
    feed = LiveFeed(NOW)
    feed.begin_day(history.db, NOW)
    feed.recall(history, NOW)
    return feed


@st.composite
def events(draw):
    """What one session did in the last hour."""
    at, session = NOW - draw(st.integers(0, 3000)), draw(st.sampled_from(SESSIONS))
    name = str(draw(st.integers(0, 10**9)))
    kind = draw(st.sampled_from(["response", "tool", "error", "retry", "compaction", "total"]))
    if kind == "response":
        stop = draw(st.sampled_from(["end_turn", "max_tokens"]))
        batch = [Response(session, at, "claude-opus-4-6", Usage(100, 5), name, stop_reason=stop)]
    elif kind == "tool":
        failed = draw(st.booleans())
        batch = [ToolUse(session, at, name, "Bash"), ToolResult(session, at, name, "", failed)]
    elif kind == "compaction":
        batch = [Compaction(session, at, name, "auto")]
    elif kind == "total":
        batch = [ClientTotals(session, at, draw(st.integers(0, 50)) / 10)]
    else:
        batch = [ApiError(session, at, name, "overloaded", final=kind == "error")]
    return batch


@examples(60)
@given(st.lists(events(), min_size=1, max_size=15))
def test_what_a_restart_recalls_is_what_was_folded_in(batches):
    book = Book(now=NOW)
    before = begun(book.history)
    for batch in batches:
        book.history.apply("claude-code", batch, NOW)
        before.fold(book.commit(), book.history, NOW)
    after = restarted(book.history)
    sessions = [number for (number,) in book.db.execute("SELECT id FROM session")]
    for session in sessions:
        for minutes in SPANS:
            assert after.aggregator.recent.sum(session, NOW, minutes) == before.aggregator.recent.sum(
                session, NOW, minutes
            )
    assert after.aggregator.cut_off.count(NOW) == before.aggregator.cut_off.count(NOW)
    assert after.aggregator.whole.view(NOW).windows == before.aggregator.whole.view(NOW).windows
    assert after.aggregator.whole.view(NOW).periods == before.aggregator.whole.view(NOW).periods
    assert after.aggregator.stop_reasons == {k: n for k, n in before.aggregator.stop_reasons.items() if n}
    book.db.close()


def raised(feed, history):
    found = take(feed.aggregator, feed.money, history.sessions.values(), before=(), config=Config(), lookups=NOWHERE,
                 now=NOW)  # fmt: skip
    return {alert.rule: alert.text for alert in found.alerts}


@pytest.mark.parametrize("rule", [rules.ERRORS, rules.RUNAWAY, rules.MAX_TOKENS])
def test_an_alert_of_before_a_restart_stands_after_it(rule):
    book = Book(now=NOW)
    session = SESSIONS[0]
    batch = [SessionInfo(session, NOW - 400, cwd="/w/shop")]
    for number in range(200 if rule == rules.RUNAWAY else 12):
        at, name = NOW - 200 + number / 2, f"{rule}{number}"
        if rule == rules.ERRORS:
            batch.append(ApiError(session, at, name, "overloaded", final=True))
        else:
            stop, output = ("max_tokens", 500) if rule == rules.MAX_TOKENS else ("end_turn", 2)
            batch.append(
                Response(session, at, "claude-opus-4-6", Usage(9000, output), name, stop_reason=stop)
            )
    before = begun(book.history)
    book.history.apply("claude-code", batch, NOW)
    book.history.session("claude-code", session).status = "working"
    book.history.session("claude-code", session).status_at = NOW - 5
    before.fold(book.commit(), book.history, NOW)
    told = raised(before, book.history)
    assert told[rule.name].startswith("shop: ") or rule == rules.MAX_TOKENS
    assert raised(restarted(book.history), book.history) == told
    book.db.close()
