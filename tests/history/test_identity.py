"""Which records are one response: message ids decide, a request id joins only what has none."""

import itertools

import pytest
from support.lines import START, assistant, usage
from support.worlds import SESSIONS, Book

from aitop.model.events import Response, Usage

A, B = SESSIONS[:2]
FILE_A, FILE_B = f"/p/-w/{A}.jsonl", f"/p/-w/{B}.jsonl"
END = float("inf")


@pytest.fixture(params=[0.0, END], ids=["one by one", "prepared"])
def book(request):
    found = Book(exact=request.param)
    found.prepared = bool(request.param)
    yield found
    found.db.close()


def told(message, request, at=START, output=50, session=A, **more):
    return Response(session, at, "claude-opus-4-6", Usage(10, output), message, request, f"{message}{request}{at}",
                    stop_reason="end_turn", end=int(at - START), **more)  # fmt: skip


def feed(book, path, *responses):
    file = book.history.file("claude-code", path)
    file.session, file.first_at = responses[0].session, responses[0].at
    book.history.touch(file)
    if book.prepared:
        book.history.take("claude-code", book.history.prepare(responses, book.now), book.now, file)
    else:
        book.history.apply("claude-code", responses, book.now, file)


def totals(book):
    book.commit()
    book.check()
    return {name: (value.requests, value.output_tokens) for name, value in book.totals().items()}


def test_message_ids_that_share_a_request_id_stay_apart(book):
    feed(book, FILE_A, *(told(f"msg_{n}", "req_same", START + n, 100 + n) for n in range(5)))
    assert totals(book) == {A: (5, 510)}


def test_message_ids_that_share_a_request_id_stay_apart_across_files_and_commits(book):
    for n, path in enumerate((FILE_A, FILE_A, FILE_B)):
        feed(book, path, told(f"msg_{n}", "req_same", START + n, session=B if path == FILE_B else A))
        book.commit()
    assert totals(book) == {A: (2, 100), B: (1, 50)}


@pytest.mark.parametrize("order", list(itertools.permutations(["named", "lone", "commit"])))
def test_a_record_without_a_message_id_joins_its_request(book, order):
    for what in order:
        if what == "named":
            feed(book, FILE_A, told("msg_1", "req_1", START))
        elif what == "lone":
            book.history.apply("claude-code", [told(None, "req_1", START + 3)], book.now)
        else:
            book.commit()
    assert totals(book) == {A: (1, 50)}


def test_a_record_without_a_message_id_joins_the_nearest_of_several_that_share_its_request(book):
    feed(book, FILE_A, told("msg_1", "req_same", START, 10), told("msg_2", "req_same", START + 100, 20))
    book.commit()
    lone = told(None, "req_same", START + 99, 20, duration_ms=700.0)
    book.history.apply("claude-code", [lone], book.now)
    assert totals(book) == {A: (2, 30)}
    timed = book.db.execute("SELECT at FROM response WHERE duration_ms = 700").fetchall()
    assert timed == [(START + 99,)]


def test_a_request_of_another_day_is_another_response(book):
    feed(book, FILE_A, told("msg_1", "req_same", START))
    book.history.apply("claude-code", [told(None, "req_same", START + 7000)], book.now)
    assert totals(book) == {A: (2, 100)}


@pytest.mark.parametrize("second", ["request", "record"])
def test_ids_of_different_sorts_join_nothing_where_their_texts_are_the_same(book, second):
    message = told("the-same", None, START, 10)
    other = told(None, "the-same", START + 5, 20) if second == "request" else told(None, None, START + 5, 20)
    feed(book, FILE_A, message, other._replace(record_id="the-same"))
    assert totals(book) == {A: (2, 30)}, "`kind` in history/keys.py keeps ids of different sorts apart"


def test_a_further_id_joins_two_message_ids(book):
    feed(book, FILE_A, told("msg_a", None, START, also=("copy:1",)))
    feed(book, FILE_B, told("msg_b", None, START, session=B, also=("copy:1",)))
    assert sum(requests for requests, _ in totals(book).values()) == 1


def test_a_constant_request_id_does_not_hide_that_a_message_is_told_twice(book):
    line = [assistant(f"m{n}", START + n, request_id="same", usage=usage(n + 1)) for n in range(3)]
    book.feed(FILE_A, line, prepared=book.prepared)
    book.feed(FILE_B, line, prepared=book.prepared)
    assert sum(requests for requests, _ in totals(book).values()) == 3


def test_one_message_id_with_different_request_ids_is_two_responses_in_two_files(book):
    feed(book, FILE_A, told("msg_same", "req_1", START, 10))
    feed(book, FILE_B, told("msg_same", "req_2", START + 5, 20, session=B))
    assert totals(book) == {A: (1, 10), B: (1, 20)}


COPIES = {
    "first": (FILE_A, told("msg_same", "req_1", START, 10)),
    "second": (FILE_A, told("msg_same:req_2", "req_2", START + 5, 20)),
    "copy that begins with the second": (FILE_B, told("msg_same", "req_2", START + 5, 20, session=B)),
    "copy of the first": (FILE_B, told("msg_same:req_1", "req_1", START, 10, session=B)),
    "a third": ("/p/-w/third.jsonl", told("msg_same", "req_3", START + 9, 40, session=B)),
}


@pytest.mark.parametrize("order", list(itertools.permutations(COPIES)))
@pytest.mark.parametrize("restart", [False, True], ids=["at once", "restarts"])
def test_copies_of_responses_under_one_message_id_count_once_in_any_order(book, order, restart):
    for name in order:
        path, response = COPIES[name]
        feed(book, path, response)
        if restart:
            book.commit()
            book.restart()
    book.commit()
    book.check()
    held = book.totals().values()
    assert (sum(v.requests for v in held), sum(v.output_tokens for v in held)) == (3, 70)
