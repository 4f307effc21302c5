"""The trap that is each client's own: what would count twice, be lost, or be read as something else."""

import importlib
import json
import os
import sqlite3
import time
from datetime import UTC

import pytest
from support import client_samples as made
from support.client_samples import MODEL, MS, Documents, Store, Writing, write_document
from support.desk import START, Desk, write
from support.lines import stamp

from aitop.history.rows import MAX_CREDITS
from aitop.model.events import Response
from aitop.model.sums import MICRO, PICO, Sum
from aitop.providers import (
    Source,
    amp,
    cline,
    credit_rates,
    crush,
    droid,
    goose,
    grok,
    hermes,
    kimi,
    kiro,
    pi,
    qoder,
    sqlite_store,
    vibe,
    zed,
)
from aitop.providers.codex import usage
from aitop.providers.load import BUILTIN
from aitop.providers.running_sums import (
    UNKNOWN,
    Bearer,
    Sums,
    grown,
    known,
    micro,
    nano,
    packed,
    responses,
    running,
    unpacked,
)
from aitop.reports import groupings
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter


def requests(desk):
    """Session → requests, without sessions that have none."""
    return {name: total.requests for name, total in desk.totals().items() if total.requests}


# -- pi and its relatives -------------------------------------------------


def pi_file(tmp_path, session, *records):
    path = tmp_path / "sessions" / "--work--" / f"2026-09-21T14-13-20-000Z_{session}.jsonl"
    return write(str(path), *records)


def test_a_fork_of_pis_counts_its_copied_answers_for_the_original(tmp_path):
    fork = "02b33603-0000-4000-8000-000000000001"
    pi_file(
        tmp_path, fork, made.pi_head(fork, 60, parentSession="/x.jsonl"), *made.PI[2:], made.pi_answer(9, 70)
    )
    desk = Desk(pi.provider, tmp_path / "sessions").read()
    pi_file(tmp_path, made.PI_SESSION, *made.PI)
    assert requests(desk.read()) == {made.PI_SESSION: 2, fork: 1}


def test_an_answer_on_a_branch_that_was_left_was_paid(tmp_path):
    other = made.pi_answer(6, 9) | {"parentId": "a596f001"}
    pi_file(tmp_path, made.PI_SESSION, *made.PI, other)
    assert requests(Desk(pi.provider, tmp_path / "sessions").read()) == {made.PI_SESSION: 3}


def test_pis_own_cost_counts_only_where_the_model_has_no_price(tmp_path):
    unknown = json.loads(json.dumps(made.pi_answer(2, 2)).replace(MODEL, "mystery-model-9"))
    pi_file(tmp_path, made.PI_SESSION, made.pi_head(), unknown)
    desk = Desk(pi.provider, tmp_path / "sessions").read()
    assert desk.cost(made.PI_SESSION) == 0.25
    assert desk.total(made.PI_SESSION).client_priced_requests == 1


def test_a_failed_answer_of_pis_is_an_error_and_no_request(tmp_path):
    pi_file(tmp_path, made.PI_SESSION, made.pi_head(), made.pi_answer(2, 2, 0, 0, 0, why="error"))
    total = Desk(pi.provider, tmp_path / "sessions").read().total(made.PI_SESSION)
    assert (total.requests, total.errors) == (0, 1)


def test_a_value_that_is_nested_too_deeply_breaks_nothing(tmp_path):
    deep = b"[" * 900 + b"]" * 900
    compaction = b'{"type":"compaction","id":' + deep + b',"timestamp":"2026-09-21T14:13:25Z"}\n'
    pi_file(tmp_path, made.PI_SESSION, made.pi_head(), compaction, made.pi_answer(2, 2))
    desk = Desk(pi.provider, tmp_path / "sessions").read()
    assert requests(desk) == {made.PI_SESSION: 1}
    assert desk.ingest.unreadable == {}


def test_openclaws_reset_and_deleted_sessions_count_and_its_backups_do_not(tmp_path):
    folder = tmp_path / "agents" / "main" / "sessions"
    for number, ending in enumerate(
        (".jsonl.reset.2026-02-17T09-39-39.691Z", ".jsonl.deleted.2026-02-19", ".jsonl")
    ):
        session = f"0d9f6c11-0000-4000-8000-00000000000{number}"
        write(str(folder / f"{session}{ending}"), made.pi_head(session), made.pi_answer(2, number + 1))
    for ending in (".jsonl.bak", ".jsonl.full.bak", ".jsonl.reset.2026.bak", ".json"):
        write(
            str(folder / f"0d9f6c11-0000-4000-8000-000000000009{ending}"),
            made.pi_head("x"),
            made.pi_answer(2, 50),
        )
    assert len(requests(Desk(pi.openclaw, tmp_path / "agents").read())) == 3


def test_a_session_of_openclaws_that_is_renamed_counts_once(tmp_path):
    path = str(tmp_path / "agents" / "main" / "sessions" / f"{made.PI_SESSION}.jsonl")
    write(path, *made.PI)
    desk = Desk(pi.openclaw, tmp_path / "agents").read()
    os.rename(path, path + ".deleted.2026-02-19T08-59-24.951Z")
    assert requests(desk.read()) == {made.PI_SESSION: 2}


# -- Cline and its relatives ----------------------------------------------


def task(tmp_path, messages, editor="Code", extension="saoudrizwan.claude-dev"):
    folder = tmp_path / ".config" / editor / "User" / "globalStorage" / extension / "tasks" / made.TASK
    write_document(str(folder / "ui_messages.json"), messages)
    return folder


def cline_desk(tmp_path, provider=cline.cline):
    return Desk(provider, *provider.folders([], {"HOME": str(tmp_path)})).read()


def test_a_task_in_several_editors_counts_once(tmp_path):
    task(tmp_path, made.CLINE)
    task(tmp_path, made.CLINE[:2], editor="VSCodium")
    assert requests(cline_desk(tmp_path)) == {made.TASK: 2}


@pytest.mark.parametrize(
    ("provider_id", "fresh"), [("anthropic", 9000), ("openai", 3000), ("litellm", 3000), (None, 9000)]
)
def test_clines_input_holds_the_cache_for_some_of_its_api_providers(tmp_path, provider_id, fresh):
    request = made.cline_request(1, tokensIn=9000, tokensOut=5, cacheReads=6000, cacheWrites=0)
    request["modelInfo"] = {"modelId": MODEL, **({"providerId": provider_id} if provider_id else {})}
    task(tmp_path, [request])
    assert cline_desk(tmp_path).total(made.TASK).uncached_input_tokens == fresh


@pytest.mark.parametrize(
    ("at", "protocol", "whole", "fresh"),
    [(made.ROO_AT, "anthropic", 9000, 3000), (-86_400 * 400, "anthropic", 9000, 9000), (1, "openai", 9000, 3000),
     (made.ROO_AT, "anthropic", 50, 50)],
)  # fmt: skip
def test_roos_input_is_the_whole_prompt_since_a_day_and_never_below_its_cache(
    tmp_path, at, protocol, whole, fresh
):
    task(tmp_path, [made.roo_request(at, protocol, tokensIn=whole, tokensOut=5, cacheReads=6000, cacheWrites=0)],
         extension="rooveterinaryinc.roo-cline")  # fmt: skip
    assert cline_desk(tmp_path, cline.roo).total(made.TASK).uncached_input_tokens == fresh


def test_a_tasks_model_is_the_one_in_use_at_that_moment(tmp_path):
    first, second = (
        made.roo_request(1, None, tokensIn=9, tokensOut=5),
        made.roo_request(60, None, tokensIn=9, tokensOut=5),
    )
    folder = task(tmp_path, [first, second])
    used = [{"ts": MS + at * 1000, "model_id": name, "model_provider_id": "anthropic"}
            for at, name in ((0, "claude-sonnet-4-6"), (30, "claude-haiku-4-5"))]  # fmt: skip
    write_document(str(folder / "task_metadata.json"), {"model_usage": used})
    desk = cline_desk(tmp_path)
    assert {row[0] for row in desk.db.execute("SELECT name FROM model")} >= {
        "claude-sonnet-4-6",
        "claude-haiku-4-5",
    }


def test_a_request_that_is_under_way_counts_when_its_tokens_are_there(tmp_path):
    task(tmp_path, [made.cline_request(1)])
    desk = cline_desk(tmp_path)
    assert requests(desk) == {}
    assert desk.session(made.TASK).status == "working"
    task(
        tmp_path,
        [made.cline_request(1, tokensIn=9, tokensOut=5), made.cline_says(2, "ask", "completion_result")],
    )
    assert requests(desk.read()) == {made.TASK: 1}
    assert desk.session(made.TASK).status == "idle"


def test_a_sub_agent_of_clines_program_counts_once_and_to_its_parent(tmp_path):
    Writing(made.SAMPLES["cline-cli"][0], tmp_path).all()
    folder = tmp_path / ".cline" / "data" / "sessions" / made.CLINE_SESSION
    write_document(str(folder / "agent_1.messages.json"), {"messages": [made.cline_message(5, 500, 7, 100)]})
    desk = cline_desk(tmp_path, cline.program)
    total = desk.total(made.CLINE_SESSION)
    assert (total.requests, total.input_tokens, total.output_tokens) == (3, 19_000, 127)
    assert desk.session(made.CLINE_SESSION).agents == {"agent_1"}
    assert desk.session(made.CLINE_SESSION).pid == 27675


# -- Kimi -----------------------------------------------------------------


def kimi_file(tmp_path, *records, session=made.KIMI_SESSION, agent="main"):
    path = tmp_path / "sessions" / "wd_shop_1c89ce7306c3" / session / "agents" / agent / "wire.jsonl"
    return write(str(path), *records)


def test_a_session_scoped_record_counts_only_behind_a_request_of_its_own(tmp_path):
    kimi_file(tmp_path, made.kimi_request(1), made.kimi_usage(2), made.kimi_usage(3, 9999, scope="session"),
              made.kimi_request(4, kind="compaction"), made.kimi_usage(5, 700, scope="session"),
              made.kimi_usage(6, 9999, scope="session"))  # fmt: skip
    desk = Desk(kimi.provider, tmp_path / "sessions").read()
    assert desk.total(made.KIMI_SESSION).uncached_input_tokens == 3700


def test_kimis_real_model_is_the_requests_and_not_its_alias(tmp_path):
    kimi_file(tmp_path, made.kimi_request(1, "kimi-k2-thinking"), made.kimi_usage(2))
    assert (
        Desk(kimi.provider, tmp_path / "sessions").read().session(made.KIMI_SESSION).model
        == "kimi-k2-thinking"
    )


@pytest.mark.parametrize("fork", ["session_00000000", "session_ffffffff"])
def test_a_fork_of_kimis_counts_what_is_older_for_its_source(tmp_path, fork):
    kimi_file(tmp_path, *made.KIMI)
    path = kimi_file(tmp_path, *made.KIMI, made.kimi_request(60), made.kimi_usage(61, 5), session=fork)
    state = os.path.join(os.path.dirname(path), "..", "..", "state.json")
    write_document(
        state, {"id": fork, "forkedFrom": made.KIMI_SESSION, "createdAt": MS + 30_000, "cwd": "/work/shop"}
    )
    assert requests(Desk(kimi.provider, tmp_path / "sessions").read()) == {made.KIMI_SESSION: 3, fork: 1}


def test_the_older_kimi_cli_writes_seconds_and_a_status_for_each_call(tmp_path):
    usage = {"input_other": 10, "output": 5, "input_cache_read": 7, "input_cache_creation": 0}
    line = {
        "timestamp": START,
        "message": {"type": "StatusUpdate", "payload": {"message_id": "m1", "token_usage": usage}},
    }
    write(str(tmp_path / "sessions" / "ab" / "s1" / "wire.jsonl"), line, line)
    desk = Desk(kimi.provider, tmp_path / "sessions").read()
    assert requests(desk) == {"s1": 1}
    assert desk.total("s1").unpriced_requests == 1


def test_mirrored_usage_counts_nothing(tmp_path):
    used = {"inputOther": 3000, "output": 50, "inputCacheRead": 6000}
    mirror = {"type": "agent.message.appended", "time": MS, "message": {"meta": {"usage": used}}}
    kimi_file(tmp_path, made.kimi_event(1, "step.end", usage=used), mirror)
    assert requests(Desk(kimi.provider, tmp_path / "sessions").read()) == {}


# -- Grok Build -----------------------------------------------------------


def test_a_turn_that_is_told_again_counts_once_with_its_last_numbers(tmp_path):
    path = str(tmp_path / "%2Fwork" / made.GROK_SESSION / "updates.jsonl")
    write(path, made.grok_turn(4, whole=100, cached=0, output=1), made.grok_turn(5))
    total = Desk(grok.provider, tmp_path).read().total(made.GROK_SESSION)
    assert (total.requests, total.input_tokens, total.output_tokens) == (2, 18_500, 120)


@pytest.mark.parametrize(
    "fork", ["00000000-0000-4000-8000-000000000000", "ffffffff-0000-4000-8000-000000000000"]
)
def test_a_fork_of_groks_counts_its_copied_turns_for_the_session_that_paid(tmp_path, fork):
    def of(session, record):
        copied = json.loads(json.dumps(record))
        copied["params"]["sessionId"] = session
        return copied

    own = made.grok_turn(60, "6bde8692-1d86-429e-bb7c-7b866df72e50", 1, 500, 0, 5)
    own["params"]["_meta"]["eventId"] = f"{fork}-9"
    write(str(tmp_path / "w" / made.GROK_SESSION / "updates.jsonl"), *made.GROK)
    write(str(tmp_path / "w" / fork / "updates.jsonl"), *(of(fork, one) for one in (*made.GROK, own)))
    desk = Desk(grok.provider, tmp_path).read()
    assert requests(desk) == {made.GROK_SESSION: 3, fork: 1}
    assert len(desk.tools()) == 1


def test_nothing_is_made_of_a_curve_of_the_context(tmp_path):
    chunk = made.grok(1, sessionUpdate="agent_message_chunk", content={"type": "text", "text": "Hi."})
    chunk["params"]["_meta"]["totalTokens"] = 9050
    write(str(tmp_path / "%2Fwork" / made.GROK_SESSION / "updates.jsonl"), chunk)
    assert requests(Desk(grok.provider, tmp_path).read()) == {}


def test_groks_cost_in_ticks_counts_where_we_have_no_price(tmp_path):
    turn = json.loads(json.dumps(made.grok_turn(4, calls=1)).replace(MODEL, "mystery-9"))
    turn["params"]["update"]["usage"]["modelUsage"]["mystery-9"]["costUsdTicks"] = 2_500_000_000
    write(str(tmp_path / "%2Fwork" / made.GROK_SESSION / "updates.jsonl"), turn)
    assert Desk(grok.provider, tmp_path).read().cost(made.GROK_SESSION) == 0.25


# -- running sums ---------------------------------------------------------


def test_a_sum_that_fell_began_again_and_tokens_and_cost_begin_apart():
    assert grown(Sums(2, 100, 10), Sums(3, 140, 15)) == Sums(1, 40, 5)
    assert grown(Sums(2, 100, 10), Sums(1, 30, 5)) == Sums(1, 30, 5)
    assert grown(Sums(1, 100, 10, nano_usd=7), Sums(2, 30, 5, nano_usd=9)) == Sums(1, 30, 5, nano_usd=2)


def test_a_growth_is_spread_over_its_calls_and_no_part_is_lost():
    told = list(responses(Bearer("s", MODEL, 5.0), Sums(), Sums(3, 10, 7, 5, 0, 2, 900_000_000)))
    assert [one.usage.uncached_input_tokens for one in told] == [4, 3, 3]
    assert sum(one.usage.output_tokens for one in told) == 7
    assert sum(one.client_usd for one in told) == pytest.approx(0.9)
    assert len({one.message_id for one in told}) == 3


def test_a_large_growth_without_a_number_of_calls_is_cut_into_believable_ones():
    told = list(responses(Bearer("s", MODEL, 5.0), Sums(), Sums(0, 1 << 30)))
    assert sum(one.usage.input_tokens for one in told) == 1 << 30
    assert all(one.usage.input_tokens < 1 << 26 for one in told)


def test_a_note_is_read_back_and_a_damaged_one_is_nothing():
    sums = {"s|m": Sums(1, 2, 3, 4, 5, 6, 7)}
    assert unpacked(packed(sums)) == sums
    assert unpacked("x") == unpacked("[1]") == unpacked('{"a": 1}') == unpacked(None) == {}


def hermes_desk(tmp_path, tables=made.HERMES_TABLES + made.HERMES_BY_MODEL):
    writing = Writing(Store(".hermes/state.db", tables, []), tmp_path)
    return writing, Desk(hermes.provider, *hermes.provider.folders([], {"HOME": str(tmp_path)}))


def run(writing, *statements):
    for sql, values in statements:
        writing.db.execute(sql, values)


def tokens(desk):
    return sum(total.input_tokens + total.output_tokens for total in desk.totals().values())


def test_what_only_hermes_sessions_own_sums_hold_counts_beside_its_rows(tmp_path):
    writing, desk = hermes_desk(tmp_path)
    run(writing, made.hermes_session(), made.hermes_sums(3, 500, 50, 0), made.hermes_used(1, 200, 20, 0, 1))
    assert tokens(desk.read()) == 550
    run(writing, made.hermes_sums(4, 700, 70, 0), made.hermes_used(2, 400, 40, 0, 2))
    assert tokens(desk.read()) == 770
    writing.close()


def test_moving_sums_into_rows_by_model_counts_nothing_twice(tmp_path):
    writing, desk = hermes_desk(tmp_path, made.HERMES_TABLES)
    run(writing, made.hermes_session(), made.hermes_sums(3, 500, 50, 100))
    assert tokens(desk.read()) == 650
    writing.db.executescript(made.HERMES_BY_MODEL)
    run(writing, made.hermes_used(3, 500, 50, 100, 1))
    assert tokens(desk.read()) == 650
    run(writing, made.hermes_sums(4, 600, 60, 100), made.hermes_used(4, 600, 60, 100, 2))
    assert tokens(desk.read()) == 760
    writing.close()


def test_hermes_cost_of_nothing_from_nowhere_is_unknown(tmp_path):
    writing, desk = hermes_desk(tmp_path)
    sql, values = made.hermes_used(1, 200, 20, 0, 1, model="mystery-9")
    run(writing, made.hermes_session(), (sql, values))
    desk.read()
    assert desk.total(made.HERMES_SESSION).unpriced_requests == 1
    run(writing, (("UPDATE session_model_usage SET estimated_cost_usd = 0.5, cost_source = 'provider',"
                  " input_tokens = 300"), ()))  # fmt: skip
    desk.read()
    assert desk.cost(made.HERMES_SESSION) == 0.5
    writing.close()


def test_a_sub_agent_of_hermes_counts_to_its_parent_and_a_continued_session_to_itself(tmp_path):
    writing, desk = hermes_desk(tmp_path)
    run(writing, made.hermes_session(), made.hermes_session("child", "subagent", made.HERMES_SESSION),
        made.hermes_session("next", "cli", made.HERMES_SESSION), made.hermes_used(1, 5, 5, 0, 1, "child"),
        made.hermes_used(1, 7, 7, 0, 2, "next"))  # fmt: skip
    assert requests(desk.read()) == {made.HERMES_SESSION: 1, "next": 1}
    writing.close()


def test_profiles_of_hermes_are_counted_too(tmp_path):
    for name in (".hermes/profiles/work/state.db", ".hermes/state.db"):
        writing = Writing(Store(name, made.HERMES_TABLES, []), tmp_path)
        run(writing, made.hermes_session(name), made.hermes_sums(1, 5, 5, 0, name))
        writing.close()
    assert (
        len(requests(Desk(hermes.provider, *hermes.provider.folders([], {"HOME": str(tmp_path)})).read()))
        == 2
    )


def test_gooses_last_turn_is_no_sum_and_its_old_databases_are_named(tmp_path):
    path = tmp_path / "sessions.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE sessions (id TEXT, input_tokens INTEGER, accumulated_input_tokens INTEGER)")
        db.execute("INSERT INTO sessions VALUES ('s', 900, 9000)")
    desk = Desk(goose.provider, path).read()
    assert requests(desk) == {}
    assert "usage_ledger" in desk.ingest.coverage()["goose"]["reason"]


def test_a_goose_database_that_began_again_is_read_from_its_start(tmp_path):
    sample = made.SAMPLES["goose"][0]
    first = Writing(sample, tmp_path)
    first.all()
    desk = Desk(goose.provider, *goose.provider.folders([], {"HOME": str(tmp_path)})).read()
    first.close()
    for ending in ("", "-wal", "-shm"):
        if os.path.exists(first.path + ending):
            os.unlink(first.path + ending)
    again = Writing(
        sample._replace(steps=[[made.goose_session("s9"), made.goose_row(99, 10, 5, 0, session="s9")]]),
        tmp_path,
    )
    again.all()
    assert requests(desk.read())["s9"] == 1
    again.close()


def test_droids_sub_agents_count_once_though_their_parents_sum_holds_them(tmp_path):
    folder = tmp_path / "-work-shop"
    write_document(str(folder / "p.settings.json"), made.droid(100, 10, 0))
    write_document(str(folder / "c.settings.json"), made.droid(50, 5, 0))
    write(
        str(folder / "c.jsonl"), {"type": "session_start", "id": "c", "callingSessionId": "p", "cwd": "/work"}
    )
    desk = Desk(droid.provider, tmp_path).read()
    assert tokens(desk) == 165
    assert requests(desk) == {"p": 2}


def test_crushs_context_gauge_that_falls_loses_no_cost_and_a_childs_cost_counts_once(tmp_path):
    writing = Writing(Store("p/.crush/crush.db", made.CRUSH_TABLES, []), tmp_path)
    desk = Desk(crush.provider, writing.path)
    for prompt, cost, at in ((9000, 0.25, 1), (500, 0.5, 2), (700, 0.75, 3)):
        run(
            writing,
            made.crush_session(prompt, 10, cost, at),
            made.crush_session(99, 9, 0.125, at, "child", "s1"),
        )
        desk.read()
    assert requests(desk) == {"s1": 3}
    assert desk.cost("s1") == 0.75
    assert desk.session("s1").cwd == str(tmp_path / "p")
    writing.close()


def test_a_project_that_joins_crushs_list_is_found_at_the_next_look(tmp_path):
    listed = tmp_path / ".local" / "share" / "crush" / "projects.json"
    environ = {"HOME": str(tmp_path)}
    listed.parent.mkdir(parents=True)
    listed.write_text(json.dumps({"projects": []}))
    before = crush.provider.folders([], environ)
    listed.write_text(json.dumps({"projects": [{"path": "/w/shop", "data_dir": ".crush"}]}))
    assert set(crush.provider.folders([], environ)) - set(before) == {"/w/shop/.crush/crush.db"}
    listed.write_text("[{broken")
    assert crush.provider.folders([], environ) == before


def test_zeds_packed_thread_is_unpacked_and_one_that_cannot_be_is_named(tmp_path):
    zstd = pytest.importorskip("backports.zstd" if os.sys.version_info < (3, 14) else "compression.zstd")
    steps = [[made.zed_thread(1, {}, made.zed_usage(30, 5), zstd.compress)],
             [made.zed_thread(2, {}, made.zed_usage(40, 6), lambda data: b"no zstd", name="other")]]  # fmt: skip
    writing = Writing(Store("threads.db", made.ZED_TABLES, steps), tmp_path)
    writing.all()
    desk = Desk(zed.provider, writing.path).read()
    assert tokens(desk) == 35
    assert "zstd" in desk.ingest.coverage()["zed"]["reason"]
    writing.close()


def test_an_older_thread_of_zeds_has_only_its_map(tmp_path):
    writing = Writing(
        Store("threads.db", made.ZED_TABLES, [[made.zed_thread(1, {"a": made.zed_usage(3, 1)}, None)]]),
        tmp_path,
    )
    writing.all()
    assert tokens(Desk(zed.provider, writing.path).read()) == 4
    writing.close()


def test_vibes_sub_agent_counts_to_its_session_and_its_own_cost_fills_a_gap(tmp_path):
    session = tmp_path / "session_1"
    write_document(
        str(session / "meta.json"), made.vibe(100, 10, 0.5) | {"config": {"active_model": "mystery-9"}}
    )
    write_document(str(session / "agents" / "a1" / "meta.json"), made.vibe(50, 5, 0.25, session="sub"))
    desk = Desk(vibe.provider, tmp_path).read()
    (name,) = requests(desk)
    assert tokens(desk) == 165
    assert name == "abc123de-0000-4000-8000-000000000001"


def test_qoders_answers_without_usage_are_named_and_those_with_it_count(tmp_path):
    said = {"type": "assistant", "uuid": "u1", "sessionId": made.PI_SESSION, "timestamp": stamp(START),
            "message": {"id": "m1", "role": "assistant", "model": "auto", "content": [], "stop_reason": "end_turn"}}  # fmt: skip  # noqa: E501
    path = str(tmp_path / ".qoder" / "projects" / "-w" / f"{made.PI_SESSION}.jsonl")
    write(path, said)
    desk = Desk(qoder.provider, *qoder.provider.folders([], {"HOME": str(tmp_path)})).read()
    assert "credits" in desk.ingest.coverage()["qoder"]["reason"]
    said["message"] |= {"id": "m2", "usage": {"input_tokens": 9, "output_tokens": 5}}
    write(path, said | {"uuid": "u2"}, grow=True)
    assert requests(desk.read()) == {made.PI_SESSION: 1}
    assert desk.ingest.coverage()["qoder"]["reason"] is None


# -- stores that are in use -----------------------------------------------


def test_a_store_at_rest_is_read_without_a_lock_or_a_file_beside_it(tmp_path):
    path = str(tmp_path / "a.db")
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (x)")
    db.close()
    before = sorted(os.listdir(tmp_path))
    with sqlite_store.opened(path) as store:
        assert store.columns("t") == {"x"}
        writer = sqlite3.connect(path, timeout=0)
        writer.execute("SELECT 1")
        writer.close()
    assert sorted(os.listdir(tmp_path)) == before


def test_a_writer_is_never_kept_waiting_and_what_it_tore_does_not_count(tmp_path):
    path = str(tmp_path / "a.db")
    writer = sqlite3.connect(path, timeout=0, isolation_level=None)
    writer.execute("CREATE TABLE t (x)")
    with pytest.raises(OSError, match="changed while"), sqlite_store.opened(path) as store:
        store.db.execute("SELECT * FROM t").fetchall()
        writer.execute(
            "INSERT INTO t VALUES (1)"
        )  # would fail with "database is locked" beside a reader's lock
        os.utime(path, (1, 1))
    writer.close()


def test_a_store_that_is_just_being_written_the_older_way_is_left_for_later(tmp_path):
    path = str(tmp_path / "a.db")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("CREATE TABLE t (x)")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (1)")
    if os.path.exists(path + "-journal") and os.path.getsize(path + "-journal"):
        with pytest.raises(OSError, match="being written"), sqlite_store.opened(path):
            pass
    writer.execute("COMMIT")
    with sqlite_store.opened(path) as store:
        assert store.db.execute("SELECT * FROM t").fetchall() == [(1,)]
    writer.close()


def test_a_document_that_is_no_json_is_named_and_counts_when_it_is_whole(tmp_path):
    path = tmp_path / made.CLINE_SESSION / f"{made.CLINE_SESSION}.messages.json"
    write(str(path), b'{"messages": [')
    desk = Desk(cline.program, tmp_path).read()
    assert "JSON" in desk.ingest.coverage()["cline-cli"]["reason"]
    write_document(str(path), {"messages": made.CLINE_CLI})
    assert requests(desk.read()) == {made.CLINE_SESSION: 2}
    assert desk.ingest.unreadable == {}


def test_a_document_with_sums_that_is_replaced_keeps_its_note(tmp_path):
    sample = Documents(
        "s/a.settings.json", [made.droid(10, 1, 0), made.droid(20, 2, 0), made.droid(20, 2, 0)]
    )
    desk = Desk(droid.provider, tmp_path)
    for _ in Writing(sample, tmp_path).steps():
        desk.read()
    assert tokens(desk) == 22
    assert sum(total.cost for total in desk.totals().values()) / PICO == pytest.approx(
        (20 * 1.25 + 2 * 10) / 1e6
    )


# -- credits -----------------------------------------------------------------------------------------------


def test_credits_stand_beside_dollars_only_for_a_client_of_a_published_rate(tmp_path):
    sample = made.SAMPLES["amp"][0]
    Writing(sample, tmp_path).all()
    desk = Desk(amp.provider, *amp.provider.folders([], {"HOME": str(tmp_path)})).read()
    for name in ("model", "session"):
        answer = groupings.grouped(Asker(desk.db, Filter(zone=UTC), (), {}), name)
        assert answer.in_credits
        assert [row["credits"] for row in answer.rows] == [
            pytest.approx(100 * row["cost_usd"]) for row in answer.rows
        ]
    assert credit_rates.of("copilot-chat", Sum(cost=PICO // 4)) == 25.0
    assert credit_rates.of("pi", Sum(cost=PICO, credits=5)) is None


def test_a_client_without_a_published_rate_shows_the_credits_that_it_recorded_beside_our_dollars(tmp_path):
    sample = Documents(
        "s/a.settings.json",
        [made.droid(10, 1, 0, credits_=300), made.droid(20, 2, 0, credits_=420.5)],
    )
    desk = Desk(droid.provider, tmp_path)
    for _ in Writing(sample, tmp_path).steps():
        desk.read()
    (total,) = desk.totals().values()
    assert (total.requests, total.credits) == (2, 420_500_000)
    assert total.cost / PICO == pytest.approx((20 * 1.25 + 2 * 10) / 1e6)
    (row,) = groupings.grouped(Asker(desk.db, Filter(zone=UTC), (), {}), "model").rows
    assert row["credits"] == pytest.approx(420.5)
    assert row["cost_usd"] == pytest.approx(total.cost / PICO)


def test_the_credits_of_a_note_that_an_older_version_left_are_booked_once(tmp_path):
    """Its notes had no number for credits: what was used until then comes with the next growth."""
    path = str(tmp_path / "a.settings.json")
    write_document(path, made.droid(20, 2, 0, credits_=420))
    note = json.dumps({"a": [0, 10, 1, 0, 0, 0, 0]})
    (first,) = droid.provider.read(path, Source("a", None, note))
    (one,) = (event for event in first.events if isinstance(event, Response))
    assert (one.credits, one.usage.uncached_input_tokens) == (420.0, 10)
    (second,) = droid.provider.read(path, Source("a", None, first.pending))
    assert second.events == []


def test_credits_that_grow_alone_count_and_a_session_that_recorded_none_shows_no_zero(tmp_path):
    sample = Documents("s/a.settings.json", [made.droid(10, 1, 0), made.droid(10, 1, 0, credits_=7)])
    desk = Desk(droid.provider, tmp_path)
    steps = Writing(sample, tmp_path).steps()
    next(steps)
    (total,) = desk.read().totals().values()
    assert credit_rates.of("droid", total) is None
    assert credit_rates.of("droid", Sum()) == 0.0
    next(steps)
    (total,) = desk.read().totals().values()
    assert credit_rates.of("droid", total) == 7.0
    assert total.input_tokens + total.output_tokens == 11


def test_a_request_that_is_billed_in_credits_alone_costs_an_unknown_number_of_dollars(tmp_path):
    Writing(made.SAMPLES["kiro"][0], tmp_path).all()
    desk = Desk(kiro.provider, tmp_path / ".kiro" / "sessions").read()
    total = desk.total(made.KIRO_SESSION)
    assert (total.requests, total.credits) == (3, 1_750_000)
    assert total.unpriced_requests >= 2
    assert desk.session(made.KIRO_SESSION).pid == 4242
    shown = {
        row["model"]: row["credits"]
        for row in groupings.grouped(Asker(desk.db, Filter(zone=UTC), (), {}), "model").rows
    }  # noqa: E501
    assert shown == {"no usage: auto": 0.75, "auto": 1.0}


def test_kiros_turns_keep_their_names_when_a_compaction_takes_the_first_ones_away(tmp_path):
    path = str(tmp_path / "cli" / "a.json")
    desk = Desk(kiro.provider, tmp_path)
    for turns in (made.KIRO, made.KIRO[1:], [*made.KIRO[1:], made.kiro_turn(13, 20, [2])]):
        write_document(path, made.kiro(*turns))
        desk.read()
    assert desk.total(made.KIRO_SESSION).credits == 3_750_000


def test_kiros_editor_counts_each_summary_once_and_reads_no_text(tmp_path):
    folder = tmp_path / "0a1b" / "sess_1"
    lines = [made.kiro_summary(5, "e1", 0.5, None), made.kiro_summary(9, "e2", 1.25)]
    write(
        str(folder / "messages.jsonl"),
        {"id": "u", "timestamp": "x", "payload": {"type": "user"}},
        *lines,
        lines[0],
    )
    write_document(
        str(folder / "session.json"), {"modelId": "claude-opus-4.8", "workspacePaths": ["/work/shop"]}
    )
    desk = Desk(kiro.provider, tmp_path).read()
    assert (desk.total("sess_1").requests, desk.total("sess_1").credits) == (3, 1_750_000)
    assert desk.session("sess_1").cwd == "/work/shop"


def test_a_report_of_other_clients_has_no_credits(tmp_path):
    pi_file(tmp_path, made.PI_SESSION, *made.PI)
    desk = Desk(pi.provider, tmp_path / "sessions").read()
    answer = groupings.grouped(Asker(desk.db, Filter(zone=UTC), (), {}), "session")
    assert [row["credits"] for row in answer.rows] == [None]
    assert not answer.in_credits


# -- databases without a write-ahead log -----------------------------------------------------------------------


def older_store(tmp_path):
    """Goose's database in SQLite's older way: a journal stands beside it while it is written."""
    writing = Writing(made.SAMPLES["goose"][0], tmp_path)
    writing.all()
    writing.db.execute("PRAGMA journal_mode = DELETE")
    return writing


def test_a_database_that_is_just_being_written_is_named_and_read_at_the_next_look(tmp_path):
    """The kernel reports the write before the journal is gone, and nothing after it."""
    writing = older_store(tmp_path)
    desk = Desk(goose.provider, *goose.provider.folders([], {"HOME": str(tmp_path)})).read()
    before, now = sum(requests(desk).values()), time.time()

    def read(at):
        while desk.ingest.step(at):
            pass

    writing.db.execute(*made.goose_row(99, 10, 5, 0))
    with open(writing.path + "-journal", "wb") as file:
        file.write(b"x")
    desk.ingest.look(writing.path, now)
    read(now)
    assert list(desk.ingest.unreadable.values()) == ["it is just being written"]
    os.unlink(writing.path + "-journal")
    desk.ingest.look_at_rested(now + 1)
    read(now + 1)
    assert sum(requests(desk).values()) == before + 1
    assert desk.ingest.unreadable == {}
    writing.close()


@pytest.mark.parametrize("name", ["opencode", "copilot-chat", "goose"])
def test_reading_a_database_at_rest_leaves_no_file_beside_it(tmp_path, name):
    """SQLite itself would make a log and its index in the client's folder, and leave them there."""
    module, _, attribute = BUILTIN[name].partition(":")
    provider = getattr(importlib.import_module(module), attribute)
    names = {"opencode": "opencode.db", "copilot-chat": "agent-traces.db", "goose": "sessions.db"}
    path = tmp_path / "client" / names[name]
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE something (a)")
    db.commit()
    db.close()
    assert os.listdir(path.parent) == [path.name]
    for _ in provider.read(str(path), Source(None, None)):
        pass
    assert os.listdir(path.parent) == [path.name]


# -- a value that is no number says nothing --------------------------------

NO_NUMBERS = [None, "x", -1, [], True, float("inf")]


def counted(desk):
    """(all tokens, USD, credits) of all sessions."""
    totals = desk.totals().values()
    return (
        sum(one.input_tokens + one.output_tokens for one in totals),
        sum(one.cost for one in totals) / PICO,
        sum(one.credits for one in totals),
    )


@pytest.mark.parametrize("bad", [*NO_NUMBERS[:-1], "absent"])
@pytest.mark.parametrize("field", ["inputTokens", "outputTokens", "cacheReadTokens", "factoryCredits"])
def test_a_number_that_droid_does_not_say_once_is_not_counted_again(tmp_path, bad, field):
    steps = [made.droid(1000, 100, 500, credits_=100) for _ in range(3)]
    if bad == "absent":
        del steps[1]["tokenUsage"][field]
    else:
        steps[1]["tokenUsage"][field] = bad
    steps[2]["tokenUsage"][field] += 1
    assert stepped(tmp_path / "a", steps) == stepped(tmp_path / "b", steps[2:])


def stepped(folder, steps):
    desk = Desk(droid.provider, folder)
    for _ in Writing(Documents("s/a.settings.json", steps), folder).steps():
        desk.read()
    return counted(desk)


@pytest.mark.parametrize("bad", NO_NUMBERS)
def test_what_is_unknown_of_running_sums_stays_as_it_was_and_a_session_that_began_again_keeps_nothing(bad):
    assert (running(bad), nano(bad), micro(bad)) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert (running(0), nano(0), micro(0)) == (0, 0, 0)
    before = Sums(3, 1000, 50, 700, nano_usd=9, micro_credits=8)
    assert known(before, Sums(4, UNKNOWN, 60, UNKNOWN, 0, UNKNOWN, UNKNOWN, 9)) == Sums(
        4, 1000, 60, 700, nano_usd=9, micro_credits=9
    )
    assert known(before, Sums(1, 10, 5, UNKNOWN, nano_usd=UNKNOWN)) == Sums(1, 10, 5, nano_usd=9)


@pytest.mark.parametrize("bad", NO_NUMBERS)
@pytest.mark.parametrize("key", ["session_prompt_tokens", "session_cost"])
def test_a_number_that_vibe_does_not_say_once_is_not_counted_again(tmp_path, bad, key):
    steps = [made.vibe(1000, 100, 0.5), made.vibe(1000, 100, 0.5), made.vibe(1001, 101, 0.75)]
    steps[1]["stats"][key] = bad
    desk = Desk(vibe.provider, tmp_path)
    for _ in Writing(Documents("s/meta.json", steps), tmp_path).steps():
        desk.read()
    assert counted(desk)[0] == 1102
    path = str(tmp_path / "s" / "meta.json")
    assert told_usd(vibe.provider, path, steps) == 0.75


def test_vibes_session_that_has_no_name_once_is_the_one_it_was(tmp_path):
    steps = [made.vibe(1000, 100, 0.5), made.vibe(1000, 100, 0.5, session=None), made.vibe(1001, 100, 0.5)]
    desk = Desk(vibe.provider, tmp_path)
    for _ in Writing(Documents("s/meta.json", steps), tmp_path).steps():
        desk.read()
    assert counted(desk)[0] == 1101


def told_usd(provider, path, documents):
    """What the client itself says that a document cost, read after each of its versions."""
    note, usd = None, 0.0
    for document in documents:
        write_document(path, document)
        (parsed,) = provider.read(path, Source(None, None, note))
        note = parsed.pending
        usd += sum(one.client_usd or 0 for one in parsed.events if isinstance(one, Response))
    return usd


@pytest.mark.parametrize("bad", [None, "x", -1])
def test_a_number_that_crush_does_not_say_once_is_not_counted_again(tmp_path, bad):
    steps = [
        [made.crush_session(9000, 50, 0.25, 1), made.crush_answer(1, 1)],
        [made.crush_session(bad, 50, 0.25, 2)],
        [made.crush_session(9500, 60, bad, 3)],
        [made.crush_session(9500, 60, 0.5, 4)],
    ]
    writing = Writing(Store("p/.crush/crush.db", made.CRUSH_TABLES.replace(" NOT NULL", ""), steps), tmp_path)
    desk = Desk(crush.provider, writing.path)
    for _ in writing.steps():
        desk.read()
    assert counted(desk)[:2] == (9560, 0.5)


@pytest.mark.parametrize("bad", [None, "x", -1, {"input_tokens": None, "output_tokens": 150}])
def test_a_sum_that_zed_does_not_say_once_is_not_counted_again(tmp_path, bad):
    steps = [
        [made.zed_thread(1, {"m1": made.zed_usage(3000, 50)}, made.zed_usage(9000, 150))],
        [made.zed_thread(2, {"m1": made.zed_usage(3000, 50)}, bad)],
        [made.zed_thread(3, {"m1": made.zed_usage(3000, 50)}, made.zed_usage(9001, 150))],
    ]
    writing = Writing(Store("threads.db", made.ZED_TABLES, steps), tmp_path)
    desk = Desk(zed.provider, writing.path)
    for _ in writing.steps():
        desk.read()
    assert counted(desk)[0] == 9151


@pytest.mark.parametrize("bad", [None, "x", -1])
@pytest.mark.parametrize("by_model", [True, False], ids=["rows by model", "a session's own sums"])
def test_a_number_that_hermes_does_not_say_once_is_not_counted_again(tmp_path, bad, by_model):
    loose = (made.HERMES_TABLES + made.HERMES_BY_MODEL).replace(" NOT NULL", "")
    writing, desk = hermes_desk(tmp_path, loose)

    def look(calls, fresh):
        own = made.hermes_sums(calls, fresh, 50, 0)
        run(writing, *((own, made.hermes_used(calls, fresh, 50, 0, calls)) if by_model else (own,)))
        return tokens(desk.read())

    run(writing, made.hermes_session())
    assert [look(1, 3000), look(2, bad), look(3, 3001)] == [3050, 3050, 3051]


def test_an_estimate_of_hermes_after_the_real_cost_is_no_new_session(tmp_path):
    writing, desk = hermes_desk(tmp_path)
    run(writing, made.hermes_session(), made.hermes_sums(1, 3000, 50, 0))
    for actual, estimate in ((0.5, 0.4), (None, 0.4), (0.75, 0.4)):
        run(
            writing,
            (
                "UPDATE sessions SET actual_cost_usd = ?, estimated_cost_usd = ?, cost_source = 'x'",
                (actual, estimate),
            ),
        )
        desk.read()
    assert counted(desk)[1] == 0.75


@pytest.mark.parametrize("bad", [None, "x", {"input_tokens": None, "output_tokens": 50}])
def test_a_total_that_an_old_codex_does_not_say_once_is_not_counted_again(bad):
    before = [3000, 0, 50, 0, 3050]
    now = usage.known(bad, usage.counts(bad), before)
    assert now == before


def test_credits_that_no_session_can_have_used_are_unknown_and_large_ones_are_several_responses():
    assert micro(999_999_999) == UNKNOWN
    told = list(responses(Bearer("s", MODEL, 5.0), Sums(), Sums(0, 10, micro_credits=micro(5_000_000.5))))
    assert sum(one.credits for one in told) == 5_000_000.5
    assert all(one.credits < MAX_CREDITS for one in told)
    assert 90_000 * 1e8 * MICRO < 1 << 63
