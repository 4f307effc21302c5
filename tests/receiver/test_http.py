"""HTTP on loopback: what is let in, how much and how long; nothing else costs more than its own connection."""

import selectors
import socket

import pytest

from aitop.receiver import http
from aitop.receiver.http import Reply, Web, plain

NOW = 1_790_000_000.0


class Server:
    """The receiver and its selector, without the rest of a listener; the path decides what it does."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.taken = []
        self.monotonic = 1000.0
        self.web = Web(0, self.selector, self.judge, self.answer)
        self.peers = []

    def judge(self, head):
        return None if head.path == "/in" else plain(401, "who are you")

    def answer(self, head, body, now):
        self.taken.append(body)
        return Reply(200, "application/json", b"{}")

    def pump(self, seconds=0.05):
        while events := self.selector.select(seconds):
            for key, _ in events:
                key.data(self.monotonic, NOW)

    def peer(self, data=b""):
        peer = socket.create_connection(("127.0.0.1", self.web.port))
        peer.settimeout(5)
        self.peers.append(peer)
        if data:
            peer.sendall(data)
        self.pump()
        return peer

    def end(self):
        for peer in self.peers:
            peer.close()
        self.web.close()
        self.selector.close()


@pytest.fixture
def server():
    served = Server()
    yield served
    served.end()


def post(body=b"{}", path="/in", **headers):
    lines = [f"POST {path} HTTP/1.1", "host: x"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if "transfer_encoding" not in headers and "content_length" not in headers:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def said(peer):
    """(status, everything) of what came back, up to now or to the end."""
    data = peer.recv(65_536)
    return int(data.split()[1]), data


def ended(peer):
    """Whether the other side has closed: nothing, or a reset, after what it said."""
    try:
        while data := peer.recv(65_536):
            assert data
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def test_a_request_is_answered_and_its_connection_kept(server):
    peer = server.peer(post(b"one"))
    status, whole = said(peer)
    assert status == 200
    assert whole.endswith(b"\r\n\r\n{}")
    peer.sendall(post(b"two"))
    server.pump()
    assert said(peer)[0] == 200
    assert server.taken == [b"one", b"two"]


def test_a_request_may_come_in_pieces(server):
    whole = post(b"x" * 100)
    peer = server.peer()
    for at in range(0, len(whole), 7):
        peer.sendall(whole[at : at + 7])
        server.pump(0.001)
    server.pump()
    assert server.taken == [b"x" * 100]


def test_several_requests_may_come_at_once(server):
    peer = server.peer(post(b"one") + post(b"two") + post(b"three"))
    assert server.taken == [b"one", b"two", b"three"]
    assert said(peer)[1].count(b"HTTP/1.1 200") == 3


def test_a_body_may_come_in_chunks(server):
    chunks = b"3\r\none\r\n4\r\n two\r\n0\r\n\r\n"
    server.peer(post(chunks, transfer_encoding="chunked"))
    assert server.taken == [b"one two"]


def test_who_asks_whether_to_send_a_body_is_told_to(server):
    head = post(b"", content_length="3", expect="100-continue")
    peer = server.peer(head)
    assert said(peer)[0] == 100
    peer.sendall(b"one")
    server.pump()
    assert said(peer)[0] == 200
    assert server.taken == [b"one"]


def test_a_stranger_is_refused_before_its_body(server):
    peer = server.peer(post(b"", path="/out", content_length=str(1 << 20)))
    status, whole = said(peer)
    assert status == 401
    assert b"connection: close" in whole.lower()
    peer.sendall(b"x" * 10_000)
    server.pump()
    assert server.taken == []
    assert ended(peer)


def test_a_stranger_who_asks_whether_to_send_a_body_is_not_told_to(server):
    peer = server.peer(post(b"", path="/out", content_length="3", expect="100-continue"))
    assert said(peer)[0] == 401


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n",
        b"POST /in HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /in HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"POST /in HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /in HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_http_is_told_so_and_ended(server, data):
    peer = server.peer(data)
    assert said(peer)[0] in (400, 501)
    server.monotonic += http.LINGER_SECONDS + 1
    server.web.sweep(server.monotonic)
    assert ended(peer)
    assert server.taken == []


def test_a_head_without_end_is_refused(server):
    peer = server.peer(b"POST /in HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * (http.MAX_HEAD + 1))
    assert said(peer)[0] == 431


def test_a_body_that_says_it_is_too_large_is_refused_at_once(server):
    peer = server.peer(post(b"", content_length=str(http.MAX_BODY + 1)))
    assert said(peer)[0] == 413


def test_a_body_that_turns_out_too_large_is_refused(server, monkeypatch):
    monkeypatch.setattr(http, "MAX_BODY", 10)
    peer = server.peer(post(b"6\r\nsecond\r\n" * 2, transfer_encoding="chunked"))
    assert said(peer)[0] == 413
    assert server.web._buffered == 0


def test_a_body_of_countless_pieces_is_refused(server, monkeypatch):
    monkeypatch.setattr(http, "MAX_PIECES", 10)
    peer = server.peer(post(b"1\r\nx\r\n" * 11, transfer_encoding="chunked"))
    assert said(peer)[0] == 413


def test_bodies_of_all_together_are_limited(server, monkeypatch):
    monkeypatch.setattr(http, "MAX_BUFFERED", 100)
    first = server.peer(post(b"x" * 60, content_length="90"))
    second = server.peer(post(b"x" * 60, content_length="90"))
    status, whole = said(second)
    assert status == 503
    assert b"retry-after" in whole
    first.sendall(b"x" * 30)
    server.pump()
    assert said(first)[0] == 200


def test_who_does_not_finish_in_time_is_dropped(server):
    peer = server.peer(post(b"x", content_length="2"))
    server.monotonic += http.REQUEST_SECONDS + 1
    server.web.sweep(server.monotonic)
    assert ended(peer)
    assert server.web._buffered == 0


def test_a_kept_connection_may_rest_for_longer(server):
    peer = server.peer(post())
    said(peer)
    server.monotonic += http.IDLE_SECONDS - 1
    server.web.sweep(server.monotonic)
    peer.sendall(post())
    server.pump()
    assert said(peer)[0] == 200
    server.monotonic += http.IDLE_SECONDS + 1
    server.web.sweep(server.monotonic)
    assert ended(peer)


def test_strangers_who_hold_all_connections_make_room_for_the_next(server):
    server.web._most = 3
    known = server.peer(post(b"known"))
    said(known)
    server.monotonic += 1
    first, _ = server.peer(), server.peer()
    newest = server.peer(post(b"new"))
    assert said(newest)[0] == 200
    assert ended(first)
    known.sendall(post(b"still"))
    server.pump()
    assert said(known)[0] == 200


@pytest.mark.parametrize(("limit", "most"), [(32, 2), (64, 9), (1024, 64)])
def test_its_connections_leave_descriptors_for_all_else(monkeypatch, limit, most):
    monkeypatch.setattr(http.descriptors.resource, "getrlimit", lambda _: (limit, limit))
    made = Server()
    assert made.web._most == most
    made.end()


def test_a_flood_is_taken_in_by_turns_and_costs_no_busy_loop(server):
    server.web._most = 2
    server.web._drops_left, server.web._drops_at = 10.0, server.monotonic
    server.peers += [socket.create_connection(("127.0.0.1", server.web.port)) for _ in range(150)]
    server.pump(0)
    assert len(server.web._connections) == 2
    assert server.selector.select(0) == []  # nothing is looked at again before the next turn
    turns = []
    while (turn := server.web.next_turn()) != http.NEVER:
        turns.append(turn - server.monotonic)
        server.monotonic = turn
        server.web.take_turn(turn)
        server.pump(0)
    assert 3 <= len(turns) <= 4  # 150, less 2 places and the first 10, in turns of 50
    assert max(turns) <= http.DROPS_IN_A_TURN / http.DROPS_PER_SECOND
    assert said(server.peer(post()))[0] == 200


def test_a_silent_peer_costs_no_protocol(server):
    server.peer()
    (connection,) = server.web._connections.values()
    assert connection._protocol is None


def test_out_of_descriptors_it_waits_for_the_next_second(server, monkeypatch):
    class Full:
        def accept(self):
            raise OSError(24, "Too many open files")

    real = server.web._socket
    server.peers.append(socket.create_connection(("127.0.0.1", server.web.port)))
    server.web._socket = Full()
    monkeypatch.setattr(server.web, "_pause", lambda: paused.append(server.selector.unregister(real)))
    paused = []
    server.pump()
    assert len(paused) == 1
    server.web._socket, server.web._accepting = real, False
    server.web.sweep(server.monotonic)
    server.pump()
    assert len(server.web._connections) == 1


def test_who_hangs_up_in_the_middle_leaves_nothing_behind(server):
    server.peer(post(b"x", content_length="9")).close()
    server.pump()
    assert server.web._connections == {}
    assert server.web._buffered == 0


def test_a_port_that_another_has_is_an_error(server):
    with pytest.raises(OSError, match="in use"):
        Web(server.web.port, server.selector, server.judge, server.answer)


def test_only_loopback_is_listened_on(server):
    assert server.web._socket.getsockname()[0] == "127.0.0.1"
