"""Our days and months beside those of the real ccusage, on the same files: equal to the cent where it has a price.

Its known mistakes are in `scripts/compare_ccusage.py`, each with the reason it is one.
"""

import json
import os
import pwd
import random
import sys

import pytest
from golden.home import ROOT, need
from support.codex_records import CHILD, MODEL, PARENT, SIBLING, count, meta, tokens, turn
from support.lines import START, assistant, gave_up, transcript, usage, use

sys.path.insert(0, os.path.join(ROOT, "scripts"))
import compare_ccusage

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
DAY = 86_400
MODELS = (
    "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001", "claude-opus-4-1-20250805",
    "claude-opus-4-8", "claude-fable-5",
)  # fmt: skip


@pytest.fixture(autouse=True)
def ccusage(monkeypatch):
    need("npm")
    if "AITOP_PEERS" not in os.environ:  # HOME is the test's own: the user's cache is elsewhere
        mine = pwd.getpwuid(os.getuid()).pw_dir
        monkeypatch.setenv("AITOP_PEERS", os.path.join(mine, ".cache", "aitop-benchmarks"))
    for name in ("AITOP_HOME", "CLAUDE_CONFIG_DIR", "AITOP_CONFIG"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # the script sets them: put back afterwards


def response(draw, number, at, session, **more):
    """One response in as many lines as a client writes: its output grows, the last line is the record."""
    name, model = f"msg_{number:05d}", draw.choice(MODELS)
    writes = (draw.randrange(9_000), draw.randrange(9_000) if draw.random() < 0.4 else 0)
    made = {
        "cache_creation": {"ephemeral_5m_input_tokens": writes[0], "ephemeral_1h_input_tokens": writes[1]}
    }
    fresh, read, output = draw.randrange(500), draw.randrange(150_000), draw.randrange(4, 4_000)
    count = draw.choice((1, 1, 2, 3))
    if model == "claude-opus-4-8" and draw.random() < 0.2:
        made["speed"] = "fast"
    return [
        assistant(
            name, at + part, request_id=f"req_{number:05d}", session=session, model=model, uuid=f"{name}-{part}",
            usage=usage(output if part == count - 1 else 1 + part, fresh, read, sum(writes), **made),
            content=[use(f"toolu_{number}_{part}")], stop="tool_use" if part == count - 1 else None, **more,
        )
        for part in range(count)
    ]  # fmt: skip


def thirteen_months(root):
    """Sessions of thirteen months: sub-agents, forks that repeat their parent, failed requests, broken lines."""
    draw, number = random.Random(4), 0
    for day in range(0, 395, 3):
        session = f"{day:08d}-2222-4333-8444-555555555555"
        at, records = START - 395 * DAY + day * DAY + draw.randrange(DAY), []
        for _ in range(draw.randrange(2, 14)):
            number += 1
            records += response(draw, number, at, session)
            at += draw.randrange(5, 4_000)
        transcript(root, [*records, gave_up(f"x-{day}", at, session=session), b"no json\n"], session=session)
        if day % 4 == 0:
            number += 1
            parts = response(draw, number, at + 60, session, isSidechain=True, agentId="a1b2c3")
            transcript(root, parts, session=session, agent="a1b2c3")
        if day % 5 == 0:
            fork = f"{day:08d}-9999-4333-8444-555555555555"
            number += 1
            copies = [record | {"sessionId": fork, "uuid": f"f-{record['uuid']}"} for record in records]
            transcript(root, [*copies, *response(draw, number, at + 900, fork)], session=fork)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_every_day_and_month_of_every_priced_model_is_equal_to_the_cent(tmp_path, zone):
    thirteen_months(tmp_path)
    count, found = compare_ccusage.compare(str(tmp_path), zone)
    assert count > 400
    assert found == []


def test_what_ccusage_leaves_out_is_named_and_anything_else_is_not_excused(tmp_path):
    searched = usage(100, 10, server_tool_use={"web_search_requests": 3})
    long = usage(100, 250_000)
    transcript(tmp_path, [
        assistant("msg_1", START, request_id="r1", model="claude-haiku-4-5-20251001", usage=searched),
        assistant("msg_2", START, request_id="r2", model="claude-sonnet-4-5-20250929", usage=long),
        assistant("msg_3", START, request_id="r3", model="claude-opus-5-5", usage=usage(9000)),
    ])  # fmt: skip
    _, found = compare_ccusage.compare(str(tmp_path), "UTC")
    assert {(one.model, one.why) for one in found} == {
        ("claude-haiku-4-5-20251001", compare_ccusage.WHY["searches > 0"]),
        ("claude-sonnet-4-5-20250929", compare_ccusage.LONG),
        ("claude-opus-5-5", compare_ccusage.UNPRICED),
    }
    cell = {("2026-09-21", "claude-haiku-4-5-20251001"): 1.0}
    (unknown,) = compare_ccusage.differences(cell, {}, set(), {})
    assert unknown.why == ""


def rollout(root, thread, counts, at, **more):
    """A rollout of so many token counts, one a second."""
    used = [tokens(100 + n, 50, 10) for n in range(counts)]
    records = [meta(thread, at, **more), turn(at)]
    records += [count(used[n], *used[:n], at=at + n) for n in range(counts)]
    folder = root / "sessions" / "2026" / "09" / "21"
    folder.mkdir(parents=True, exist_ok=True)
    text = b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)
    (folder / f"rollout-2026-09-21T14-13-{int(at):02}-{thread}.jsonl").write_bytes(text)


def test_codex_and_a_fork_are_equal_to_the_token(tmp_path):
    rollout(tmp_path, PARENT, 3, 0)
    rollout(tmp_path, SIBLING, 3, 5, forked_from_id=PARENT)
    assert compare_ccusage.codex(str(tmp_path), "UTC") == (1, [])


def test_in_codex_what_a_rollout_repeats_of_another_is_excused_and_no_more(tmp_path, monkeypatch):
    rollout(tmp_path, PARENT, 3, 0)
    rollout(tmp_path, CHILD, 5, 10)
    mine = {("2026-09-21", MODEL): (510, 250, 50)}
    monkeypatch.setattr(compare_ccusage, "_codex_ours", lambda *_: mine)
    for more, why in ((303, compare_ccusage.REPEATED), (304, "")):
        his = {("2026-09-21", MODEL): (510 + more, 400, 80)}
        monkeypatch.setattr(compare_ccusage, "_codex_theirs", lambda *_, his=his: his)
        assert [one.why for one in compare_ccusage.codex(str(tmp_path), "UTC")[1]] == [why]


def test_a_difference_in_codex_without_a_repeat_has_no_excuse(tmp_path, monkeypatch):
    rollout(tmp_path, PARENT, 3, 0)
    monkeypatch.setattr(compare_ccusage, "_codex_ours", lambda *_: {})
    (one,) = compare_ccusage.codex(str(tmp_path), "UTC")[1]
    assert (one.theirs, one.why) == (303, "")
