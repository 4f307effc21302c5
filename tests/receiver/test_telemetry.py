"""The telemetry receiver: whom it lets in, what it answers, whose records go to whom, and how it is switched."""

import gzip
import http.client
import json
import os
import selectors
import signal
import socket
import stat
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support import otlp_bodies as bodies
from support.telemetry_desk import Desk, configured, free_port

from aitop import config, paths
from aitop.otlp import JSON, PROTOBUF
from aitop.receiver import forwarding, telemetry, token
from aitop.receiver.telemetry import TelemetryReceiver
from aitop.system.loopback import secret_file

NOW = float(bodies.START + 5)


@pytest.fixture
def desk(home):
    made = Desk(home)
    yield made
    made.telemetry.close()
    made.selector.close()


BODY = bodies.as_json(bodies.logs(bodies.request()))


# -- whom it lets in ---------------------------------------------------------------------------------------------


def test_the_token_is_made_once_and_nobody_else_can_read_it(desk, home):
    found = os.stat(os.path.join(home, paths.OTEL))
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert len(desk.token) == 2 * secret_file.BYTES
    assert token.read_or_make(home) == desk.token


def test_a_token_that_others_can_read_is_not_used(home):
    token.read_or_make(home)
    os.chmod(os.path.join(home, paths.OTEL), 0o644)
    with pytest.raises(OSError, match="chmod 600"):
        token.read_or_make(home)


def test_a_link_in_the_tokens_place_is_not_followed(home, tmp_path):
    (tmp_path / "elsewhere").write_text("x" * 64)
    os.symlink(tmp_path / "elsewhere", os.path.join(home, paths.OTEL))
    with pytest.raises(OSError, match="symbolic links"):
        token.read_or_make(home)


@pytest.mark.parametrize("shown", ["", "wrong", "é" * 48])
def test_without_the_token_nothing_is_taken_or_told(desk, shown):
    for path in ("/v1/logs", "/nowhere"):
        reply = desk.ask(BODY, path, shown=shown)
        assert reply.status == 401
    assert desk.arrived == []
    assert desk.telemetry.counts.rejected == 2


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}],
)
def test_a_web_page_is_refused_even_with_the_token(desk, headers):
    assert desk.ask(BODY, **headers).status == 403
    assert desk.arrived == []


def test_the_token_may_come_as_a_bearer(desk):
    assert desk.ask(BODY, shown="", authorization=f"Bearer {desk.token}").status == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"path": "/v1/nothing"}, 404), ({"method": "GET"}, 405), ({"method": "OPTIONS"}, 405),
        ({"content_type": "text/plain"}, 415), ({"content_encoding": "br"}, 415),
    ],
)  # fmt: skip
def test_what_is_not_asked_rightly_is_refused(desk, change, status):
    assert desk.ask(BODY, **change).status == status
    assert desk.arrived == []


def test_a_media_type_may_have_parameters(desk):
    assert desk.ask(BODY, content_type="application/json; charset=utf-8").status == 200


# -- what it answers ---------------------------------------------------------------------------------------------


def test_both_forms_are_taken_and_answered_in_kind(desk):
    reply = desk.ask(BODY)
    assert (reply.status, reply.media, json.loads(reply.body)) == (200, JSON, {"partialSuccess": {}})
    packed = bodies.as_protobuf("logs", bodies.logs(bodies.request()))
    reply = desk.ask(packed, content_type=PROTOBUF)
    assert (reply.status, reply.media, reply.body) == (200, PROTOBUF, b"")
    assert len(desk.events()) == 2


def test_a_gzipped_body_is_unpacked(desk):
    assert desk.ask(gzip.compress(BODY), content_encoding="gzip").status == 200
    assert len(desk.events()) == 1


def test_errors_are_told_in_the_requests_own_form(desk):
    reply = desk.ask(b"nonsense")
    assert (reply.status, reply.media) == (400, JSON)
    assert "no JSON" in json.loads(reply.body)["message"]
    reply = desk.ask(b"\x0b", content_type=PROTOBUF)
    assert (reply.status, reply.media) == (400, PROTOBUF)
    assert reply.body[:2] == bytes((0x12, len(reply.body) - 2))  # google.rpc.Status.message


@pytest.mark.parametrize(
    "packed",
    [b"no gzip", gzip.compress(BODY)[:-9], gzip.compress(BODY) + b"more", gzip.compress(b"{}", mtime=0) * 2, b"",
     zlib.compress(BODY)],
)  # fmt: skip
def test_what_is_no_gzip_is_malformed(desk, packed):
    assert desk.ask(packed, content_encoding="gzip").status == 400
    assert desk.arrived == []


def test_a_gzip_bomb_is_refused_before_it_is_large(desk):
    bomb = gzip.compress(b"0" * (telemetry.MAX_UNPACKED + 1))
    assert len(bomb) < 20_000
    assert desk.ask(bomb, content_encoding="gzip").status == 413


# -- whose it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "provider"),
    [("claude-code", "claude-code"), ("my-service", "otel"), ("claude-codex", "otel"), ("", "otel")],
)
def test_records_go_to_the_provider_whose_client_sent_them(desk, service, provider):
    call = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 7}
    tree = bodies.logs(bodies.request(), bodies.log("x", 1, **call), service=service)
    assert desk.ask(bodies.as_json(tree)).status == 200
    assert {name for name, _ in desk.events()} == {provider}


def test_a_provider_that_is_switched_off_gets_nothing(desk):
    off = config.parse(b"[otel]\nenabled = true\n[providers.claude-code]\nenabled = false", "c.toml")
    kept = [one for one in desk.providers if off.provider(one.name).enabled is not False]
    desk.telemetry.configure(configured(desk.port), kept)
    assert desk.ask(BODY).status == 200
    assert desk.events() == []


class Foreign:
    """Another package's provider, whose client sends telemetry."""

    name = "foreign"
    services = ("foreign",)

    def telemetry(self, records, now):
        return ["no event"]

    def _nothing(self, *_):
        return None

    folders = wants = identify = parse = context_limit = feed = _nothing


def test_another_packages_provider_that_fails_is_switched_off_and_the_rest_go_on(desk):
    from aitop.providers.isolation import Guarded

    foreign = Guarded("foreign", Foreign(), trusted=False)
    desk.telemetry.configure(configured(desk.port), [foreign, *desk.providers])
    assert desk.ask(bodies.as_json(bodies.logs(bodies.request(), service="foreign-cli"))).status == 200
    assert desk.ask(BODY).status == 200
    assert [name for name, _ in desk.events()] == ["claude-code"]
    assert "telemetry()" in foreign.problem


@pytest.mark.parametrize("services", ["foreign", ("",), (1,)])
def test_services_that_are_no_names_are_refused_at_once(services):
    from aitop.providers.isolation import Guarded

    foreign = Foreign()
    foreign.services = services
    with pytest.raises(TypeError, match="tuple of service names"):
        Guarded("foreign", foreign, trusted=False)


# -- switching ---------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told_and_the_token_stays(home):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        selector = selectors.DefaultSelector()
        receiver = TelemetryReceiver(home, selector, print, lambda _: None)
        receiver.configure(configured(other.getsockname()[1]), [])
        assert "choose another otel.port" in receiver.doctor()["problem"]
        assert receiver.doctor()["port"] is None
        other_port = free_port()
        receiver.configure(configured(other_port), [])
        assert receiver.doctor()["problem"] is None
        assert receiver.doctor()["port"] == other_port
        receiver.close()
        selector.close()


def test_switched_off_it_says_nothing_and_lets_the_port_go(desk):
    desk.telemetry.configure(config.Config(), desk.providers)
    assert desk.telemetry.doctor() is None
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", desk.port))


def post(port, body, path="/v1/logs", **headers):
    peer = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        peer.request("POST", path, body, {"content-type": JSON} | headers)
        answer = peer.getresponse()
        return answer.status, answer.read()
    finally:
        peer.close()


def switch(path, port, **more):
    values = {"enabled": True, "port": port} | more
    path.write_text("[otel]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items()))


def test_a_listener_counts_what_it_is_sent_and_follows_its_configuration(home, tmp_path, listener):
    file, first, second = tmp_path / "config.toml", free_port(), free_port()
    file.write_text("")
    listener.start(AITOP_CONFIG=str(file), CLAUDE_CONFIG_DIR=str(tmp_path / "none"))
    assert listener.state()["doctor"]["otel"] is None
    assert not os.path.exists(os.path.join(home, paths.OTEL))
    for port in (first, second):
        switch(file, port)
        listener.signal(signal.SIGHUP)
        listener.wait_for(lambda state, port=port: (state["doctor"]["otel"] or {}).get("port") == port)
    with pytest.raises(ConnectionRefusedError):
        post(first, BODY)
    assert post(second, BODY)[0] == 401
    assert post(second, BODY, **{"x-aitop-token": token.read(home)})[0] == 200
    state = listener.wait_for(lambda state: state["sessions"])
    (session,) = state["sessions"]
    assert (session["provider"], session["requests"], session["cost_usd"]) == ("claude-code", 1, 0.024252)
    assert session["ttft_p50_ms"] == pytest.approx(312, rel=0.05)
    listener.wait_for(
        lambda state: (state["doctor"]["otel"]["received"], state["doctor"]["otel"]["rejected"]) == (1, 1)
    )


def test_a_listener_whose_port_is_taken_goes_on_without(home, tmp_path, listener):
    file = tmp_path / "config.toml"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        switch(file, other.getsockname()[1])
        listener.start(AITOP_CONFIG=str(file), CLAUDE_CONFIG_DIR=str(tmp_path / "none"))
        state = listener.wait_for(lambda state: state["doctor"]["otel"])
    assert "choose another otel.port" in state["doctor"]["otel"]["problem"]


def test_a_listener_without_the_extra_goes_on_and_says_what_is_missing(home, tmp_path, listener):
    (tmp_path / "h11.py").write_text("raise ModuleNotFoundError('none here', name='h11')\n")
    file = tmp_path / "config.toml"
    switch(file, free_port())
    listener.start(AITOP_CONFIG=str(file), CLAUDE_CONFIG_DIR=str(tmp_path / "none"), PYTHONPATH=str(tmp_path))
    state = listener.wait_for(lambda state: state["doctor"]["otel"])
    assert state["doctor"]["otel"] == {"problem": token.missing()}


# -- forwarding --------------------------------------------------------------------------------------------------


class Collector:
    """The user's own collector; `status` may be changed, `hold` keeps it from answering."""

    def __init__(self):
        collector = self
        self.got, self.status, self.hold = [], 200, threading.Event()
        self.hold.set()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.hold.wait(20)
                collector.got.append((self.path, dict(self.headers), body))
                self.send_response(collector.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def collector():
    served = Collector()
    yield served
    served.close()


def test_what_is_received_is_passed_on_as_it_came(home, tmp_path, listener, collector):
    file, port = tmp_path / "config.toml", free_port()
    switch(file, port, forward=f"{collector.url}/base/")
    listener.start(AITOP_CONFIG=str(file), CLAUDE_CONFIG_DIR=str(tmp_path / "none"))
    packed = gzip.compress(BODY)
    shown = {"x-aitop-token": token.read(home), "content-encoding": "gzip", "x-api-key": "theirs"}
    assert post(port, packed, **shown)[0] == 200
    state = listener.wait_for(lambda state: state["doctor"]["otel"]["forward"]["sent"])
    assert state["today"]["requests"] or listener.wait_for(lambda state: state["sessions"])
    ((path, headers, body),) = collector.got
    assert (path, body) == ("/base/v1/logs", packed)
    names = {name.lower(): value for name, value in headers.items()}
    assert (names["content-encoding"], names["x-api-key"]) == ("gzip", "theirs")
    assert "x-aitop-token" not in names


def test_a_collector_that_fails_or_is_gone_is_told_and_costs_the_sender_nothing(
    home, tmp_path, listener, collector
):
    file, port = tmp_path / "config.toml", free_port()
    switch(file, port, forward=collector.url)
    listener.start(AITOP_CONFIG=str(file), CLAUDE_CONFIG_DIR=str(tmp_path / "none"))
    collector.status = 503
    shown = {"x-aitop-token": token.read(home)}
    assert post(port, BODY, **shown)[0] == 200
    state = listener.wait_for(lambda state: state["doctor"]["otel"]["forward"]["failed"] == 1)
    assert "answers 503" in state["doctor"]["otel"]["forward"]["problem"]
    collector.hold.clear()  # it takes the connection and says nothing
    for _ in range(3):
        assert post(port, BODY, **shown)[0] == 200
    assert listener.wait_for(lambda state: state["doctor"]["otel"]["received"] == 4)


class Full(forwarding.Forwarder):
    def _start(self):
        pass


def test_a_full_queue_loses_the_newest_and_counts_it(monkeypatch):
    monkeypatch.setattr(forwarding, "MAX_QUEUED", 3000)
    queue = Full("http://nowhere", selectors.DefaultSelector())
    for _ in range(5):
        queue.put("/v1/logs", {}, b"x" * 1000)
    assert (len(queue._queue), queue.lost) == (2, 3)


def test_the_process_that_forwards_is_started_again(collector):
    selector = selectors.DefaultSelector()
    forwarder = forwarding.Forwarder(collector.url, selector)
    forwarder._process.kill()
    forwarder._process.wait()
    pump(selector, lambda: forwarder._process is None)
    forwarder.sweep(100.0)
    assert forwarder._process is None
    assert "started again" in forwarder.doctor()["problem"]
    forwarder.sweep(100.0 + forwarding.RESTART_SECONDS)
    forwarder.put("/v1/logs", {}, b"again")
    pump(selector, lambda: forwarder.sent)
    assert [body for _, _, body in collector.got] == [b"again"]
    forwarder.close()
    selector.close()


def pump(selector, done):
    for _ in range(2000):
        if done():
            return
        for key, _ in selector.select(0.01):
            key.data(0.0, NOW)
    pytest.fail("it never came")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a:4318", "http://a:4318"),
        ("https://u:secret@a.b/x/y?key=secret", "https://a.b/x/y"),
        ("odd", "odd"),
    ],
)
def test_a_password_in_the_collectors_address_is_not_shown(url, shown):
    assert forwarding.shown(url) == shown


def test_forwarding_to_oneself_is_refused(home):
    port = free_port()
    selector = selectors.DefaultSelector()
    receiver = TelemetryReceiver(home, selector, print, lambda _: None)
    receiver.configure(configured(port, forward=f"http://localhost:{port}"), [])
    assert "our own port" in receiver.doctor()["problem"]
    assert receiver.doctor()["forward"] is None
    receiver.close()
    selector.close()
