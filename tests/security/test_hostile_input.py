"""Input that once broke something, each in its smallest form: found by the fuzzer or by reading."""

import contextlib
import io
import json
import os
import sqlite3

import pytest
from click.testing import CliRunner
from fuzz import judge
from fuzz.targets import databases
from support.copilot_records import start
from support.gemini_records import header, message
from support.history_changes import changes
from support.lines import START, assistant, result, transcript, use
from support.opencode_records import said
from support.worlds import SESSIONS, Book

from aitop import config, guard, otlp, state
from aitop.cli import main
from aitop.config import values
from aitop.history.write import ledger
from aitop.install import checks, checks_listener, doctor
from aitop.install.findings import OK, WARN, Context, Finding
from aitop.install.record import Installed
from aitop.listener import lifecycle
from aitop.live import windows
from aitop.live.aggregator import MAX_LIMITS, MAX_MODELS, MAX_STOP_REASONS, Aggregator, Day
from aitop.log import Log
from aitop.model.events import Limit, Response, Usage
from aitop.model.sums import Sum
from aitop.pricing import cost, table
from aitop.pricing.basis import Basis
from aitop.providers import Source, claude_code, gemini
from aitop.providers.claude_code import record_kind
from aitop.providers.codex import notes, rollout
from aitop.providers.copilot import events as copilot
from aitop.providers.copilot import sums
from aitop.providers.gemini import chat
from aitop.providers.lenient import MAX_TOKENS, as_json, epoch, milliseconds
from aitop.providers.opencode import message as opencode
from aitop.publish.files import Publisher
from aitop.segments import humanize

DEEP = "[" * 900 + "]" * 900
ESCAPE = "\x1b]0;owned\x07\x9b2J\n"


def lines(*records):
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in records)


def of_codex(*payloads, kind="response_item"):
    run = [{"timestamp": "2026-09-21T12:00:00Z", "type": kind, "payload": payload} for payload in payloads]
    return rollout.parse(lines({"timestamp": "2026-09-21T12:00:00Z", "type": "x", "payload": {}}, *run), 0,
                         Source("s", None, '{"thread": "t"}'))  # fmt: skip


# -- clients' records ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["opencode-database", "copilot-chat"])
@pytest.mark.parametrize("odd", [None, "x", 1.5, ["x"], "x" * 9000])
def test_no_value_of_another_kind_in_any_column_of_a_client_s_database_breaks_it(target, odd):
    fed = databases.Rows(target)
    try:
        for seed in fed.seeds:
            for table, rows in seed.items():
                for column in {name for row in rows for name in row}:
                    changed = {**seed, table: [row | {column: odd} for row in rows]}
                    fed.check(json.dumps(changed).encode())
            fed.settle()
    finally:
        fed.close()


@pytest.mark.parametrize("target", ["opencode-database", "copilot-chat"])
def test_a_damaged_name_in_a_client_s_database_is_told_as_a_file_that_cannot_be_read(target):
    fed = databases.Rows(target)
    try:
        for image in fed.images:
            for name in (b"spans", b"session", b"message", b"span_id", b"parent_id"):
                fed.check(image.replace(name, b"\xff" * len(name)))
    finally:
        fed.close()


@pytest.mark.parametrize("calls", [5, 1.5, "text", {"id": "c"}, True])
def test_gemini_s_tool_calls_of_a_wrong_kind_are_none_and_the_response_counts(calls):
    found = chat.parse(lines(header(), message(toolCalls=calls)), 0, Source(None, None, "{}"))
    assert [type(event).__name__ for event in found.events] == ["Response", "SessionInfo"]


def test_codex_s_output_nested_deeper_than_python_goes_is_an_output_that_worked():
    head = b'{"timestamp":"2026-09-21T12:00:00Z","type":"response_item","payload":{"type":"function_call_output",'
    output = head + b'"call_id":"c1","output":' + DEEP.encode() + b"}}"
    found = rollout.parse(
        lines({"type": "x", "timestamp": "2026-09-21T12:00:00Z"}, output), 0, Source("s", None, "{}")
    )
    assert [event.failed for event in found.events] == [False]


def test_codex_s_error_is_named_in_few_words_whatever_its_key_says():
    (event,) = of_codex({"type": "error", "codex_error_info": {"x" * 5000: 1}}, kind="event_msg").events
    assert event.kind == "other"


def test_codex_s_responses_have_a_bounded_number_of_names_however_many_ancestors_it_claims():
    metas = [{"id": f"thread-{number}"} for number in range(1000)]
    found = of_codex(*metas, kind="session_meta")
    usage = {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}
    info = {"type": "token_count", "info": {"last_token_usage": usage, "total_token_usage": usage}}
    told = rollout.parse(
        lines({"timestamp": "2026-09-21T12:00:00Z", "type": "event_msg", "payload": info}), 0,
        Source("s", None, found.pending),
    )  # fmt: skip
    (response,) = [event for event in told.events if isinstance(event, Response)]
    assert len(response.also) == notes.MAX_ANCESTORS
    assert len(found.pending) < 4000


def test_copilot_s_sums_over_too_few_requests_are_spread_over_more():
    """No single request may hold what no request can have used."""
    metrics = {"m": {"requests": {"count": 1}, "usage": {"inputTokens": 10**9, "outputTokens": 7}}}
    found = copilot.parse(lines(start(), shutdown(metrics)), 0, Source("s", None))
    usages = [event.usage for event in found.events if isinstance(event, Response)]
    assert all(usage.input_tokens < MAX_TOKENS for usage in usages)
    assert (sum(u.input_tokens for u in usages), sum(u.output_tokens for u in usages)) == (10**9, 7)


def test_copilot_s_shutdowns_make_a_bounded_number_of_responses():
    metrics = {f"m{n}": {"requests": {"count": 10**6}, "usage": {"inputTokens": 10**6}} for n in range(200)}
    found = copilot.parse(lines(start(), *[shutdown(metrics) for _ in range(50)]), 0, Source("s", None))
    told = [event for event in found.events if isinstance(event, Response)]
    assert len(told) <= copilot.MAX_SPREAD + sums.MAX_REQUESTS
    assert sum(event.usage.input_tokens for event in told) == 200 * 10**6


def shutdown(metrics):
    return {"type": "session.shutdown", "timestamp": "2026-09-21T13:00:00Z",
            "data": {"sessionStartTime": START * 1000, "modelMetrics": metrics}}  # fmt: skip


@pytest.mark.parametrize("read", [
    lambda most: chat._usage({"input": 1, "output": most, "thoughts": most}),
    lambda most: opencode.usage({"input": 1, "output": most, "reasoning": most}),
])  # fmt: skip
def test_two_counts_that_are_each_possible_do_not_make_one_that_is_not(read):
    assert 0 <= read(MAX_TOKENS - 1).output_tokens < MAX_TOKENS
    assert read(1000).output_tokens == 2000
    assert said()["tokens"]["output"]


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan"), -1, True, 10**18])
def test_a_time_that_is_none_is_nothing(value):
    assert epoch(value) is None


def test_what_cannot_be_written_as_json_is_no_text():
    value = json.loads(DEEP)
    assert as_json(value) == ""
    assert as_json({"a": 1}) == '{"a":1}'


# -- numbers and names without end -----------------------------------------------------------------------------------


def test_a_response_dearer_than_any_can_be_is_unpriced_and_listed():
    prices = table.load()
    most = Usage(MAX_TOKENS - 1, MAX_TOKENS - 1)
    assert cost.price(prices, "claude-opus-4-6", most, START) == (0, Basis.UNPRICED)
    side = Usage(5, 5, advisor=(("claude-opus-4-6", MAX_TOKENS - 1, MAX_TOKENS - 1, 0, 0, 0),))
    assert cost.price(prices, "claude-opus-4-6", side, START).basis == Basis.UNPRICED
    assert cost.price(prices, "claude-opus-4-6", Usage(5, 5), START).basis == Basis.LISTED


def test_sums_beyond_what_a_column_holds_stay_at_its_most(tmp_path):
    book = Book(tmp_path / "history.db")
    book.feed(f"/t/{SESSIONS[0]}.jsonl", [assistant(session=SESSIONS[0])])
    session = book.session()
    session.total = session.total._replace(cost=1 << 70)
    book.history._ledger.out.add((0, book.session().id, 1, 0), Sum(cost=1 << 70))
    book.commit()
    with sqlite3.connect(tmp_path / "history.db") as db:
        assert db.execute("SELECT cost FROM session").fetchone() == ((1 << 63) - 1,)
        assert db.execute("SELECT max(cost) FROM quarter").fetchone() == ((1 << 63) - 1,)


def test_different_stop_reasons_models_and_limits_are_counted_apart_up_to_a_bound():
    aggregator = Aggregator(START)
    aggregator.begin_day(Day({"today": START, "week": START, "month": START}))
    limits = [Limit("codex", None, f"l{n}", 300, 5.0, START + 9, "client", START) for n in range(1000)]
    aggregator.fold(
        changes(
            stops=[(START, f"reason {n}", 1, 1) for n in range(1000)], limits=limits,
            models={(f"m{n}", 1 + n % 2) for n in range(2000)},
        ), lambda _: "codex", START,
    )  # fmt: skip
    assert len(aggregator.stop_reasons) == MAX_STOP_REASONS + 1
    assert sum(aggregator.stop_reasons.values()) == 1000
    assert aggregator.stop_reasons["other"] == 1000 - MAX_STOP_REASONS
    assert (len(aggregator.unpriced), len(aggregator.estimated), len(aggregator.limits)) == (
        MAX_MODELS,
        MAX_MODELS,
        MAX_LIMITS,
    )


def test_a_session_s_stop_reasons_are_bounded_too(tmp_path):
    book = Book(tmp_path / "history.db")
    book.feed(f"/t/{SESSIONS[0]}.jsonl", [
        assistant(f"m{n}", START + n, request_id=f"r{n}", stop=f"reason_{n}", session=SESSIONS[0]) for n in range(200)
    ])  # fmt: skip
    book.commit()
    reasons = book.session().stop_reasons
    assert len(reasons) == ledger.STOPS + 1
    assert sum(reasons.values()) == 200


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 10**308, float("inf"), float("nan")])
def test_a_number_too_large_to_reckon_with_is_shown_as_unknown(value):
    shown = (
        humanize.money,
        humanize.exact_money,
        humanize.percent,
        humanize.count,
        humanize.duration,
        humanize.share,
    )
    assert {write(value) for write in shown} == {humanize.UNKNOWN}


# -- the published state, read by whoever asks -----------------------------------------------------------------------


@pytest.fixture
def published(home):
    def write(text):
        with open(os.path.join(home, "state.json"), "w", encoding="utf-8") as file:
            file.write(text)

    return write


def test_a_state_nested_too_deep_is_no_state(published, home):
    published('{"listener": ' + "[" * 100_000)
    assert state.read() is None
    assert checks.context(0.0, prove=False).state is None
    with lifecycle.lock(home):
        assert lifecycle.running() == {"pid": None, "started_at": None, "version": None}


@pytest.mark.parametrize("scan", [5, None, [], "x"])
def test_the_guard_judges_a_state_whose_scan_is_odd(scan):
    assert (
        guard.judge({"written_at": 5.0, "scan": scan, "budgets": [], "limits": []}, 5.0, [])[0]
        == guard.NO_DATA
    )


# -- what reaches a terminal -----------------------------------------------------------------------------------------


def test_a_finding_of_doctor_shows_names_without_their_controls():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        doctor._print(
            [Finding("reading", WARN, f"the first: /x/{ESCAPE}.jsonl", f"mend {ESCAPE}")], verbose=True
        )
    assert not set("\x1b\x07\x9b") & set(out.getvalue())
    assert len(out.getvalue().splitlines()) == 3


def test_a_line_of_the_log_is_one_line_without_controls(tmp_path, capsys):
    log = Log(str(tmp_path / "log"), debug=True, echo=True)
    log.debug(f"claude-code: {ESCAPE}2026-01-01T00:00:00 error forged, 0 events")
    said = capsys.readouterr().err
    assert said == (tmp_path / "log").read_text()
    assert said.count("\n") == 1
    assert said.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    "text", [f"'{ESCAPE[:-1]}' = 1", '[prices.models."a\\u001bb"]\nx = 1', '"\\u202e" = 1']
)
def test_an_error_of_the_configuration_shows_no_controls(text):
    with pytest.raises(config.ConfigError) as error:
        config.parse(text.encode("utf-8", "replace"), "/x/config.toml")
    assert str(error.value).isprintable()


def test_an_error_of_the_configuration_is_short(tmp_path):
    with pytest.raises(config.ConfigError) as error:
        config.parse(b"'" + b"x" * 100_000 + b"' = 1", "/x/config.toml")
    assert len(str(error.value)) <= values.MAX_ERROR


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, ".".join("a" * 3000) + " = 1"])
def test_a_configuration_nested_too_deep_is_told(text):
    with pytest.raises(config.ConfigError, match="nested too deep|unknown key|Maximum|recursion"):
        config.parse(text.encode(), "/x/config.toml")


@pytest.mark.parametrize("price", ["10001", "2147483648", "1e300", "-1", "nan"])
def test_a_price_in_the_wrong_unit_is_told_instead_of_ending_the_listener(price):
    with pytest.raises(config.ConfigError, match="0 to 10000"):
        config.parse(f'[prices.models."m"]\ninput = 1\noutput = {price}'.encode(), "/x/config.toml")
    good = config.parse(b'[prices.models."m"]\ninput = 1\noutput = 10000', "/x/config.toml")
    assert table.load(good.price_overrides, None)


# -- folders ---------------------------------------------------------------------------------------------------------


def test_folders_that_others_opened_are_closed_again(home):
    Publisher(home, None)
    os.chmod(os.path.join(home, "segments"), 0o777)
    Publisher(home, None)
    assert os.stat(os.path.join(home, "segments")).st_mode & 0o777 == 0o700


def test_a_runtime_folder_others_may_write_to_is_not_used(monkeypatch, tmp_path):
    from aitop import paths

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    os.chmod(tmp_path, 0o755)
    assert paths.runtime_folder() is not None
    os.chmod(tmp_path, 0o777)
    assert paths.runtime_folder() is None
    os.chmod(tmp_path, 0o700)


def test_a_link_in_the_place_of_our_runtime_folder_is_refused(home, monkeypatch, tmp_path):
    from aitop import paths

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    os.chmod(tmp_path, 0o700)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("x")
    os.symlink(elsewhere, paths.runtime_folder())
    with pytest.raises(OSError, match="no folder of this user"):
        Publisher(home, paths.runtime_folder())
    assert os.listdir(elsewhere) == ["kept"]


def test_a_report_of_a_state_with_half_a_character_is_made(published):
    published(
        json.dumps(
            {"sessions": [{"id": "\ud800", "model": "\ud800\x9b", "provider": "x"}], "providers": ["\ud800"]}
        )
    )
    context = checks.context(0.0, prove=False)
    assert json.dumps(doctor.bundle([], context)).isascii()


NAMES = ["\x1b]0;owned\x07", "a\x9b2Jb", "c\u202ed", "\x00", "e\rf", "#(touch x)", "g\u2028h"]
GROUPS = ("models", "sessions", "projects", "tools", "tags", "branches", "daily", "blocks")
FORMS = ([], ["--markdown"], ["--csv"], ["--json"])
COMMANDS = [
    *[["report", word, *form] for word in GROUPS for form in FORMS],
    ["advise"], ["forecast"], ["tag"], ["top", "--once"], ["prices"],
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_shows_a_terminal_the_controls_in_names(hostile_history, words):
    done = CliRunner().invoke(main, words)
    assert done.exit_code in (0, 1), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    for line in done.output.split("\n"):
        judge.printable(line, " ".join(words))
    if words[:2] == ["report", "models"]:
        assert "touch x" in done.output


@pytest.fixture
def hostile_history(home, tmp_path):
    """A history whose every name is one that a terminal would obey."""
    for number, name in enumerate(NAMES):
        session = f"{number:08d}-2222-4333-8444-555555555555"
        more = {"cwd": f"/work/{name}", "gitBranch": name}
        transcript(
            tmp_path / "user" / ".claude",
            [
                assistant(f"m{number}", START, request_id=f"r{number}", model=f"m{name}", session=session, stop=name,
                          content=[use(f"t{number}", name)], **more),
                result(f"t{number}", START + 1, session=session, **more),
            ],
            session=session,
        )  # fmt: skip
    done = CliRunner().invoke(main, ["report", "models", "--json"])
    assert done.exit_code == 0, done.output


# -- telemetry and the rest of what later runs found ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "taken"), [(None, None), (-1.0, None), (0.0, 0.0), (5e8, 5e8), (1.68e13, None)]
)
def test_what_nothing_can_have_taken_is_no_duration(value, taken):
    assert milliseconds(value) == taken


def test_half_a_character_in_a_span_s_id_does_not_reach_the_history():
    """SQLite takes no half characters: the commit would have failed, and the listener ended."""
    span = {"traceId": "x\udcff", "spanId": "\ud800", "name": "chat", "endTimeUnixNano": "1",
            "attributes": [{"key": "a", "value": {"stringValue": "\ud800"}}]}  # fmt: skip
    tree = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    for body in (
        json.dumps(tree).encode(),
        json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    ):
        with contextlib.suppress(otlp.Malformed):
            for record in otlp.decode("traces", body, otlp.JSON):
                f"{record.trace}{record.span}{record.attributes}".encode()


def test_gemini_s_telemetry_adds_no_two_counts_to_an_impossible_one():
    most = MAX_TOKENS - 1
    body = {"resourceLogs": [{"resource": {"attributes": [_attribute("service.name", "gemini-cli")]}, "scopeLogs": [
        {"logRecords": [{"timeUnixNano": "1790000000000000000", "attributes": [
            _attribute("event.name", "gemini_cli.api_response"), _attribute("session.id", "g"),
            _attribute("input_token_count", most), _attribute("output_token_count", most),
            _attribute("thoughts_token_count", most),
        ]}]}]}]}  # fmt: skip
    records = otlp.decode("logs", json.dumps(body).encode(), otlp.JSON)
    (event,) = gemini.provider.telemetry(records, START)
    assert event.usage.output_tokens < MAX_TOKENS


def _attribute(key, value):
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: str(value)}}


def test_codex_s_patch_has_an_id_of_sensible_length():
    (event,) = of_codex(
        {"type": "patch_apply_end", "call_id": "c" * 20_000, "success": False}, kind="event_msg"
    ).events
    assert len(event.tool_use_id) <= 256


def test_a_total_of_the_client_s_that_is_below_zero_is_none():
    state = {"type": "cost-state", "sessionId": "s", "totalCostUSD": 1.0, "totalAPIDuration": -5200}
    (event,) = claude_code.provider.parse(lines(state), 0, Source("s", None)).events
    assert (event.cost_usd, event.api_ms) == (1.0, None)


def test_the_kind_of_a_line_is_never_taken_from_the_next_line():
    data = b'{"type":"user\n","a":1}\n'
    assert record_kind.of(data, 0, 13) is None
    assert record_kind.of(b'{"type":"user"', 0, 14) is None
    assert record_kind.of(b'{"type":"user"}', 0, 15) == b"user"


@pytest.mark.parametrize("models", [5, 1.5, "text", {"a": 1}, None, True])
def test_doctor_reads_a_state_whose_models_are_no_list(models):
    state = {"prices": {"unpriced_models": models, "estimated_models": models}}
    found = list(checks_listener.prices(Context(0.0, state, (), Installed(), prove=False)))
    assert [level for level, *_ in found] == [OK]


def test_countless_sessions_at_once_are_looked_through_once_a_minute_and_bounded(monkeypatch):
    """Each event used to look through all sessions of a quarter of an hour."""
    monkeypatch.setattr(windows, "MAX_RECENT_SESSIONS", 1000)
    quarters, looks = windows.RecentBySession(), []
    whole = quarters.sum
    monkeypatch.setattr(quarters, "sum", lambda session, now: looks.append(session) or whole(session, now))
    for session in range(5000):
        quarters.add(START, session, Sum(requests=1), START)
    assert len(looks) == windows.MANY_SESSIONS
    assert [quarters.sum(session, START).requests for session in (0, 999, 1000, 4999)] == [1, 1, 0, 0]
    quarters.add(START + 1000, 6000, Sum(requests=1), START + 1000)
    assert quarters.sum(6000, START + 1000).requests == 1
