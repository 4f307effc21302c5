"""Answers on the socket: the status line of the session that asks, from what it just said."""

import json
import socket

import pytest

from aitop.listener.answers import Answers, parse
from aitop.providers import Feed
from aitop.receiver.payloads import Arrival, Question

SAID = {"session_id": "a", "model": {"display_name": "Opus 5.5"}, "context_window": {"used_percentage": 42}}
STATE = {"version": 1, "written_at": 1.0, "level": "ok", "today": {"requests": 3}, "windows": {"1m": {}},
         "sessions": [{"id": "a", "cost_usd": 1.0}], "display": {"billing": "api"}}  # fmt: skip


def question(asked, payload=SAID):
    return Question(Arrival("claude-code", Feed([], "a", "StatusLine", None, [], False)), payload, asked)


def answers(state=STATE):
    complaints = []
    return Answers(lambda: state, complaints.append), complaints


def test_a_line_is_answered_in_the_width_and_colours_that_were_asked_for():
    made, _ = answers()
    assert made.answer(question("line;no_color")).startswith("Opus 5.5 · ctx 42%".encode())
    assert made.answer(question("line;no_color;columns=8")) == b"Opus 5.5\n"
    assert made.answer(question("line;no_color;preset=burn")) == b"Opus 5.5\n"


def test_before_the_first_state_there_is_an_answer_too():
    made, _ = answers(None)
    assert made.answer(question("line;no_color")) == "Opus 5.5 · ctx 42%\n".encode()


def test_json_gives_the_line_the_session_and_the_sums():
    made, _ = answers()
    found = json.loads(made.answer(question("json;no_color")))
    assert found["line"].startswith("Opus 5.5")
    assert (found["session"]["id"], found["today"]["requests"], found["level"]) == ("a", 3, "ok")
    assert json.loads(made.answer(question("json", {"session_id": "other"})))["session"] is None


def test_sums_of_a_first_read_that_is_not_complete_are_lower_bounds_in_the_line_and_said_so_in_the_json():
    for complete, line in ((False, "≥$0.32 · ≥$1.00\n"), (True, "$0.32 · $1.00\n")):
        scan = {"done_bytes": 1, "total_bytes": 9, "complete": complete}
        look = {"statusline": {"format": "{cost_today} · {cost_session}"}}
        made, _ = answers(
            STATE | {"scan": scan, "today": {"spent_usd": 0.32}, "display": {"billing": "api"} | look}
        )
        assert made.answer(question("line;no_color")).decode() == line
        assert json.loads(made.answer(question("json")))["scan"] == scan


def test_an_unknown_format_gets_no_answer():
    made, complaints = answers()
    assert made.answer(question("xml")) is None
    assert complaints == []


def test_a_fault_in_rendering_costs_the_answer_only():
    made, complaints = answers({"sessions": 7, "display": 3, "today": []})
    made.answer(question("line"))
    broken = Answers(lambda: 1 / 0, complaints.append)
    assert broken.answer(question("line")) is None
    assert complaints == ["answer: ZeroDivisionError"]


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ("line", {}),
        ("line;columns=80;no_color", {"columns": 80, "colour": False}),
        ("line;columns=-1;columns=x;what=ever;", {}),
        ("line;preset=full", {"preset": "full"}),
    ],
)
def test_what_is_asked_for_is_read_from_the_header(asked, options):
    assert parse(asked) == ("line", options)


def test_the_running_listener_answers_on_the_same_connection(listener):
    listener.start()
    head = b"aitop/1\tprovider=claude-code\tevent=StatusLine\tanswer=line%3Bno_color\n"
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(f"{listener.home}/claudecode.sock")
        peer.sendall(head + json.dumps(SAID).encode())
        peer.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: peer.recv(1000), b""))
    assert answer.startswith("Opus 5.5 · ctx 42%".encode())
    assert answer.endswith(b"\n")
