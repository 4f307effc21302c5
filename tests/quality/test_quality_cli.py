"""`aitop quality` as a user runs it: off reads nothing, on asks only the named host and keeps only numbers."""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner
from support.lines import assistant, encode, stamp, text

from aitop.fleet import evaluations
from aitop.quality import cli
from aitop.reports import catchup

SECRET = "correct-horse-battery-staple"
SESSION = "11111111-2222-4333-8444-555555555555"
GOOD = {name: {"score": 4, "confidence": 0.9} for name in ("groundedness", "relevance", "safety")}


class Server:
    """A scripted judge on loopback; `asked` holds the requests' bodies."""

    def __init__(self, redirect=None):
        self.asked = asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                if redirect:
                    self.send_response(307)
                    self.send_header("Location", redirect)
                    self.end_headers()
                    return
                body = json.dumps({
                    "choices": [{"message": {"content": json.dumps(GOOD)}}],
                    "usage": {"prompt_tokens": 500, "completion_tokens": 40},
                }).encode()  # fmt: skip
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server():
    found = Server()
    yield found
    found.close()


@pytest.fixture
def turn(tmp_path, monkeypatch):
    """One finished turn of Claude Code, its words a secret."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".claude" / "projects" / "-w"
    folder.mkdir(parents=True)
    at = time.time() - 600
    asked = {"type": "user", "uuid": "u", "sessionId": SESSION, "timestamp": stamp(at), "cwd": "/work/shop",
             "message": {"role": "user", "content": f"why {SECRET}"}}  # fmt: skip
    answered = assistant("m", at + 5, content=[text(f"because {SECRET}")], session=SESSION)
    (folder / f"{SESSION}.jsonl").write_bytes(encode([asked, answered]))


@pytest.fixture
def configure(tmp_path, monkeypatch):
    def write(**values):
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        (tmp_path / "config.toml").write_text("\n".join(["[quality]", *lines]))
        monkeypatch.setenv("AITOP_CONFIG", str(tmp_path / "config.toml"))

    return write


def aitop(*words, code=0):
    done = CliRunner().invoke(cli.quality, words)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def files_with(secret, folder):
    found = []
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name), "rb") as file:
                if secret.encode() in file.read():
                    found.append(name)
    return found


def test_off_it_asks_no_host_and_leaves_no_file(turn, server, configure, home):
    configure(url=server.url, model="llama3")
    assert "switches it on" in aitop("run")
    assert aitop("run", "--quiet") == ""
    assert server.asked == []
    assert not os.path.exists(os.path.join(home, "quality.db"))


def test_on_the_named_host_gets_the_turn_and_the_disk_gets_numbers(turn, server, configure, home):
    configure(enabled=True, url=server.url, model="llama3")
    assert aitop("run").startswith("1 of 1 turns judged, $0.0000")
    assert SECRET in json.dumps(server.asked)
    assert files_with(SECRET, home) == []
    assert "0 of 0 turns judged" in aitop("run")  # once each
    assert len(server.asked) == 1


def test_a_redirect_to_another_host_is_not_followed(turn, configure, server, home):
    away = Server(redirect=f"{server.url}/chat/completions")
    try:
        configure(enabled=True, url=away.url, model="llama3")
        aitop("run", code=1)
    finally:
        away.close()
    assert server.asked == []


def test_a_proxy_of_the_environment_gets_nothing(turn, configure, server, home, monkeypatch):
    proxy = Server()
    try:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        configure(enabled=True, url=server.url, model="llama3")
        aitop("run")
    finally:
        proxy.close()
    assert proxy.asked == []


def test_the_judges_requests_are_counted_as_a_client_of_their_own(turn, server, configure, home):
    configure(enabled=True, url=server.url, model="llama3")
    aitop("run")
    db = catchup.catch_up(lambda *_: None).db
    rows = db.execute(
        "SELECT r.uncached, r.output FROM response r JOIN session s ON s.id = r.session WHERE s.provider = 'judge'"
    ).fetchall()
    assert rows == [(500, 40)]


def test_scores_stand_beside_the_cost_of_a_good_turn(turn, server, configure, home):
    configure(enabled=True, url=server.url, model="llama3")
    aitop("run")
    found = json.loads(aitop("show", "--json"))
    (row,) = found["rows"]
    assert (row["turns"], row["good"], row["relevance"], row["judge"]) == (1, 1, 1.0, "llama3")
    db = catchup.catch_up(lambda *_: None).db
    cost = db.execute(
        "SELECT cost FROM response WHERE message_key IS NOT NULL ORDER BY cost DESC"
    ).fetchone()[0]
    assert row["cost_usd_per_good_turn"] == pytest.approx(cost / 1e12)
    assert [row["name"] for row in json.loads(aitop("show", "--by", "project", "--json"))["rows"]] == ["shop"]
    assert "groundedness" in aitop("show", "--by", "week")


def test_the_judge_is_held_against_the_users_own_marks(turn, server, configure, home):
    configure(enabled=True, url=server.url, model="llama3")
    aitop("run")
    aitop("mark", SESSION[:8], "bad")
    assert json.loads(aitop("show", "--json"))["agreement"] == {"sessions": 1, "agree": 0, "share": 0.0}
    aitop("mark", SESSION[:8], "good")
    assert "agrees with you in 1 of 1" in aitop("show")
    aitop("mark", SESSION[:8], "none")
    assert json.loads(aitop("show", "--json"))["agreement"]["share"] is None


def test_signals_need_no_judge(turn, home):
    found = json.loads(aitop("show", "--json"))
    assert found["rows"] == []
    assert found["signals"] == [{"model": "claude-opus-4-6", "responses": 1, "cut_off": 0, "refused": 0}]
    assert "Only responses that name a stop reason are counted" in aitop("show")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "quality.url and quality.model"),
        ({"url": "http://judge.example/v1", "model": "m"}, "only over https://"),
        ({"url": "https://judge.example/v1", "model": "m", "key_file": "/nowhere"}, "cannot be read"),
    ],
)
def test_what_is_missing_is_named_before_any_text_is_read(turn, configure, home, values, words):
    configure(enabled=True, **values)
    assert words in aitop("run", code=1)


def test_a_key_that_others_can_read_is_not_used(turn, configure, home, tmp_path):
    (tmp_path / "key").write_text("k")
    (tmp_path / "key").chmod(0o644)
    configure(enabled=True, url="https://judge.example/v1", model="m", key_file=str(tmp_path / "key"))
    assert "chmod 600" in aitop("run", code=1)


# -- the export --------------------------------------------------------------------------------------------------


class Receiver:
    """What takes OTLP events; `took` holds (path, headers, body). `code`: what it answers."""

    def __init__(self):
        self.took = took = []
        self.code = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                took.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.code)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def records(self):
        """The attributes of each event, those of OTLP's values unwrapped."""
        return [
            {one["key"]: next(iter(one["value"].values())) for one in record["attributes"]}
            | {"event": record["eventName"]}
            for _, _, body in self.took
            for record in body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        ]


@pytest.fixture
def receiver():
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def exporting(tmp_path, configure, server, receiver):
    def write(*lines):
        configure(enabled=True, url=server.url, model="llama3")
        with open(tmp_path / "config.toml", "a") as file:
            push = f'[fleet]\npush = "{receiver.url}/v1/metrics"\npush_headers = ["x-team=a"]\n'
            file.write("\n" + push + "\n".join(lines) + "\n")

    return write


def test_scores_go_to_the_users_receiver_once_by_their_names_in_the_conventions(
    turn, exporting, receiver, home
):
    exporting()
    aitop("run")
    aitop("run")
    assert [(path, headers["x-team"]) for path, headers, _ in receiver.took] == [("/v1/logs", "a")]
    records = receiver.records()
    assert {record["gen_ai.evaluation.name"] for record in records} == {"groundedness", "relevance", "safety"}
    for record in records:
        assert record["event"] == "gen_ai.evaluation.result"
        assert (record["gen_ai.evaluation.score.value"], record["gen_ai.evaluation.score.label"]) == (
            1.0,
            "good",
        )
        assert record["gen_ai.response.model"] == "claude-opus-4-6"
        assert record["aitop.evaluation.judge"] == "llama3"
    sent = json.dumps(receiver.took)
    assert SECRET not in sent
    assert SESSION not in sent


def test_scores_that_did_not_arrive_are_sent_the_next_time(turn, exporting, receiver, home):
    exporting()
    receiver.code = 503
    assert "did not take the scores (503)" in aitop("run")
    receiver.code = 200
    aitop("run", "--quiet")
    assert len(receiver.took) == 2
    assert receiver.took[0][2] == receiver.took[1][2]


def test_names_in_the_export_are_shaped_as_labels_and_times_cut_off(turn, exporting, receiver, home):
    exporting('model = "hashed"', 'user = "off"', 'host = "off"', "step_minutes = 60")
    aitop("run")
    (record, *_) = receiver.records()
    assert record["gen_ai.response.model"] != "claude-opus-4-6"
    assert not {"aitop.user", "aitop.host"} & set(record)
    (_, _, body) = receiver.took[0]
    times = [int(one["timeUnixNano"]) for one in body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]]
    assert all(time_ % (3600 * 10**9) == 0 for time_ in times)


def test_without_a_receiver_no_score_leaves(turn, configure, server, receiver, home):
    configure(enabled=True, url=server.url, model="llama3")
    aitop("run")
    assert receiver.took == []


@pytest.mark.parametrize(
    ("metrics", "logs"),
    [("http://c:4318/v1/metrics", "http://c:4318/v1/logs"), ("http://v/opentelemetry/v1/metrics/", "http://v/opentelemetry/v1/logs"),
     ("http://c/write", None), ("", None)],
)  # fmt: skip
def test_events_go_beside_the_metrics(metrics, logs):
    assert evaluations.endpoint(metrics) == logs
