"""Budgets, limits and forecasts as the listener keeps and publishes them."""

import json
import os
import sqlite3
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.lines import MODEL, assistant, encode, usage
from support.lines import START as BEGIN
from support.worlds import SESSIONS, Book

from aitop.config import Config, parse
from aitop.history import tags_file
from aitop.live.money.methods import DAY_SLOTS
from aitop.live.money.tracker import MoneyTracker
from aitop.model.events import ClientTotals, Limit
from aitop.model.sums import PICO

DAY = 86_400
START = BEGIN // DAY * DAY  # midnight of Monday, 21 September 2026


def config(text):
    return parse(text.encode(), "/etc/x.toml")


def spend(book, at, name, session=SESSIONS[0]):
    book.now = max(book.now, at + 5)
    book.feed(
        f"/p/-w/{session}-{name}.jsonl",
        [assistant(name, at, request_id=f"r{name}", session=session, usage=usage(2000))],
    )
    return book.commit()


@pytest.fixture
def book(tmp_path):
    made = Book(tmp_path / "history.db")
    yield made
    made.db.close()


DAILY = config("[budgets.d]\nperiod = 'day'\nlimit_usd = 1\n[budgets.w]\nperiod = 'week'\nlimit_usd = 1\n"
               "[budgets.m]\nperiod = 'month'\nlimit_usd = 1")  # fmt: skip


def used(money, book, wanted=DAILY):
    rows = money.budgets(book.history.sessions.values(), set(), set(), wanted)
    return {row.name: round(row.used_usd * PICO) for row in rows}


def cost(book, since):
    return book.db.execute("SELECT ifnull(sum(cost), 0) FROM response WHERE at >= ?", (since,)).fetchone()[0]


def test_a_budget_moves_with_each_commit_and_equals_the_responses(book):
    now = START + 9 * DAY + 50_000  # 30 September 2026, a Wednesday
    today = now // DAY * DAY
    for n, back in enumerate((9, 3, 2, 1, 0)):
        spend(book, now - back * DAY, f"old{n}")
    money = MoneyTracker()
    money.begin(book.db, now)
    money.fold(spend(book, now + 60, "new", SESSIONS[1]), book.history.sessions.values())
    monday, first = today - 2 * DAY, today - 29 * DAY
    assert used(money, book) == {"d": cost(book, today), "w": cost(book, monday), "m": cost(book, first)}
    fresh = MoneyTracker()
    fresh.begin(book.db, now)
    assert used(fresh, book) == used(money, book)


def test_the_dearest_session_of_today_changes_with_each_commit(book):
    now = START + 9 * DAY + 50_000
    spend(book, now - DAY, "old")
    money = MoneyTracker()
    money.begin(book.db, now)
    assert money.dearest_today() is None  # nothing was spent today
    for name, session in (("a", 0), ("b", 1), ("c", 1), ("d", 0), ("e", 0)):
        money.fold(spend(book, now + ord(name), name, SESSIONS[session]), book.history.sessions.values())
        fresh = MoneyTracker()
        fresh.begin(book.db, now)
        (dearest,) = book.db.execute(
            "SELECT session.name, sum(response.cost) AS spent FROM response JOIN session ON session.id = session "
            "WHERE at >= ? GROUP BY session ORDER BY spent DESC LIMIT 1", (now // DAY * DAY,)).fetchall()  # fmt: skip
        if name != "b" and name != "d":  # two that cost the same: either
            assert money.dearest_today() == fresh.dearest_today() == dearest


def test_a_new_day_begins_at_nothing(book):
    now = START + 50_000
    spend(book, now, "a")
    money = MoneyTracker()
    money.begin(book.db, now + DAY)
    assert used(money, book)["d"] == 0
    (row, *_) = money.budgets(book.history.sessions.values(), set(), set(), DAILY)
    assert row.resets_at == (now // DAY + 2) * DAY


def test_the_past_is_learned_in_slices_and_forecasts_follow(book):
    now = START + 50 * DAY
    for n in range(45):
        spend(book, START + n * DAY + 36_000, f"m{n}")
    money = MoneyTracker()
    money.begin(book.db, now)
    assert money.forecasts(None, now) == {}
    for _ in range(10):
        money.learn()
    assert len(money.past.days) == 50
    assert sum(money.past.days) == pytest.approx(cost(book, 0) / PICO)
    assert all(len(slots) == DAY_SLOTS for slots in money.past.slots)
    found = money.forecasts(money.block((), now), now)
    assert found.keys() == {"day", "month"}
    assert found["month"].usd >= sum(money.past.days[-10:]) / 2
    assert found["month"].ends_at > now


def test_days_before_a_long_break_are_what_a_forecast_is_tested_on(book):
    for n in range(30):
        spend(book, START + n * DAY + 36_000, f"m{n}")
    money = MoneyTracker()
    money.begin(book.db, START + 200 * DAY)
    while not money.learned:
        money.learn()
    assert sum(map(sum, money.past.slots)) == pytest.approx(cost(book, 0) / PICO)
    assert len(money.past.slots) == 200
    assert (
        money.forecasts(None, START + 200 * DAY + 40_000)["day"].tested == (30 - 21) * 5
    )  # three of each weekday are known


@pytest.mark.parametrize("hour", [1, 9, 13, 18, 20, 23])
def test_a_period_never_ends_below_a_shorter_one_inside_it(book, hour):
    now = START + 9 * DAY + hour * 3600 + 1700
    spend(book, START + 5 * DAY, "before")
    spend(book, now - 1500, "a")
    money = MoneyTracker()
    money.begin(book.db, now)
    while not money.learned:
        money.learn()
    found = money.forecasts(money.block((), now), now)
    inside = found["block"].ends_at <= found["day"].ends_at
    assert inside == (hour < 20)
    assert not inside or found["day"].usd >= found["block"].usd - 1e-9
    assert found["month"].usd >= found["day"].usd + sum(money.past.days) - 1e-9


def test_what_a_first_reading_brings_after_the_day_began_is_learned_too(book):
    now = START + 9 * DAY + 50_000
    money = MoneyTracker()
    money.begin(book.db, now)
    while not money.learned:
        money.learn()
    assert money.past.days == []
    for n in range(9):
        money.fold(spend(book, now - (9 - n) * DAY, f"m{n}"), book.history.sessions.values())
    money.fold(spend(book, now, "today"), book.history.sessions.values())
    assert not money.learned
    while not money.learned:
        money.learn()
    assert sum(money.past.days) == pytest.approx(cost(book, 0) / PICO - cost(book, now) / PICO)
    found = money.forecasts(None, now)
    assert found["day"].usd >= cost(book, now // DAY * DAY) / PICO
    assert found["month"].usd >= cost(book, 0) / PICO - 1e-9


def test_a_forecast_stays_while_a_changed_past_is_learned_again(book):
    now = START + 9 * DAY + 50_000
    spend(book, now - DAY, "old")
    money = MoneyTracker()
    money.begin(book.db, now)
    while not money.learned:
        money.learn()
    money.fold(spend(book, now - 2 * DAY, "older"), book.history.sessions.values())
    assert money.forecasts(None, now).keys() == {"day", "month"}


class Held:
    """A history that another program holds from the nth question on."""

    def __init__(self, db, questions):
        self.db, self.left = db, questions

    def execute(self, *given):
        self.left -= 1
        if self.left < 0:
            raise sqlite3.OperationalError("database is locked")
        return self.db.execute(*given)


@pytest.mark.parametrize("questions", range(5))
def test_a_day_that_cannot_begin_leaves_every_sum_as_it_was(book, questions):
    now = START + 9 * DAY + 50_000
    for n in range(9, -1, -1):
        spend(book, now - n * DAY, f"old{n}")
    money = MoneyTracker()
    money.begin(book.db, now)
    while not money.learned:
        money.learn()
    block = money.block((), now + 60)
    before = used(money, book), money.forecasts(block, now + 60)
    with pytest.raises(sqlite3.OperationalError):
        money.begin(Held(book.db, questions), now + 60)
    assert (used(money, book), money.forecasts(block, now + 60)) == before


def test_side_calls_alone_are_a_part_of_the_block(book):
    now = START + 9 * DAY + 50_000
    spend(book, now - 2000, "a")
    book.apply(ClientTotals(SESSIONS[0], now - 10, 5.0))
    book.commit()
    money = MoneyTracker()
    money.begin(book.db, now)
    assert money.block((), now).spent_usd == pytest.approx(5.0)


@examples(40)
@given(st.data())
def test_no_forecast_is_below_what_its_period_has_spent_at_any_moment_of_a_first_reading(data):
    """Days of the past arrive in any order, while the past is learned, by counted responses and by side calls."""
    now = START + data.draw(st.integers(9, 40)) * DAY + data.draw(st.integers(0, DAY - 1))
    book, money = Book(), MoneyTracker()
    money.begin(book.db, now)
    for number in range(data.draw(st.integers(1, 12))):
        back = data.draw(st.sampled_from([0, 0, 1, 600, 4000, 20_000, DAY, 3 * DAY, 8 * DAY, 20 * DAY]))
        session = data.draw(st.sampled_from(SESSIONS))
        if data.draw(st.booleans()):
            changes = spend(book, now - back, f"m{number}", session)
        else:
            book.apply(ClientTotals(session, now - back, data.draw(st.floats(0, 50))))
            changes = book.commit()
        money.fold(changes, book.history.sessions.values())
        if data.draw(st.booleans()):
            for _ in range(data.draw(st.integers(0, 12))):
                money.learn()
        block = money.block((), now)
        found = money.forecasts(block, now)
        spent = used(money, book)
        for name, budget in (("day", "d"), ("month", "m")):
            assert name not in found or found[name].usd >= spent[budget] / PICO - 1e-9
        if block is not None and "block" in found:
            assert found["block"].usd >= block.spent_usd - 1e-9
    book.db.close()


def test_the_month_holds_what_a_first_reading_brought_before_the_past_is_learned_again(book):
    now = START + 9 * DAY + 50_000
    spend(book, now - 600, "today")
    money = MoneyTracker()
    money.begin(book.db, now)
    while not money.learned:
        money.learn()
    for n in range(1, 9):
        money.fold(spend(book, now - n * DAY, f"old{n}"), book.history.sessions.values())
    found = money.forecasts(None, now)
    rest_of_today = found["day"].usd - used(money, book)["d"] / PICO
    assert rest_of_today > 0
    assert found["month"].usd >= used(money, book)["m"] / PICO + rest_of_today - 1e-9


def test_the_block_is_an_estimate_until_the_client_tells_its_reset(book):
    now = START // 3600 * 3600 + 1800
    spend(book, now, "a")
    money = MoneyTracker()
    money.begin(book.db, now)
    block = money.block((), now + 60)
    assert (block.started_at, block.estimated, block.requests) == (now - 1800, True, 1)
    told = Limit("claude-code", None, "five_hour", 300, 12.0, now + 7200.0, "client", now)
    official = money.block((told,), now + 60)
    assert (official.ends_at, official.estimated, official.cost_usd) == (
        now + 7200,
        False,
        block.cost_usd,
    )


def test_tags_of_all_kinds_reach_the_budgets(book):
    now = START + 50_000
    spend(book, now, "a")
    wanted = config("[budgets.b]\nperiod = 'day'\nlimit_usd = 1\ntag = 'x'\n[tags.x]\nfolders = ['/work']")
    money = MoneyTracker()
    money.begin(book.db, now)
    assert used(money, book, wanted)["b"] > 0
    money.tags_by_hand = {SESSIONS[0]: "y"}
    assert used(money, book, wanted)["b"] == 0


def test_nothing_is_asked_of_a_configuration_without_budgets(book):
    money = MoneyTracker()
    money.begin(book.db, START)
    assert money.budgets((), set(), set(), Config()) == []


def test_the_listener_publishes_budgets_tags_block_and_forecast(home, listener, tmp_path, monkeypatch):
    claude = tmp_path / "claude" / "projects" / "-w"
    claude.mkdir(parents=True)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    settings = tmp_path / "config.toml"
    settings.write_text(
        "[budgets.tiny]\nperiod = 'day'\nlimit_usd = 0.01\n[budgets.each]\nperiod = 'session'\nlimit_usd = 99"
    )
    monkeypatch.setenv("AITOP_CONFIG", str(settings))
    now = time.time()
    (claude / f"{SESSIONS[0]}.jsonl").write_bytes(
        encode([assistant("m", now - 5, session=SESSIONS[0], model=MODEL, usage=usage(1000))])
    )
    tags_file.write(home, {SESSIONS[0]: "mine"})
    listener.start()
    state = listener.wait_for(lambda s: s["forecast"] and s["budgets"] and s["budgets"][0]["used_usd"] > 0)
    tiny, each = state["budgets"]
    assert tiny["used_usd"] == pytest.approx(state["today"]["cost_usd"])
    assert (tiny["level"], tiny["over"]) == ("critical", True)
    assert (each["level"], each["session"]) == ("ok", SESSIONS[0])
    assert state["sessions"][0]["tag"] == "mine"
    assert state["block"]["requests"] == 1
    assert state["forecast"]["day"]["usd"] >= state["today"]["cost_usd"]
    tags_file.write(home, {SESSIONS[0]: "other"})
    os.kill(listener.pid, 1)
    listener.wait_for(lambda s: s["sessions"][0]["tag"] == "other")
    assert json.dumps(state)
