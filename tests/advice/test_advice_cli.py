"""`aitop advise` over real transcripts: what it reads, prints, leaves out and refuses."""

import json
import os
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from support.lines import OTHER, SESSION, append, assistant, compact, result, transcript, usage, use, user
from support.worlds import Book

from aitop.advice import all_rules, record

NOW = time.time()
START = NOW - 5 * 86_400


@pytest.fixture
def claude(tmp_path):
    return str(tmp_path / "user" / ".claude")


def run(*words, command="advise", **more):
    environ = os.environ | {"PYTHONPATH": ROOT} | more
    return subprocess.run([sys.executable, "-m", "aitop", command, *words], env=environ, capture_output=True, text=True,
                          timeout=30)  # fmt: skip


def written_again(claude, at=START):
    """100K tokens in the cache and a minute later 100K written again at opus-4-6: 0.575 beyond reading them."""
    return transcript(claude, [
        user(at=at),
        assistant("a", at + 1, request_id="ra", usage=usage(5, 10, 0, 100_000)),
        assistant("b", at + 61, request_id="rb", usage=usage(5, 10, 0, 101_000)),
    ])  # fmt: skip


def findings(*words, **more):
    found = run("--json", *words, **more)
    assert (found.returncode, found.stderr) == (0, "")
    return json.loads(found.stdout)


def test_a_finding_tells_evidence_saving_advice_and_check(claude):
    written_again(claude)
    (found,) = findings("--rule", "cache-lost")
    assert found["saving_usd"] == 0.575
    assert found["rule"] == "cache-lost"
    assert found["count"] == 1
    assert found["examples"] == [
        {"session": SESSION, "project": "shop", "at": pytest.approx(START + 61, abs=0.01), "saving_usd": 0.575,
         "tokens": 100_000, "about": "system prompt"}
    ]  # fmt: skip
    assert all(found[key] for key in ("evidence", "advice", "check", "about"))


def test_a_person_reads_the_same(claude):
    written_again(claude)
    shown = run("--rule", "cache-lost").stdout
    assert shown.startswith("cache-lost: $0.57")
    assert "100K tokens" in shown
    assert f"{SESSION[:8]} shop" in shown


@pytest.mark.slow
def test_with_nothing_to_say_it_is_silent(claude):
    transcript(claude, [user(at=START), assistant("a", START + 1)])
    found = run()
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert findings() == []


@pytest.mark.slow
def test_only_the_days_asked_for_are_looked_at(claude):
    written_again(claude, NOW - 40 * 86_400)
    day = time.strftime("%Y-%m-%d", time.localtime(NOW - 40 * 86_400))
    after = time.strftime("%Y-%m-%d", time.localtime(NOW - 38 * 86_400))
    assert findings("--rule", "cache-lost") == []  # 30 days unless told otherwise
    assert len(findings("--rule", "cache-lost", "--since", day)) == 1
    assert findings("--rule", "cache-lost", "--since", after) == []


@pytest.mark.slow
def test_a_rule_is_switched_off_in_the_configuration_and_still_answers_by_name(claude, tmp_path):
    written_again(claude)
    settings = tmp_path / "config.toml"
    settings.write_text('[advise]\ndisable = ["cache-lost"]\n')
    assert "cache-lost" not in [one["rule"] for one in findings(AITOP_CONFIG=str(settings))]
    assert len(findings("--rule", "cache-lost", AITOP_CONFIG=str(settings))) == 1
    settings.write_text("[advise]\nleast_usd = 0.6\n")
    assert findings("--rule", "cache-lost", AITOP_CONFIG=str(settings)) == []


@pytest.mark.slow
def test_wrong_usage_says_what_to_do(tmp_path):
    for words, text in (
        (["--rule", "magic"], "aitop advise --rules"),
        (["--since", "soon"], "2026-01-31"),
        (["--since", "2026-02-01", "--until", "2026-01-01"], "--until lies before --since"),
    ):
        found = run(*words)
        assert found.returncode == 2
        assert text in found.stderr
    settings = tmp_path / "config.toml"
    settings.write_text('[advise]\ndisable = ["magic"]\n')
    assert "advise.disable" in run(AITOP_CONFIG=str(settings)).stderr


def test_every_rule_is_listed():
    shown = run("--rules").stdout.splitlines()
    assert [line.split()[0] for line in shown] == [rule.id for rule in all_rules.RULES]


def test_a_record_holds_a_session_s_requests_tools_and_compactions_in_order():
    book = Book()
    book.feed(f"/p/-w/{SESSION}.jsonl", [
        user(at=1_790_000_000.0),
        assistant("a", 1_790_000_010.0, request_id="ra", content=[use("t1", "Read")], usage=usage(5, 10, 20, 30)),
        result("t1", 1_790_000_011.0, failed=True), compact(at=1_790_000_020.0),
    ])  # fmt: skip
    book.feed(f"/p/-w/{OTHER}.jsonl", [user(at=1_790_000_000.0, session=OTHER),
                                       assistant("b", 1_790_000_005.0, request_id="rb", session=OTHER)])  # fmt: skip
    book.commit()
    one, other = record.sessions(book.db, None, None)
    assert (one.name, other.name) == (SESSION, OTHER)
    (call,) = one.calls
    assert (call.at, call.cached, call.usage.output_tokens, call.priced) == (1_790_000_010.0, 50, 5, True)
    assert [(tool.name, tool.failed) for tool in one.tools] == [("Read", True)]
    assert one.compactions == [1_790_000_020.0]
    assert [found.name for found in record.sessions(book.db, 1_790_000_006.0, None)] == [SESSION]
    assert [found.name for found in record.sessions(book.db, None, 1_790_000_006.0)] == [OTHER]


def test_a_session_that_goes_on_is_judged_with_what_is_new(claude):
    path = transcript(claude, [user(at=START), assistant("a", START + 1, usage=usage(5, 10, 0, 100_000))])
    assert findings("--rule", "cache-lost") == []
    append(path, assistant("b", START + 61, request_id="rb", usage=usage(5, 10, 0, 101_000)))
    assert len(findings("--rule", "cache-lost")) == 1
