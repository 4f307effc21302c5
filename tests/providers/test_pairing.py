"""Telemetry and a client's files tell of the same response: it counts once, in whichever order they come."""

import itertools

import pytest
from support import otlp_bodies as bodies
from support.desk import PRICES
from support.otlp_bodies import SESSION, START
from support.worlds import in_memory

from aitop import otlp
from aitop.history import keys, schema
from aitop.history.store import History
from aitop.model.events import Response, Usage
from aitop.model.sums import PICO, Sum
from aitop.otlp import JSON
from aitop.providers import claude_code

NOW = float(START + 1000)
NUMBERS = Usage(3000, 50, 6000, 0, 0, 20)


class Book:
    """A history that a file and a feed write into; `prepared`: the file's runs as a helper sends them."""

    prepared = False

    def __init__(self, path=":memory:", provider="codex"):
        self.path, self.provider = path, provider
        self.open()

    def open(self):
        exact = float("inf") if self.prepared else 0.0
        db = in_memory() if self.path == ":memory:" else schema.connect(str(self.path))
        self.history = History(db, PRICES, exact=exact)

    def _file(self, name):
        file = self.history.file(self.provider, name)
        file.session, file.first_at = SESSION if self.provider == "claude-code" else "th1", float(START)
        self.history.touch(file)
        return file

    def written(self, *responses, name="/rollout.jsonl"):
        file = self._file(name)
        if self.prepared:
            self.history.take(self.provider, self.history.prepare(responses, NOW), NOW, file)
        else:
            self.history.apply(self.provider, responses, NOW, file)
        return self

    def fed(self, *responses):
        self.history.apply(self.provider, responses, NOW)
        return self

    def commit(self):
        self.history.settle(NOW)
        self.history.commit()
        return self

    def again(self):
        """As after a start of the listener."""
        self.history.db.close()
        self.open()
        return self

    def sessions(self):
        self.commit()
        names = [name for (name,) in self.history.db.execute("SELECT name FROM session ORDER BY name")]
        return {name: Sum(*self.history.session(self.provider, name).total) for name in names}

    def total(self):
        (found,) = self.sessions().values()
        return found


@pytest.fixture(autouse=True, params=[False, True], ids=["one by one", "prepared"])
def way(request, monkeypatch):
    monkeypatch.setattr(Book, "prepared", request.param)


def rollout(number=1, at=START, usage=NUMBERS, **more):
    return Response("th1", at, "gpt-5.1-codex", usage, f"th1:resp_{number}", stop_reason="completed", **more)


def event(at=START + 1, usage=NUMBERS, session="th1", **more):
    return Response(session, at, "gpt-5.1-codex", usage, record_id=f"{session}:{at}", stop_reason="completed",
                    ttft_ms=620.0, **more)  # fmt: skip


ORDERS = [("file", "feed"), ("feed", "file")]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("commits", [True, False])
def test_without_a_common_id_the_two_words_are_one_response(order, commits):
    book = Book()
    for word in order:
        (book.written(rollout()) if word == "file" else book.fed(event()))
        if commits:
            book.commit()
    assert book.total().requests == 1
    assert book.history.db.execute("SELECT ttft_ms, message_key FROM response").fetchone() == (
        620,
        keys.key("m", "th1:resp_1"),
    )


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["file", "file", "feed", "feed"]))))
def test_two_equal_calls_stay_two(order):
    book, files, feeds = Book(), iter((1, 2)), iter((1, 2))
    for word in order:
        if word == "file":
            number = next(files)
            book.written(rollout(number, START + number))
        else:
            book.fed(event(START + next(feeds) + 0.5))
    assert book.total().requests == 2
    assert book.history.db.execute("SELECT count(*) FROM response WHERE ttft_ms = 620").fetchone() == (2,)


def test_two_equal_calls_of_which_telemetry_tells_one_stay_two():
    assert Book().written(rollout(1), rollout(2, START + 3)).fed(event()).total().requests == 2


def test_what_only_telemetry_tells_counts():
    assert Book().written(rollout()).fed(event(usage=Usage(1, 2))).total().requests == 2


@pytest.mark.parametrize(
    "other", [{"at": START + 601.5}, {"session": "th2"}, {"usage": NUMBERS._replace(output_tokens=51)}]
)
@pytest.mark.parametrize("order", ORDERS)
def test_what_differs_in_time_session_or_numbers_is_another_response(order, other):
    book = Book()
    for word in order:
        (book.written(rollout()) if word == "file" else book.fed(event(**other)))
    assert sum(total.requests for total in book.sessions().values()) == 2


def test_the_same_telemetry_again_changes_nothing():
    assert Book().written(rollout()).fed(event()).fed(event()).total().requests == 1


def test_what_waits_for_its_file_waits_over_a_restart(tmp_path):
    book = Book(tmp_path / "history.db").fed(event()).commit().again()
    assert book.written(rollout()).total().requests == 1


def test_what_a_failed_commit_took_back_is_paired_again():
    book = Book().fed(event()).commit()
    book.written(rollout())
    book.history.abandon()
    assert book.written(rollout()).total().requests == 1


def test_a_sub_agents_thread_is_its_parents_and_telemetry_does_not_make_it_the_main_one():
    agent = rollout(agent="th2")
    book = Book().written(agent).fed(event(session="th2"))
    assert list(book.sessions()) == ["th1"]
    assert book.history.db.execute("SELECT agent, copies FROM response").fetchone() == ("th2", 1)


# -- Claude Code: one id in both ---------------------------------------------------------------------------------


def request(**more):
    tree = bodies.logs(bodies.request(**more))
    return claude_code.provider.telemetry(otlp.decode("logs", bodies.as_json(tree), JSON), NOW)[0]


def line(output=383, stop="end_turn"):
    return Response(SESSION, START - 1, "claude-opus-5-5", Usage(273, output, 5000, 500, 1500), "msg_1", "req_1",
                    stop_reason=stop)  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
def test_a_request_with_an_id_is_the_transcripts_response(order):
    book = Book(provider="claude-code")
    for word in order:
        (book.written(line()) if word == "file" else book.fed(request()))
    total = book.sessions()[SESSION]
    assert (total.requests, total.cost / PICO, total.incomplete_requests) == (1, 0.024252, 0)
    found = book.history.db.execute("SELECT at, stop_reason, duration_ms, ttft_ms FROM response").fetchone()
    assert found == (START - 1, "end_turn", 1930, 312)


@pytest.mark.parametrize("order", ORDERS)
def test_a_transcript_whose_last_line_is_an_estimate_is_set_right(order):
    book = Book(provider="claude-code")
    for word in order:
        (book.written(line(output=1, stop=None)) if word == "file" else book.fed(request()))
    total = book.sessions()[SESSION]
    assert (total.requests, total.output_tokens, total.incomplete_requests) == (1, 383, 0)


def test_a_hidden_call_costs_what_the_client_says_and_moves_neither_gauge_nor_count_of_agents():
    book = Book(provider="claude-code").written(line())
    hidden = {"query_source": "compact", "input_tokens": 90_000, "cost_usd": 0.5}
    book.fed(request(request_id="req_2", **hidden))
    assert book.sessions()[SESSION].cost / PICO == pytest.approx(0.524252)
    session = book.history.session("claude-code", SESSION)
    assert (session.context_tokens, session.agents) == (7273, set())


def test_without_a_request_id_a_transcript_is_found_by_its_numbers():
    book = Book(provider="claude-code").written(line())
    book.fed(request(request_id=""))
    assert book.sessions()[SESSION].requests == 1
