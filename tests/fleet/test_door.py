"""The door for a scraper: who may ask, what it answers, and what a bad peer costs."""

import http.client
import os
import socket
import time

import pytest

from aitop import paths
from aitop.config import Config
from aitop.fleet import scrape_lock, service
from aitop.fleet.door import MOST, Door, Page
from aitop.history import schema
from aitop.system.loopback import secret_file


@pytest.fixture
def door():
    asked = []

    def answer(accept):
        asked.append(accept)
        return Page(200, "text/plain", b"x" * 2_000_000)

    opened = []

    def make(token=None):
        opened.append(Door("127.0.0.1", 0, token, answer))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def ask(door, method="GET", path="/metrics", **headers):
    peer = http.client.HTTPConnection("127.0.0.1", door.port, timeout=20)
    peer.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = peer.getresponse()
    body = answer.read()
    peer.close()
    return answer.status, body


def test_a_large_page_arrives_whole(door):
    assert ask(door()) == (200, b"x" * 2_000_000)


def test_head_has_no_body(door):
    assert ask(door(), "HEAD") == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/metrics", 405), ("GET", "/", 404), ("DELETE", "/metrics", 405)]
)
def test_nothing_else_is_here(door, method, path, status):
    assert ask(door(), method, path)[0] == status


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}],
)
def test_a_web_page_gets_nothing(door, headers):
    status, body = ask(door(), **headers)
    assert (status, b"xx" in body) == (403, False)


@pytest.mark.parametrize("head", [
    b"GET /metrics HTTP/1.1\r\nno header\r\nSec-Fetch-Site: cross-site\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nOrigin: https://evil.example\r\nOrigin: http://localhost\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\n \r\n\r\n",
])  # fmt: skip
def test_a_head_that_can_be_read_in_two_ways_gets_nothing(door, head):
    with socket.create_connection(("127.0.0.1", door().port), 10) as peer:
        peer.sendall(head)
        assert peer.makefile("rb").read().startswith(b"HTTP/1.0 400 ")


def test_with_a_token_only_who_shows_it_gets_an_answer(door):
    mine = door(token="secret")
    assert ask(mine)[0] == 401
    assert ask(mine, authorization="Bearer wrong")[0] == 401
    assert ask(mine, authorization="Bearer secret")[0] == 200


@pytest.mark.slow  # it waits for an end of time
def test_slow_peers_do_not_keep_a_scrape_out(door):
    mine = door()
    peers = [socket.create_connection(("127.0.0.1", mine.port)) for _ in range(3 * MOST)]
    for peer in peers:
        peer.sendall(b"GET /metrics HT")
    assert ask(mine)[0] == 200
    for peer in peers:
        peer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"A" * 200_000 + b"\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 5000 + b"\r\n",
    ],
)
def test_nonsense_costs_only_its_own_connection(door, data, capsys):
    mine = door()
    with socket.create_connection(("127.0.0.1", mine.port), timeout=10) as peer:
        try:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):
                pass
        except OSError:
            pass
    assert ask(mine)[0] == 200
    assert capsys.readouterr().err == ""


def config(**keys):
    return Config(dict(Config().values) | {f"fleet.{key}": value for key, value in keys.items()})


def test_an_address_beyond_this_machine_asks_for_the_token(home):
    assert service.token(home, config()) is None
    assert service.token(home, config(token=True)) == secret_file.read(os.path.join(home, service.TOKEN))
    assert service.token(home, config(address="0.0.0.0"))


def test_a_port_in_use_is_told_in_words_once_and_tried_again(home):
    told = []
    mine = service.Service(home, told.append)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        mine.configure(config(enabled=True, port=port))
        assert f"127.0.0.1:{port} is not available" in mine.published()["problem"]
        mine.sweep(time.monotonic() + 2 * service.RETRY_SECONDS)
        assert len(told) == 1
    mine.sweep(time.monotonic() + 2 * service.RETRY_SECONDS)
    assert mine.published() == {"port": port, "problem": None}
    mine.configure(config(enabled=False, port=port))
    assert mine.published() is None
    mine.close()


def test_memory_is_handed_back_after_each_reading_of_the_history_and_only_then(home, monkeypatch):
    pytest.importorskip("prometheus_client")
    from aitop.fleet import exporter

    handed_back = []
    monkeypatch.setattr(exporter, "COST", 0)  # each change is read at once
    monkeypatch.setattr(service, "_give_back", lambda: handed_back.append(mine._exporter.readings))
    mine = service.Service(home, print)
    mine._config = config()
    db = schema.connect(os.path.join(home, paths.HISTORY))

    def scraped(times):
        for _ in range(times):
            assert mine._answer("").status == 200
        return handed_back

    assert scraped(5) == [1, 2]  # a change is read once more
    db.execute("INSERT INTO model (name) VALUES ('opus')")
    assert scraped(5) == [1, 2, 3, 4]
    db.close()


def test_a_dear_first_reading_does_not_hold_up_the_next(home, monkeypatch):
    pytest.importorskip("prometheus_client")
    from aitop.fleet import exporter

    monkeypatch.setattr(
        exporter, "COST", 1_000_000
    )  # each reading after the first holds up the next for minutes
    mine = service.Service(home, print)
    mine._config = config()
    db = schema.connect(os.path.join(home, paths.HISTORY))
    for wanted in (1, 2, 2):
        assert mine._answer("").status == 200
        assert mine._exporter.readings == wanted
        db.execute("INSERT INTO model (name) VALUES (?)", (f"opus {wanted} {time.monotonic()}",))
    db.close()


def test_a_fork_waits_for_a_scrape_in_hand():
    import threading

    forked = []

    def fork():
        pid = os.fork()
        if not pid:
            os._exit(0)
        forked.append(time.monotonic())
        os.waitpid(pid, 0)

    with scrape_lock.held:
        thread = threading.Thread(target=fork)
        thread.start()
        thread.join(0.3)
        assert not forked
    thread.join(10)
    assert forked
