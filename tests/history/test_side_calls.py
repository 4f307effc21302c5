"""What a client reports beyond its records is booked with its time, and taken back when its calls become known."""

import pytest
from support.lines import START
from support.worlds import NOW, SESSIONS, Book

from aitop.history.query import by_provider, recent, session_detail, spans, sums_since
from aitop.history.recovery import integrity
from aitop.model.events import ClientTotals, Place, Response, SessionInfo, Usage
from aitop.model.sums import PICO

A, B = SESSIONS[:2]
DOLLAR = 40_000  # output tokens of claude-opus-4-6 for one USD
EVERYTHING = (0.0, 1e10)


@pytest.fixture
def book(tmp_path):
    found = Book(tmp_path / "history.db")
    yield found
    found.db.close()


def answer(name="m1", at=START, usd=1.0, session=A, **more):
    return Response(
        session, at, "claude-opus-4-6", Usage(0, round(usd * DOLLAR)), name, stop_reason="end_turn", **more
    )


def totals(usd, at=START + 10, session=A, **more):
    return ClientTotals(session, at, usd, **more)


def untracked(book, session=A):
    book.commit()
    book_integrity(book)
    return round(book.session(session).total.untracked / PICO, 6)


def book_integrity(book):
    assert integrity.problem(book.db) is None


def booked(book):
    return book.db.execute(
        "SELECT m.name, c.at - ?, c.picodollars / 1000000 FROM side_call c JOIN model m ON m.id = c.model "
        "ORDER BY c.at, m.name",
        (START,),
    ).fetchall()


def test_the_part_of_a_total_that_no_response_covers_is_booked_at_its_time(book):
    book.apply(answer(), totals(1.25))
    assert untracked(book) == 0.25
    assert booked(book) == [("", 10, 250_000)]


@pytest.mark.parametrize("usd", [1e7, 1e30, -1.0, float("nan")])
def test_a_total_that_no_session_can_reach_is_left_out(book, usd):
    book.apply(answer(), totals(1.25), totals(usd, START + 20, by_model=(("claude-opus-4-6", usd),)))
    assert untracked(book) == 0.25


def test_a_part_of_a_total_that_no_model_can_reach_is_left_out(book):
    book.apply(answer(), totals(1.25, by_model=(("claude-opus-4-6", 1e12),)))
    assert untracked(book) == 0.25
    assert booked(book) == [("", 10, 250_000)]


def test_it_stands_in_every_sum_and_question(book):
    book.apply(answer(), totals(1.25))
    assert untracked(book) == 0.25
    quarter = PICO // 4
    assert sums_since.since(book.db, START // 900 * 900).untracked == quarter
    assert (
        by_provider.since(book.db, {"today": START // 900 * 900})["claude-code"]["today"].untracked == quarter
    )
    assert sum(value.untracked for _, value in sums_since.past(book.db, START)) == quarter
    assert sum(value.untracked for _, _, value in recent.by_session(book.db, START)) == quarter
    (everything,) = spans.sums(book.db, [EVERYTHING], spans.Only())
    assert everything.spent == PICO + quarter
    assert sum(cell.sum.untracked for cell in spans.cells(book.db, EVERYTHING, spans.Only())) == quarter
    assert sum(row[2].spent for row in sums_since.by_folder(book.db, 0)) == PICO + quarter
    assert sum(row[1] for row in spans.costs(book.db, 0, 1e10)) == PICO + quarter
    assert spans.cost(book.db, EVERYTHING) == PICO + quarter
    detail = session_detail.session(book.db, "claude-code", A, NOW)
    assert sum(spent for _, spent in detail.quarters) == PICO + quarter
    assert {model: value.spent for model, value in detail.models} == {"claude-opus-4-6": PICO, "": quarter}


def test_it_is_handed_out_with_its_time(book):
    book.apply(answer(), totals(1.25))
    changes = book.commit()
    assert [(at, value.untracked) for at, _, value in changes.sums if value.untracked] == [
        (START + 10, PICO // 4)
    ]


def test_it_shrinks_when_the_calls_become_known_singly(book):
    book.apply(answer(), totals(1.25))
    book.commit()
    book.apply(answer("title", START + 5, 0.1, agent=""))
    assert untracked(book) == 0.15
    book.apply(answer("summary", START + 6, 0.15, agent=""))
    assert untracked(book) == 0.0
    assert booked(book) == []


def test_the_newest_bookings_shrink_first(book):
    book.apply(answer(), totals(1.25))
    book.commit()
    book.apply(totals(1.75, START + 20))
    book.commit()
    book.apply(answer("late", START + 19, 0.6))
    assert untracked(book) == 0.15
    assert booked(book) == [("", 10, 150_000)]


def test_a_response_after_the_report_takes_nothing_away(book):
    book.apply(answer(), totals(1.25))
    book.commit()
    book.apply(answer("next", START + 60, 3.0))
    assert untracked(book) == 0.25


def test_a_total_below_what_is_counted_books_nothing(book):
    book.apply(answer(), totals(0.4))
    assert untracked(book) == 0.0


def test_a_rounding_of_the_client_is_no_side_call(book):
    book.apply(answer(), totals(1.0000004))
    assert untracked(book) == 0.0


def test_the_part_of_each_model_is_booked_for_it(book):
    told = totals(1.5, by_model=(("claude-opus-4-6", 1.1), ("claude-haiku-4-5", 0.3)))
    book.apply(answer(), told)
    assert untracked(book) == 0.5
    assert booked(book) == [
        ("", 10, 100_000),
        ("claude-haiku-4-5", 10, 300_000),
        ("claude-opus-4-6", 10, 100_000),
    ]


def test_money_keeps_its_time_when_its_model_becomes_known(book):
    book.apply(answer(), totals(1.5))
    book.commit()
    book.apply(totals(1.5, START + 500, by_model=(("claude-opus-4-6", 1.0), ("claude-haiku-4-5", 0.5))))
    assert untracked(book) == 0.5
    assert booked(book) == [("claude-haiku-4-5", 10, 500_000)]


def test_a_total_carried_over_clear_begins_with_the_session_before(book):
    book.apply(SessionInfo(A, START, pid=42), answer(), totals(1.25))
    book.commit()
    book.apply(
        SessionInfo(B, START + 100, pid=42, began_by="clear"), answer("m2", START + 105, 2.0, session=B),
        totals(3.5, START + 110, B),
    )  # fmt: skip
    assert untracked(book, B) == 0.25
    assert untracked(book, A) == 0.25


def test_a_total_carried_over_clear_from_an_unknown_session_is_not_booked(book):
    book.apply(SessionInfo(A, START, began_by="clear"), answer(usd=0.01), totals(541.0))
    assert untracked(book) == 0.0
    book.apply(totals(541.5, START + 20))
    assert untracked(book) == 0.5


OPUS, HAIKU = "claude-opus-4-6", "claude-haiku-4-5"


@pytest.mark.parametrize("reopened", [False, True], ids=["at once", "after a restart"])
def test_the_part_of_each_model_after_clear_is_what_it_has_beyond_its_own_baseline(book, reopened):
    first = totals(1.5, by_model=((OPUS, 1.1), (HAIKU, 0.4)))
    book.apply(SessionInfo(A, START, pid=42), answer(), first)
    book.apply(
        SessionInfo(B, START + 100, pid=42, began_by="clear"), answer("m2", START + 105, 2.0, session=B),
        totals(3.75, START + 110, B, by_model=((OPUS, 3.15), (HAIKU, 0.6))),
    )  # fmt: skip
    assert untracked(book, B) == 0.25
    if reopened:
        book.db.close()
        book.open()
    book.apply(totals(4.0, START + 120, B, by_model=((OPUS, 3.15), (HAIKU, 0.85))))
    assert untracked(book, B) == 0.5
    mine = [row for row in booked(book) if row[1] >= 100]
    assert mine == [(HAIKU, 110, 200_000), (OPUS, 110, 50_000), (HAIKU, 120, 250_000)]


def test_a_model_whose_baseline_nothing_tells_begins_with_its_first_report(book):
    book.apply(
        SessionInfo(A, START, began_by="clear"), answer(usd=0.01),
        totals(541.0, by_model=((OPUS, 500.0), (HAIKU, 41.0))),
    )  # fmt: skip
    assert untracked(book) == 0.0
    book.apply(totals(541.5, START + 20, by_model=((OPUS, 500.0), (HAIKU, 41.5))))
    assert untracked(book) == 0.5
    assert booked(book) == [(HAIKU, 20, 500_000)]


def test_a_total_by_model_that_began_again_adds_to_the_one_before(book):
    book.apply(answer(), totals(1.25, by_model=((OPUS, 1.0), (HAIKU, 0.25))))
    book.commit()
    again = totals(0.5, START + 60, by_model=((OPUS, 0.125), (HAIKU, 0.375)))
    book.apply(SessionInfo(A, START + 50, began_by="resume"), again)
    assert untracked(book) == 0.75
    assert booked(book) == [(HAIKU, 10, 250_000), (HAIKU, 60, 375_000), (OPUS, 60, 125_000)]


def test_a_fork_books_for_each_model_what_is_beyond_the_responses_it_copies(book):
    for path, session in (("/p/a.jsonl", A), ("/p/b.jsonl", B)):
        file = book.history.file("claude-code", path)
        file.session, file.first_at = session, START + (session == B)
        book.history.touch(file)
        book.history.apply("claude-code", [answer(session=session)], NOW, file)
        book.commit()
    book.apply(totals(1.25, START + 11, B, by_model=((OPUS, 1.0), (HAIKU, 0.25))))
    assert untracked(book, B) == 0.25
    assert booked(book) == [(HAIKU, 11, 250_000)]


def test_a_total_that_began_again_after_a_resume_adds_to_the_one_before(book):
    book.apply(answer(), totals(1.25))
    book.commit()
    book.apply(SessionInfo(A, START + 50, began_by="resume"), totals(0.5, START + 60))
    assert untracked(book) == 0.75


def test_a_fork_does_not_book_what_its_origin_booked(book):
    for path, session in (("/p/a.jsonl", A), ("/p/b.jsonl", B)):
        file = book.history.file("claude-code", path)
        file.session, file.first_at = session, START + (session == B)
        book.history.touch(file)
        book.history.apply("claude-code", [answer(session=session)], NOW, file)
        book.apply(totals(1.25, START + 10 + (session == B), session))
        book.commit()
    assert (untracked(book, A), untracked(book, B)) == (0.25, 0.0)


def test_what_is_untracked_survives_a_restart_and_is_not_booked_again(book):
    book.apply(answer(), totals(1.25))
    book.commit()
    book.db.close()
    book.open()
    book.apply(totals(1.25, START + 30))
    assert untracked(book) == 0.25
    assert booked(book) == [("", 10, 250_000)]


# -- places ------------------------------------------------------------------------------------------------------


def test_a_response_belongs_to_the_folder_of_its_own_record(book):
    shop, ui = Place("/home/me/shop", "main"), Place("/home/me/shop/ui", "main")
    book.apply(
        SessionInfo(A, START, cwd=shop.cwd, branch="main"), answer(place=shop),
        SessionInfo(A, START + 9, cwd=ui.cwd), answer("m2", START + 9, 0.5, place=ui),
    )  # fmt: skip
    book.commit()
    by_place = {cell.place: cell.sum.cost for cell in spans.cells(book.db, EVERYTHING, spans.Only())}
    assert by_place == {shop: PICO, ui: PICO // 2}
    folders = {folder: value.cost for _, folder, value in sums_since.by_folder(book.db, 0)}
    assert folders == {shop.cwd: PICO, ui.cwd: PICO // 2}


def test_a_response_without_a_place_belongs_to_its_sessions_folder(book):
    book.apply(SessionInfo(A, START, cwd="/home/me/shop"), answer())
    book.commit()
    assert [(folder, value.cost) for _, folder, value in sums_since.by_folder(book.db, 0)] == [
        ("/home/me/shop", PICO)
    ]


def test_a_total_that_only_the_clients_record_tells_has_a_baseline_as_well(book):
    book.apply(SessionInfo(A, START, pid=42), answer(), totals(1.25))
    book.commit()
    book.apply(
        SessionInfo(B, START + 100, pid=42, began_by="clear"), answer("m2", START + 105, 2.0, session=B)
    )
    book.apply(ClientTotals(B, None, 3.5))
    assert untracked(book, B) == 0.25


@pytest.mark.parametrize("order", [("compact", "clear"), ("clear", "compact"), ("clear", "resume")])
def test_what_began_a_session_outranks_what_it_went_on_after(book, order):
    for number, word in enumerate(order):
        book.apply(SessionInfo(A, START + number, began_by=word))
    assert book.session(A).began_by == "clear"


def test_a_fork_does_not_book_its_origins_sub_agents_whose_responses_it_does_not_copy(book):
    origin = [answer("m1", START), answer("m2", START + 60)]
    for path, session, agent, responses in (
        ("/p/a.jsonl", A, None, origin),
        ("/p/a/agent.jsonl", A, "s1", [answer("sub", START + 30, 0.5, agent="s1")]),
        ("/p/b.jsonl", B, None, [*(one._replace(session=B) for one in origin), answer("m3", START + 90, session=B)]),
    ):  # fmt: skip
        file = book.history.file("claude-code", path)
        file.session, file.agent, file.first_at = session, agent, START + (session == B)
        book.history.touch(file)
        book.history.apply("claude-code", responses, NOW, file)
    book.apply(totals(2.5, START + 61, A), totals(3.75, START + 91, B))
    assert (untracked(book, A), untracked(book, B)) == (0.0, 0.25)
