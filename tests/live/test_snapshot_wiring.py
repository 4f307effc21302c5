"""Every fact of a moment goes into the field of its name: each has a value that no other one has."""

import pytest

from aitop.config import Config
from aitop.history.rows import Session
from aitop.history.write.ledger import nothing
from aitop.live import alerts, snapshot
from aitop.live.aggregator import Aggregator, Day
from aitop.live.alerts import Alert, Evidence, SessionEvidence
from aitop.live.money.burn import BurnThresholds, BurnView
from aitop.live.snapshot import Gauge, Lookups, ProjectToday, ProviderView, SessionView, Snapshot, ToolView
from aitop.model.events import CacheState, Limit
from aitop.model.sums import PICO, Sum

NOW = 1_790_000_000.0 - 1_790_000_000.0 % 3600 + 1800
LIMIT = Limit("claude-code", None, "five_hour", 300, 31.0, NOW + 3_000, "statusline", NOW - 32)
SPENT_LIMIT = Limit("claude-code", None, "seven_day", 10_080, 33.0, NOW - 34, "statusline", NOW - 35)
RAISED = Alert("burn", "warning", "a text", NOW - 36)
WORKING, WAITING, ALSO_WAITING = 1, 2, 3


def spent(dollars, requests):
    return Sum(requests=requests, cost=dollars * PICO)


class Money:
    """A tracker that answers each question with something of its own."""

    burn = BurnThresholds(41.0, 42.0, learned=True)

    def tag(self, session, config):
        return f"tag of {session.name}"

    def block(self, official, now):
        return "the block"

    def budgets(self, sessions, active, shown, config):
        return ["a budget"]

    def dearest_today(self):
        return ("dearest", 43)

    def limits(self, official, config, now):
        return ["a judged limit"]

    def forecasts(self, block, now):
        return {"day": f"forecast of {block}"}

    def plan(self, config):
        return "the plan"


def session(identity, name, status, **facts):
    one = Session(identity, "claude-code", name)
    one.last_at, one.status, one.cwd = NOW - identity, status, f"/home/ada/{name}-folder"
    for key, value in facts.items():
        assert hasattr(one, key)
        setattr(one, key, value)
    return one


def aggregator():
    """Sums that differ in every window, session and period; what happened in the day, and before it."""
    one = Aggregator(NOW - 500)
    day = Day({"today": NOW - 1_900, "week": NOW - 2_000, "month": NOW - 2_100},
              {"today": spent(100, 200), "week": spent(1_000, 300), "month": spent(10_000, 400)},
              stop_reasons={"end_turn": 51}, tools=[("Bash", 52, 53, [54.0, 55.0])], compactions=56,
              tools_by_provider={"claude-code": {"Read": (141, 142)}},
              stops_by_provider={"claude-code": {"refusal": 143}}, past_days=(57, 58))  # fmt: skip
    one.begin_day(day)
    changes = nothing()
    changes.sums.extend([(NOW - 30, WORKING, spent(1, 2)), (NOW - 200, WORKING, spent(3, 5)),
                         (NOW - 700, WORKING, spent(7, 11)), (NOW - 700, WAITING, spent(13, 17))])  # fmt: skip
    changes.stops.extend([(NOW - 700, "max_tokens", 1, WORKING)] * 3)
    changes.limits.extend([LIMIT, SPENT_LIMIT])
    changes.models.update({("no-price", 2), ("family-price", 1)})
    one.fold(changes, lambda _: "claude-code", NOW)
    return one


@pytest.fixture
def taken(monkeypatch):
    """(the snapshot, the evidence that the alert rules got)."""
    handed = []

    def evaluate(before, config, now, evidence):
        handed.append(evidence)
        return (RAISED,)

    monkeypatch.setattr(alerts, "evaluate", evaluate)
    working = session(
        WORKING, "working-one", "working", context_tokens=61_000, compactions=62, lines=(63, NOW - 64, NOW - 65),
        status_at=NOW - 66, context_limit=67_000,
        cache=CacheState("working-one", NOW - 68, warm=True, expires_at=NOW + 69, ttl="5m", hit_ratio=0.5),
    )  # fmt: skip
    waiting = session(WAITING, "waiting-one", "waiting", compactions=70)
    also_waiting = session(ALSO_WAITING, "also-waiting", "waiting")
    snap = snapshot.take(
        aggregator(), Money(), [also_waiting, waiting, working], before=(),
        projects=[ProjectToday("claude-code", "/x", Sum(71))],
        config=Config(), lookups=Lookups(lambda _: None, lambda *_: None), now=NOW,
    )  # fmt: skip
    (evidence,) = handed
    return snap, evidence


def compare(found, wanted):
    """By name, so that a field without an expectation fails, and so does one with another's value."""
    assert set(wanted) == set(found._fields), "a field was added: give it a value of its own here"
    assert {name: getattr(found, name) for name in wanted} == wanted
    shown = [repr(value) for value in wanted.values()]
    assert len(set(shown)) == len(shown), "two fields have one value, so they could be exchanged unseen"


def test_every_fact_that_an_alert_reads_is_in_the_field_of_its_name(taken):
    _, evidence = taken
    compare(evidence._replace(sessions="below"), {
        "five_minutes": spent(4, 7),
        "fifteen_minutes": spent(24, 35),
        "burn": BurnThresholds(41.0, 42.0, learned=True),
        "context_percent": 100 * 61 / 67,
        "context_session": "working-one",
        "sessions": "below",
        "limits": (LIMIT, SPENT_LIMIT),
        "budgets": ("a budget",),
        "cut_off": 3,
        "day_started": NOW - 1_900,
        "today_spent": 124 * PICO,
        "dearest_today": ("dearest", 43),
        "past_days": (57, 58),
    })  # fmt: skip
    assert isinstance(evidence, Evidence)


def test_every_fact_of_a_session_that_an_alert_reads_is_in_the_field_of_its_name(taken):
    _, evidence = taken
    working, waiting, _ = evidence.sessions
    compare(working, {
        "name": "working-one",
        "project": "working-one-folder",
        "provider": "claude-code",
        "status": "working",
        "recent": spent(11, 18),
        "five_minutes": spent(4, 7),
        "context_tokens": 61_000,
        "context_limit": 67_000,
        "compactions": 62,
        "cache_expires_at": NOW + 69,
        "lines_changed": 63,
        "lines_since": NOW - 64,
        "lines_told": NOW - 65,
        "status_since": NOW - 66,
    })  # fmt: skip
    assert isinstance(working, SessionEvidence)
    assert (waiting.name, waiting.status, waiting.recent, waiting.compactions) == (
        "waiting-one", "waiting", spent(13, 17), 70
    )  # fmt: skip


def test_a_cold_cache_is_no_evidence():
    one = session(1, "s", "idle")
    one.cache = CacheState("s", NOW, warm=False, expires_at=NOW + 60, ttl=None, hit_ratio=None)
    view = snapshot.view(one, None, Lookups(lambda _: None, lambda *_: None), NOW)
    assert snapshot._evidence(view, Aggregator(NOW), NOW).cache_expires_at is None


def test_every_part_of_a_snapshot_is_in_the_field_of_its_name(taken):
    snap, _ = taken
    named = [one.session.name for one in snap.sessions]
    burning = BurnView(48.0, "5m", "warning", 41.0, 42.0, learned=True)
    compare(snap._replace(sums=snap.sums.windows["1m"], by_provider=set(snap.by_provider), sessions=named), {
        "at": NOW,
        "sums": spent(1, 2),
        "by_provider": {"claude-code"},
        "sessions": ["working-one", "waiting-one", "also-waiting"],
        "active": 3,
        "waiting": 2,
        "gauge": Gauge(61_000, 67_000, 100 * 61 / 67, "working-one"),
        "compactions": 56,
        "stop_reasons": {"end_turn": 51, "max_tokens": 3},
        "tools": {"Bash": ToolView(52, 53, 54.0, 55.0)},
        "projects": (ProjectToday("claude-code", "/x", Sum(71)),),
        "limits": ["a judged limit"],
        "block": "the block",
        "budgets": ["a budget"],
        "forecast": {"day": "forecast of the block"},
        "plan": "the plan",
        "burn": burning,
        "alerts": (RAISED,),
        "unpriced": ["no-price"],
        "estimated": ["family-price"],
    })  # fmt: skip
    assert isinstance(snap, Snapshot)


def test_every_part_of_one_client_is_in_the_field_of_its_name(taken):
    part = taken[0].by_provider["claude-code"]
    compare(part._replace(sums=part.sums.windows["15m"]), {
        "sums": spent(24, 35),
        "burn": BurnView(48.0, "5m", "critical", 41.0, 42.0, learned=True),
        "active": 3,
        "waiting": 2,
        "gauge": Gauge(61_000, 67_000, 100 * 61 / 67, "working-one"),
        "compactions": 132,
        "tools": {"Read": ToolView(141, 142, None, None)},
        "stop_reasons": {"refusal": 143, "max_tokens": 3},
    })  # fmt: skip
    assert isinstance(part, ProviderView)


def test_every_part_of_a_session_s_view_is_in_the_field_of_its_name(taken):
    view = taken[0].sessions[0]
    compare(view._replace(session=view.session.name), {
        "session": "working-one",
        "status": "working",
        "active": True,
        "tag": "tag of working-one",
        "folder": "/home/ada/working-one-folder",
        "context_limit": 67_000,
        "context_percent": 100 * 61 / 67,
    })  # fmt: skip
    assert isinstance(view, SessionView)


def test_every_sum_of_a_moment_is_of_the_window_or_period_of_its_name(taken):
    sums = taken[0].sums
    windows = {"1m": spent(1, 2), "5m": spent(4, 7), "15m": spent(24, 35)}
    assert sums.windows == windows
    assert sums.periods == {"today": spent(124, 235), "week": spent(1_024, 335), "month": spent(10_024, 435)}
    assert sums.since_start == spent(4, 7)


def test_a_waiting_session_counts_also_where_the_state_has_no_room_for_it(monkeypatch):
    monkeypatch.setattr(alerts, "evaluate", lambda *_: ())
    newer = [session(n, f"working-{n}", "working") for n in range(1, snapshot.MAX_LISTED_SESSIONS + 1)]
    beyond = session(len(newer) + 1, "waiting-one", "waiting")
    snap = snapshot.take(
        aggregator(), Money(), [beyond, *newer], before=(), config=Config(),
        lookups=Lookups(lambda _: None, lambda *_: None), now=NOW,
    )  # fmt: skip
    assert "waiting-one" not in [one.session.name for one in snap.sessions]
    counted = {"all clients": snap, "its client": snap.by_provider["claude-code"]}
    assert {of: (one.waiting, one.active) for of, one in counted.items()} == {
        of: (1, len(newer) + 1) for of in counted
    }, "`waiting` and `active` are of all sessions: `views` in live/snapshot.py, not `listed`"
