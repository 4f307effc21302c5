"""Runs that were prepared before the history sees them: the same numbers as told one by one, in any order."""

import pickle
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.lines import START, assistant, encode, result, usage, use
from support.worlds import NOW, SESSIONS, Book, by_session, oracle, read, readings, worlds

from aitop.history.write import prepare, wire
from aitop.history.write.responses import Responses
from aitop.history.write.tools import Tools
from aitop.model.events import ToolUse
from aitop.model.sums import Sum
from aitop.providers.claude_code import provider

A, B = SESSIONS[:2]
FILE_A, FILE_B = f"/p/-w/{A}.jsonl", f"/p/-w/{B}.jsonl"
END = float("inf")


@pytest.fixture
def book(tmp_path):
    found = Book(tmp_path / "history.db", exact=END)
    yield found
    found.db.close()


def lines(count, **more):
    return [
        assistant(f"m{n}", START + n, request_id=f"r{n}", usage=usage(n + 1), **more) for n in range(count)
    ]


def test_the_last_line_wins_where_a_run_of_the_file_ends_between_the_lines(book):
    """The first line still waits for its stop reason, so it is kept back; the last one must not overtake it."""
    book.now = START + 10
    first = assistant("m1", START, request_id="r1", usage=usage(1), stop=None)
    last = assistant("m1", START, request_id="r1", usage=usage(7))
    end = book.feed(FILE_A, [first], prepared=True)
    book.feed(FILE_A, [last], start=end, prepared=True)
    book.commit()
    assert book.db.execute("SELECT output, stop_reason FROM response").fetchall() == [(7, "end_turn")]


def by_quarter(seconds):
    found = defaultdict(lambda: [0] * len(Sum._fields))
    for (at, session), value in seconds.items():
        key = (at // 900, session)
        found[key] = [a + b for a, b in zip(found[key], value, strict=True)]
    return {key: tuple(value) for key, value in found.items() if any(value)}


@examples(120)
@given(st.data())
def test_prepared_or_not_any_order_and_any_split_give_the_totals_of_the_rules(data):
    files = data.draw(worlds())
    book = Book(exact=data.draw(st.sampled_from([END, START + 900, 0.0])))
    try:
        read(book, files, data.draw(readings(files)), lambda: data.draw(st.booleans()))
        expected = oracle(files)
        assert book.totals() == by_session(expected)
        assert by_quarter(book.seconds()) == by_quarter(expected)
        book.check()
    finally:
        book.db.close()


@examples(60)
@given(st.data())
def test_reading_every_file_again_prepared_changes_nothing(data):
    files = data.draw(worlds())
    book = Book(exact=END)
    try:
        for path in data.draw(st.permutations(sorted(files))) * 2:
            book.feed(path, files[path], prepared=True)
            if data.draw(st.booleans()):
                book.commit()
        book.settle()
        assert book.totals() == by_session(oracle(files))
        book.check()
    finally:
        book.db.close()


@examples(60)
@given(st.permutations(["hook", FILE_A, FILE_B, "commit"]), st.booleans())
def test_a_tool_call_counts_once_whoever_tells_of_it_first(order, failed):
    calls = [use(f"toolu_{n}", name) for n, name in enumerate(("Bash", "Read", "Bash"))]
    results = [result(f"toolu_{n}", START + 1 + n, failed=failed) for n in range(3)]
    book = Book(exact=END)
    try:
        for who in order:
            if who == "hook":
                book.apply(ToolUse(A, START, "toolu_1", "Read"))
            elif who == "commit":
                book.commit()
            else:
                book.feed(who, [assistant(content=calls), *results], prepared=True)
        book.commit()
        assert sum(total.tool_calls for total in book.totals().values()) == 3
        assert sum(total.tool_failures for total in book.totals().values()) == 3 * failed
        book.check()
    finally:
        book.db.close()


def test_what_is_new_is_not_decided_one_by_one(book, monkeypatch):
    for room in (Responses, Tools):
        monkeypatch.setattr(room, "take", lambda *_: pytest.fail("one by one"))
    told = [assistant(f"m{n}", START + n, request_id=f"r{n}", content=[use(f"t{n}")]) for n in range(100)]
    book.feed(FILE_A, told, prepared=True)
    book.commit()
    assert (book.totals()[A].requests, book.totals()[A].tool_calls) == (100, 100)


def test_only_what_is_known_is_decided_one_by_one(book, monkeypatch):
    told = lines(100)
    end = book.feed(FILE_A, told[:50], prepared=True)
    decided = []
    real = Responses.take

    def take(self, by, r, *rest):
        decided.append(r.message_id)
        real(self, by, r, *rest)

    monkeypatch.setattr(Responses, "take", take)
    again = assistant("m49", START + 49, request_id="r49", usage=usage(7))
    book.feed(FILE_A, [again, *told[50:]], end, prepared=True)
    book.commit()
    assert decided == ["m49"]
    assert book.totals()[A].output_tokens == sum(range(1, 101)) - 50 + 7
    book.check()


def test_the_last_line_wins_though_only_some_lines_of_a_response_are_plain(book):
    names = (None, "r"), ("m", "r"), ("m", "r"), (None, "r")
    told = [
        assistant(m, START + n, request_id=r, usage=usage(n + 1), stop="end_turn" if n == 3 else None)
        for n, (m, r) in enumerate(names)
    ]
    for _ in range(2):
        book.feed(FILE_A, told, prepared=True)
        book.settle()
        assert (book.totals()[A].requests, book.totals()[A].output_tokens) == (1, 4)
        assert book.totals()[A].incomplete_requests == 0


def test_recent_responses_are_handed_out_one_by_one_and_older_ones_by_quarter_hours(tmp_path):
    book = Book(tmp_path / "history.db", exact=START + 1000)
    told = [assistant(f"m{n}", START + 100 * n, request_id=f"r{n}") for n in range(13)]
    book.feed(FILE_A, told, prepared=True)
    sums = [(at, value.requests) for at, _, value in book.commit().sums]
    first = START // 900 * 900
    before = sum(START + 100 * n < first + 900 for n in range(10))
    assert sorted(sums) == [
        (first, before), (first + 900, 10 - before), *((START + 100 * n, 1) for n in (10, 11, 12))
    ]  # fmt: skip
    book.db.close()


def test_what_was_prepared_with_other_prices_is_priced_anew(book):
    parsed = provider.parse(encode(lines(20)), 0, provider.identify(FILE_A))
    file = book.history.file(provider.name, FILE_A)
    found = book.history.prepare(parsed.events, NOW)
    wrong = [(*told[: prepare.COST], 1, *told[prepare.COST + 1 :]) for told in found.responses]
    book.history.take(provider.name, found._replace(prices="others", responses=wrong), NOW, file)
    book.commit()
    assert book.totals()[A].cost == sum(told[prepare.COST] for told in found.responses) > 20


def test_a_response_that_may_go_on_waits_for_its_end(book):
    book.feed(FILE_A, [assistant(at=NOW - 30, stop=None)], prepared=True)
    book.commit()
    assert book.totals()[A].incomplete_requests == 0
    book.settle(NOW + 100)
    assert book.totals()[A].incomplete_requests == 1


def test_what_helpers_send_is_plain_data(book):
    parsed = provider.parse(encode([assistant(content=[use()]), result()]), 0, provider.identify(FILE_A))
    found = book.history.prepare(parsed.events, NOW)
    sent = book.history.packed(parsed.events, NOW)
    assert (len(found.responses), len(found.tools)) == (1, 1)
    assert wire.unpacked(wire.received(wire.loads(wire.dumps(wire.sent(sent))))) == found
    assert all(type(told) is tuple for told in (*found.responses, *found.tools))
    assert pickle.loads(pickle.dumps(found)) == found
    assert sorted(map(repr, prepare.events(found))) == sorted(map(repr, parsed.events))


def test_facts_alone_beside_new_rows_wait_packed_until_the_rows_are_written(book):
    parsed = provider.parse(encode([assistant(content=[use()])]), 0, provider.identify(FILE_A))
    sent = wire.received(wire.sent(book.history.packed(parsed.events, NOW)))
    assert sent.rest == []
    assert wire.facts_of(sent.facts)
    book.history.take("claude-code", sent, NOW, book.history.file("claude-code", FILE_A))
    book.history.total_up()
    session = book.history.session("claude-code", sent.session)
    assert session.status is None
    book.commit()
    assert session.status is not None


def test_what_marshal_cannot_hold_is_pickled():
    value = [(OwnText("claude"), 1)]
    assert wire.loads(wire.dumps(value)) == value
    assert wire.dumps([("claude", 1)]).startswith(wire.MARSHALLED)


class OwnText(str):
    """A text as another package's provider may report it."""

    __slots__ = ()


@examples(80)
@given(st.data())
def test_sums_are_the_same_before_and_after_the_rows_are_written(data):
    """`total_up` and `add_up` answer a report; `commit` then writes the rows of the same responses."""
    files = data.draw(worlds())
    book = Book(exact=END)
    try:
        read(book, files, data.draw(readings(files)), lambda: data.draw(st.booleans()))
        book.history.settle(NOW)
        book.history.total_up()
        of_all = book.db.execute("SELECT * FROM day_all ORDER BY 1, 2, 3").fetchall()
        book.history.add_up()
        before = (book.quarters(), book.tool_quarters(), book.totals())
        assert book.db.execute("SELECT * FROM day_all ORDER BY 1, 2, 3").fetchall() == of_all
        book.commit()
        assert (book.quarters(), book.tool_quarters(), book.totals()) == before
        assert book.totals() == by_session(oracle(files))
        book.check()
    finally:
        book.db.close()


def test_rows_wait_in_memory_until_the_commit(book):
    book.feed(FILE_A, lines(50), prepared=True)
    book.history.total_up()
    assert book.db.execute("SELECT sum(requests) FROM day_all").fetchone() == (50,)
    assert book.db.execute("SELECT count(*) FROM response").fetchone() == (0,)
    book.commit()
    assert book.db.execute("SELECT count(*) FROM response").fetchone() == (50,)
    book.check()


def test_a_response_whose_record_is_repeated_leaves_those_that_wait(book):
    end = book.feed(FILE_A, lines(20), prepared=True)
    book.feed(FILE_A, [assistant("m3", START + 3, request_id="r3", usage=usage(900))], end, prepared=True)
    book.history.add_up()
    assert book.db.execute("SELECT count(*) FROM response").fetchone() == (1,)
    assert book.db.execute("SELECT sum(output) FROM day_all").fetchone()[0] == sum(range(1, 21)) - 4 + 900
    book.commit()
    assert book.db.execute("SELECT count(*), sum(output) FROM response").fetchone() == (20, 210 - 4 + 900)
    book.check()
