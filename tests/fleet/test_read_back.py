"""The totals of an engine: faults are plain sentences, and old numbers stay, marked as old."""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from aitop.fleet import engine, queries, totals, view
from aitop.fleet.asker import Asker
from aitop.segments import text_table

NOW = 1_790_000_000.0


def vector(*points):
    return {"status": "success", "data": {"resultType": "vector",
            "result": [{"metric": labels, "value": [NOW, str(value)]} for labels, value in points]}}  # fmt: skip


def good(expression):
    """An engine with two machines, one of them away."""
    if expression == queries.seen():
        return vector(
            ({"host": "a", "user": "u", "instance": "1"}, NOW - 5),
            ({"host": "b", "user": "u", "instance": "2"}, NOW - 7200),
        )
    if expression == queries.known():
        return vector(
            *(({"host": h, "user": "u", "instance": i}, 1) for h, i in (("a", "1"), ("b", "2"), ("c", "3")))
        )
    if expression in (queries.limits(), queries.resets()):
        labels = {"user": "u", "provider": "claude-code", "limit": "five_hour"}
        return vector((labels, 0.5 if expression == queries.limits() else NOW + 3600))
    if expression.startswith("count("):
        return vector(({}, 6))
    if expression.startswith("sum by (host)"):
        return vector(({"host": "a"}, 2), ({"host": "b"}, 3), ({"host": "c"}, 1))
    if expression.startswith("sum by"):
        return vector()
    return vector(({}, 6))


@pytest.fixture
def server():
    """`server.answer` is (status, body) or a function of the expression; `server.heads` are what was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self.server.heads.append(dict(self.headers))
            answer = self.server.answer
            if answer is None:
                self.server.release.wait(20)
                return
            status, data = (
                answer if isinstance(answer, tuple) else (200, json.dumps(answer(parse_qs(body)["query"][0])))
            )
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/steal")
            self.end_headers()
            self.wfile.write(data.encode())

        def log_message(self, *_):
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.answer, made.heads, made.release = good, [], threading.Event()
    made.url = f"http://127.0.0.1:{made.server_port}"
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.release.set()
    made.shutdown()
    made.server_close()
    thread.join()


def text(found, now=NOW):
    table = lambda rows, align, heads: text_table.lines(rows, align, heads=heads)  # noqa: E731
    return "\n".join(
        view.lines(found, now, ("host",), lambda usd: "-" if usd is None else f"${usd:.2f}", table)
    )


def test_totals_by_machine_with_the_ones_that_are_away_marked(server, home):
    found = totals.refresh(home, server.url, "", NOW)
    assert (found["total_usd"], found["problem"]) == (6, None)
    shown = text(found)
    assert "3 machines, 2 away" in shown
    assert "b (away 2 h)" in shown
    assert "c (away for more than a day)" in shown
    assert "a (away" not in shown
    assert "50 %" in shown
    assert os.stat(os.path.join(home, totals.NAME)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, ""), "refuses the credentials (401): see fleet.credentials"),
        ((404, ""), "is it the right address"),
        ((200, "<html>hello</html>"), "does not answer as Prometheus does"),
        ((200, "[]"), "does not answer as Prometheus does"),
        ((200, '{"data":{"result":[{"metric":{},"value":[1,"x"]}]}}'), "does not answer as Prometheus does"),
        ((422, '{"error":"too many \\u001b[31msamples"}'), "answers 422: too many [31msamples"),
        ((302, ""), "answers 302"),
    ],
)  # fmt: skip
def test_a_fault_is_a_plain_sentence_and_the_old_numbers_stay(server, home, answer, words):
    totals.refresh(home, server.url, "", NOW)
    server.answer = answer
    found = totals.refresh(home, server.url, "", NOW + 3600)
    assert words in found["problem"]
    assert (found["total_usd"], found["at"]) == (6, NOW)
    shown = text(found, NOW + 3600)
    assert "these numbers are 60 min old" in shown
    assert words in shown


def test_an_engine_that_hangs_costs_its_time_limit_and_no_more(server, home, monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.3)
    server.answer = None
    assert "did not answer within 0.3 s" in totals.refresh(home, server.url, "", NOW)["problem"]


def test_nothing_listens_and_no_address(home):
    assert "cannot be reached" in totals.refresh(home, "http://127.0.0.1:9", "", NOW)["problem"]
    assert "no http or https address" in totals.refresh(home, "file:///etc/passwd", "", NOW)["problem"]


def test_numbers_of_another_engine_are_not_kept_under_this_ones_name(server, home):
    totals.refresh(home, server.url, "", NOW)
    found = totals.refresh(home, "http://127.0.0.1:9", "", NOW)
    assert found["at"] is None
    assert "total_usd" not in found
    assert "nothing is known" in text(found)


@pytest.mark.parametrize(("secret", "sent"), [("ada:pw", "Basic YWRhOnB3"), ("tok", "Bearer tok")])
def test_credentials_are_read_from_their_file(server, home, tmp_path, secret, sent):
    (tmp_path / "c").write_text(secret + "\n")
    totals.refresh(home, server.url, str(tmp_path / "c"), NOW)
    assert {head["Authorization"] for head in server.heads} == {sent}
    assert "cannot be read" in totals.refresh(home, server.url, str(tmp_path / "none"), NOW)["problem"]


def test_the_listeners_thread_asks_at_once_and_ends_when_told(server, home):
    told = []
    asker = Asker(home, server.url, "", 60, told.append)
    deadline = time.monotonic() + 20
    while asker.summary is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (asker.summary["total_usd"], asker.summary["stale_machines"]) == (6, 3)  # that clock is years back
    asker.close()
    assert told == []


@pytest.mark.parametrize("content", ["", "[]", "{}", "nonsense", '{"url": 1}'])
def test_a_damaged_copy_is_as_none_or_shows_nothing(home, content):
    with open(os.path.join(home, totals.NAME), "w") as file:
        file.write(content)
    found = totals.read(home)
    assert found is None or "nothing is known" in text(found)


@pytest.mark.real
def test_the_fleet_on_a_terminal_leaves_with_q_and_shows_nothing_else(home, tmp_path):
    import pty
    import subprocess
    import sys

    from golden.home import ROOT

    main, side = pty.openpty()
    environ = os.environ | {"PYTHONPATH": ROOT, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "aitop", "top", "--fleet"],
        stdin=side,
        stdout=side,
        stderr=side,
        env=environ,
    )
    os.close(side)
    shown = b""
    while b"q leaves" not in shown:
        shown += os.read(main, 65536)
    os.write(main, b"q")
    try:
        while data := os.read(main, 65536):
            shown += data
    except OSError:  # Linux: the other side has closed
        pass
    assert process.wait(30) == 0
    os.close(main)
    assert b"nothing is known of a fleet" in shown
    assert b"\x1b[?1003h" not in shown  # the full table follows the mouse
