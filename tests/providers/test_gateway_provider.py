"""Lines of the journal: one finished request each, counted once, written by many, read by a listener."""

import json
import multiprocessing
import os
import stat
import time

import pytest
from support.desk import START, Desk, write
from support.published import NOWHERE

from aitop.gateway import journal
from aitop.model.events import Response, Usage
from aitop.providers import load
from aitop.providers.gateway import litellm, ollama, openai
from aitop.providers.gateway.entry import Entry, Tokens, to_line

SESSION = "openai-python/openai/2026-09-21"
MODEL = "gpt-5"
TOKENS = Tokens(input=1000, output=50, cache_read=600, reasoning=20)


def line(identity="a1", at=0.0, **more):
    facts = {"tokens": TOKENS, "stop_reason": "stop", "model": MODEL, **more}
    return to_line(Entry(identity, START + at, SESSION, facts.pop("model"), **facts))


def path(tmp_path, name="2026-09-21.jsonl"):
    return str(tmp_path / "gateway" / "openai" / name)


@pytest.fixture
def desk(tmp_path):
    return Desk(openai, *openai.folders([], {"AITOP_HOME": str(tmp_path)}))


def timed(desk):
    return desk.db.execute("SELECT duration_ms, ttft_ms FROM response").fetchall()


def test_cached_tokens_are_a_part_of_the_input_and_priced_as_such(tmp_path, desk):
    write(path(tmp_path), line())
    total = desk.read().total(SESSION)
    assert (total.requests, total.uncached_input_tokens, total.cache_read_tokens, total.output_tokens) == (
        1,
        400,
        600,
        50,
    )
    assert desk.cost(SESSION) == pytest.approx((400 * 1.25 + 600 * 0.125 + 50 * 10) / 1e6)
    assert desk.db.execute("SELECT reasoning FROM response").fetchone() == (20,)


def test_a_line_read_twice_counts_once(tmp_path, desk):
    write(path(tmp_path), line(), line(), line("a2", 5))
    write(path(tmp_path, "2026-09-22.jsonl"), line("a2", 5))
    assert desk.read().total(SESSION).requests == 2


def test_a_response_of_one_api_id_counts_once_however_it_was_told(tmp_path, desk):
    name = "resp_0123456789abcdefghijklmn"
    write(
        path(tmp_path), line(response_id=name, tokens=None, stop_reason=None), line("a2", 9, response_id=name)
    )
    total = desk.read().total(SESSION)
    assert (total.requests, total.unpriced_requests, total.output_tokens) == (1, 0, 50)


def held(desk):
    """(provider, session, requests) of every session that holds one."""
    rows = desk.db.execute(
        "SELECT s.provider, s.name, count(*) FROM response r JOIN session s ON s.id = r.session GROUP BY s.id"
    )
    return sorted(tuple(row) for row in rows)


@pytest.mark.parametrize("first", ["journal", "telemetry"])
def test_a_response_that_telemetry_tells_of_too_counts_once_and_stays_the_journals(tmp_path, desk, first):
    name = "resp_0123456789abcdefghijklmn"
    usage = Usage(uncached_input_tokens=400, cache_read_tokens=600, output_tokens=50)
    told = [Response("svc", START + 1, MODEL, usage, name, stop_reason="stop")]
    write(path(tmp_path), line("a0", response_id="resp_other_0123456789abcdef"), line(response_id=name))
    if first == "journal":
        desk.read()
    desk.history.apply("otel", told, START + 2)
    desk.read()
    assert held(desk) == [("openai", SESSION, 2)]


def test_a_response_in_two_days_files_stays_with_its_own_session(tmp_path, desk):
    """The file of a day holds many sessions; which one is first in it says nothing."""
    name = "resp_0123456789abcdefghijklmn"
    other = to_line(Entry("b1", START, "curl/openai/2026-09-21", MODEL, TOKENS, "stop"))
    write(path(tmp_path), other, line(at=1, response_id=name, tokens=None, stop_reason=None))
    write(path(tmp_path, "2026-09-22.jsonl"), line("a2", 9, response_id=name))
    desk.read()
    assert held(desk) == [("openai", "curl/openai/2026-09-21", 1), ("openai", SESSION, 1)]


@pytest.mark.parametrize("name", ["chatcmpl-12", "chatcmpl-default-stream-id"])
def test_an_id_that_a_server_at_home_gives_to_many_is_not_taken_for_unique(tmp_path, desk, name):
    write(path(tmp_path), line(response_id=name), line("a2", 5, response_id=name))
    assert desk.read().total(SESSION).requests == 2


def test_unknown_tokens_are_unpriced_under_a_name_that_says_why(tmp_path, desk):
    write(path(tmp_path), line(tokens=None, model="anthropic/claude-opus-5"))
    total = desk.read().total(SESSION)
    assert (total.requests, total.unpriced_requests, total.cost) == (1, 1, 0)
    assert desk.changes.models == {("no usage: claude-opus-5", 2)}


def test_what_ran_on_the_own_machine_is_free_and_priced(tmp_path, desk):
    write(
        path(tmp_path), line(model="qwen3", local=True), line("a2", 5, model="qwen3", local=True, tokens=None)
    )
    total = desk.read().total(SESSION)
    assert (total.requests, total.cost, total.unpriced_requests, total.input_tokens) == (2, 0, 0, 1000)


def test_what_was_billed_beats_the_price_table(tmp_path, desk):
    write(path(tmp_path), line(billed_usd=0.25))
    assert desk.read().cost(SESSION) == pytest.approx(0.25)


def test_how_long_it_took_is_kept(tmp_path, desk):
    write(path(tmp_path), line(duration_ms=930.5, ttft_ms=120.25))
    desk.read()
    assert timed(desk) == [(930.5, 120.25)]


def test_a_failed_request_is_an_error_and_no_request(tmp_path, desk):
    write(path(tmp_path), line(tokens=None, stop_reason=None, error="http_429"))
    total = desk.read().total(SESSION)
    assert (total.requests, total.errors) == (0, 1)


def test_one_that_was_broken_off_is_incomplete(tmp_path, desk):
    write(path(tmp_path), line(stop_reason=None))
    assert desk.read(START + 100).total(SESSION).incomplete_requests == 1


def test_cut_off_at_its_limit_has_the_word_that_alerts_know(tmp_path, desk):
    write(path(tmp_path), line(stop_reason="length"), line("a2", 5, stop_reason="max_output_tokens"))
    assert desk.read().session(SESSION).stop_reasons == {"max_tokens": 2}


def test_damage_costs_its_own_line_and_no_more(tmp_path, desk):
    write(path(tmp_path), line(), b"{half a li\n", b"[]\n", b'{"id": "x"}\n', b"\n", line("a2", 5))
    assert desk.read().total(SESSION).requests == 2
    assert desk.history.bad_lines == 3


def test_a_session_without_a_folder_is_called_by_its_program(tmp_path, desk):
    from aitop.live.snapshot import project, view

    write(path(tmp_path), line())
    assert project(view(desk.read().session(SESSION), None, NOWHERE, 0.0)) == "openai-python"


def test_each_provider_reads_the_folder_of_its_name():
    environ = {"AITOP_HOME": "/h"}
    assert [one.folders([], environ) for one in (openai, ollama, litellm)] == [
        ["/h/gateway/openai"], ["/h/gateway/ollama"], ["/h/gateway/litellm"],
    ]  # fmt: skip
    assert {"openai", "ollama", "litellm"} <= {provider.name for provider in load.load()[0]}


# -- writing -------------------------------------------------------------------------------------------------


def entry(identity="a1"):
    return Entry(identity, START, SESSION, MODEL, TOKENS)


def today(home, now=START):
    return os.path.join(home, "gateway", "openai", f"{journal.day(now)}.jsonl")


def test_the_journal_is_the_users_alone(home):
    journal.append("openai", [entry()], START)
    assert stat.S_IMODE(os.stat(today(home)).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(today(home))).st_mode) == 0o700


def test_a_line_cut_by_a_full_disk_takes_no_other_with_it(home):
    journal.append("openai", [entry("a1")], START)
    with open(today(home), "ab") as file:
        file.write(b'{"v":1,"id":"half')
    journal.append("openai", [entry("a2")], START)
    with open(today(home), "rb") as file:
        lines = file.read().split(b"\n")
    assert [json.loads(lines[0])["id"], json.loads(lines[2])["id"], lines[3]] == ["a1", "a2", b""]


def _append(number):
    for one in range(200):
        journal.append("openai", [entry(f"{number}-{one}")], START)


@pytest.mark.slow
def test_many_processes_lose_no_line(home):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with open(today(home), "rb") as file:
        found = [json.loads(one)["id"] for one in file if one.strip()]
    assert sorted(found) == sorted(f"{number}-{one}" for number in range(4) for one in range(200))


def test_a_new_day_deletes_the_oldest_and_nothing_else(home):
    folder = os.path.dirname(today(home))
    os.makedirs(folder)
    kept = [os.path.basename(today(home, START - 86_400 * days)) for days in (1, 80)]
    for name in [*kept, os.path.basename(today(home, START - 86_400 * 95)), "0000-notes.jsonl"]:
        write(os.path.join(folder, name), b"")
    journal.append("openai", [entry()], START)
    assert sorted(os.listdir(folder)) == sorted([*kept, "0000-notes.jsonl", os.path.basename(today(home))])


def test_a_running_listener_shows_a_line_within_a_moment_and_nothing_is_lost_while_none_runs(home, listener):
    now = time.time()
    journal.append("ollama", [entry("a1")._replace(at=now, local=True, model="qwen3")], now)
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 1 and "ollama" in state["providers"])
    journal.append("ollama", [entry("a2")._replace(at=time.time(), local=True, model="qwen3")], now)
    state = listener.wait_for(lambda state: state["today"]["requests"] == 2)
    assert (state["today"]["cost_usd"], state["today"]["unpriced_requests"]) == (0, 0)
    listener.end(9)
    journal.append("openai", [entry("a3")._replace(at=time.time())], now)
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 3 and "openai" in state["providers"])
