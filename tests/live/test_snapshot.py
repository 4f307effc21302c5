"""One moment frozen: who works, whose context is shown and how large it is, what the client counts beyond us."""

import pytest

from aitop.config import Config
from aitop.history.rows import Session
from aitop.live.aggregator import Aggregator, Day
from aitop.live.money.tracker import MoneyTracker
from aitop.live.snapshot import Lookups, ProjectToday, project, take
from aitop.model.events import Limit
from aitop.model.sums import ZERO

NOW = 1_790_000_000.0


def lookups(alive=(), limits=None):
    return Lookups(lambda pid: pid in alive, lambda _, model: (limits or {}).get(model))


def session(name="s", last=NOW, status=None, **more):
    found = Session(1, "claude-code", name)
    found.last_at, found.status = last, status
    for key, value in more.items():
        setattr(found, key, value)
    return found


def begun():
    aggregator = Aggregator(NOW)
    aggregator.begin_day(Day({"today": 0.0, "week": 0.0, "month": 0.0}))
    return aggregator


def snapshot(*sessions, alive=(), limits=None, now=NOW):
    aggregator = begun()
    return frozen(aggregator, sessions, lookups(alive, limits), now)


def frozen(aggregator, sessions, known, now):
    return take(aggregator, MoneyTracker(), sessions, before=(), config=Config(), lookups=known, now=now)


def view(*args, **more):
    (found,) = snapshot(session(*args), **more).sessions
    return found


@pytest.mark.parametrize(
    ("told", "quiet", "pid", "alive", "status"),
    [("working", 5, None, False, "working"), ("working", 599, None, False, "working"),
     ("working", 601, None, False, "idle"), ("working", 601, 7, True, "working"), ("working", 20, 7, False, "ended"),
     ("working", 5, 7, False, "working"),
     ("waiting", 599, None, False, "waiting"), ("waiting", 601, None, False, "idle"),
     ("waiting", 5, 7, True, "waiting"), ("waiting", 3000, 7, True, "waiting"), ("waiting", 4000, 7, True, "idle"),
     ("idle", 5, None, False, "idle"), ("idle", 3700, None, False, "ended"), ("idle", 99_999, 7, True, "idle"),
     ("ended", 1, 7, True, "ended"), (None, 1, None, False, "idle"), (None, 9999, None, False, "ended")],
)  # fmt: skip
def test_the_status_is_what_was_told_weighed_by_process_and_clock(told, quiet, pid, alive, status):
    one = session(last=NOW - quiet, status=told, pid=pid)
    (found,) = snapshot(one, alive={7} if alive else ()).sessions
    assert found.status == status, "the rule is in live/session_activity.py"


@pytest.mark.parametrize("status", ["working", "waiting", "idle"])
def test_a_process_that_was_never_seen_here_proves_nothing(status):
    one = session(last=NOW - 300, status=status, pid=7)
    known = Lookups(lambda _pid: None, lambda *_: None)
    (found,) = frozen(begun(), [one], known, NOW).sessions
    assert (found.status, found.active) == (status, True)


def test_the_gauge_is_of_the_newest_working_main_thread():
    sessions = [
        session("old", NOW - 60, "working", context_tokens=10),
        session("new", NOW - 5, "working", context_tokens=50_000),
        session("idle", NOW, "idle", context_tokens=99),
        session("bare", NOW, "working"),
    ]
    gauge = snapshot(*sessions).gauge
    assert (gauge.session, gauge.tokens, gauge.limit, gauge.percent) == ("new", 50_000, 200_000, 25.0)


def test_while_none_works_the_gauge_is_of_the_newest_active_one_and_then_of_none():
    idle = session("idle", NOW - 5, "idle", context_tokens=99)
    assert snapshot(idle).gauge.session == "idle"
    assert snapshot(idle, now=NOW + 700).gauge is None
    assert snapshot().gauge is None


def limit_of(tokens, limits=None, **more):
    (found,) = snapshot(session(context_tokens=tokens, model="m", **more), limits=limits).sessions
    return found.context_limit, found.context_percent


def test_the_context_limit_is_the_client_s_then_the_model_s_then_the_usual():
    assert limit_of(100_000) == (200_000, 50.0)
    assert limit_of(100_000, {"m": 400_000}) == (400_000, 25.0)
    assert limit_of(100_000, {"m": 400_000}, context_limit=1_000_000) == (1_000_000, 10.0)
    assert limit_of(None) == (200_000, None)


def test_a_window_named_for_another_model_is_not_this_ones():
    assert limit_of(100_000, {"m": 200_000}, context_limit=1_000_000, context_model="large") == (
        200_000,
        50.0,
    )
    assert limit_of(100_000, {"m": 200_000}, context_limit=1_000_000, context_model="m") == (1_000_000, 10.0)


def test_a_context_beyond_its_limit_shows_that_the_limit_is_larger():
    assert limit_of(250_000) == (1_000_000, 25.0)
    assert limit_of(2_000_000) == (1_000_000, 100.0)


def test_the_fifty_newest_sessions_are_shown_newest_first():
    found = snapshot(*[session(str(n), NOW - n) for n in range(80)]).sessions
    assert [v.session.name for v in found] == [str(n) for n in range(50)]


def test_active_are_those_that_work_wait_or_have_just_come_to_rest():
    sessions = [session("a", NOW - 5, "working"), session("b", NOW - 5, "idle"), session("c", NOW - 700, "idle"),
                session("d", NOW - 5, "ended")]  # fmt: skip
    assert snapshot(*sessions).active == 2


def test_active_sessions_are_counted_beyond_those_that_are_listed():
    found = snapshot(*(session(f"s{n}", NOW - n, "working") for n in range(70)))
    assert (len(found.sessions), found.active) == (50, 70)


def test_a_limit_that_was_reset_is_not_shown():
    aggregator = Aggregator(NOW)
    aggregator.begin_day(Day({"today": 0.0, "week": 0.0, "month": 0.0}))
    for name, resets in (("five_hour", NOW), ("seven_day", NOW + 1)):
        aggregator.limits["claude-code", "", name] = Limit(
            "claude-code", None, name, 300, 5.0, resets, "client", NOW
        )
    assert [limit.name for limit in frozen(aggregator, (), lookups(), NOW).limits] == ["seven_day"]


def test_a_session_is_known_by_its_folder_s_name():
    def name(folder):
        return project(snapshot(session("0123456789", cwd=folder)).sessions[0])

    assert name("/home/me/shop/") == "shop"
    assert name("C:\\work\\shop") == "shop"
    assert name(None) == "01234567"
    assert name("/") == "01234567"


def test_a_worktrees_session_and_its_money_belong_to_the_folder_of_its_repository():
    known = lookups()._replace(repository={"/w/fix": "/w/shop"}.get)
    worktree = session(cwd="/w/fix")
    today = [ProjectToday("claude-code", "/w/fix", ZERO._replace(untracked=5))]
    found = take(
        begun(),
        MoneyTracker(),
        [worktree],
        before=(),
        projects=today,
        config=Config(),
        lookups=known,
        now=NOW,
    )
    assert [(one.folder, project(one)) for one in found.sessions] == [("/w/shop", "shop")]
    assert [one.cwd for one in found.projects] == ["/w/shop"]
