"""Who may use the gateway: the rules by themselves, then a real gateway with real strangers."""

import http.client
import os
import select
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("aiohttp")
from support.upstream import Gateway, Upstream, parts, post  # noqa: E402

from aitop.gateway import admission  # noqa: E402
from aitop.gateway.admission import Request, Rules, refusal  # noqa: E402
from aitop.system.loopback.peer_owner import End, can_tell  # noqa: E402

ME, TOKEN = 1000, "abc123"
LOCAL = Rules(local_only=True, uid=ME, token=None)
linux = pytest.mark.skipif(not can_tell(), reason="this system does not say whose a connection is")


def asked(rules=LOCAL, target="/v1/x", owner=ME, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(target, {"Host": "localhost", **named}, End("127.0.0.1", 5), End("127.0.0.1", 6))
    return refusal(request, rules, lambda *_: owner)


def test_a_program_of_this_user_is_let_in():
    assert asked() is None


def test_a_connection_of_another_user_or_of_an_unknown_one_is_refused():
    assert asked(owner=0) == asked(owner=None) == admission.FOREIGN_USER


def test_a_page_of_another_site_is_refused_whatever_else_it_shows():
    rules = LOCAL._replace(token=TOKEN)
    assert asked(rules, f"/token-{TOKEN}/v1", Origin="https://evil.example") == admission.FOREIGN_PAGE
    assert asked(Sec_Fetch_Site="cross-site") == admission.FOREIGN_PAGE


def test_a_foreign_name_is_refused_on_loopback_and_fits_elsewhere():
    assert asked(Host="evil.example") == admission.FOREIGN_HOST
    assert asked(Rules(local_only=False, uid=None, token=None), Host="box.lan:4330") is None


@pytest.mark.parametrize(
    "target", ["/v1", "/token-/v1", "/token-abc124/v1", "/token-abc123x", "/x/token-abc123"]
)
def test_without_the_token_nothing_is_let_in_where_it_is_needed(target):
    assert asked(LOCAL._replace(token=TOKEN), target) == admission.NO_TOKEN


@pytest.mark.parametrize(
    ("target", "relayed"),
    [("/token-abc123/v1/chat?x=1", "/v1/chat?x=1"), ("/token-abc123", "/"), ("/token-abc123?x", "/"),
     ("/v1/token-abc123", "/v1/token-abc123")],
)  # fmt: skip
def test_the_token_in_the_path_is_not_relayed(target, relayed):
    assert admission.without_token(target) == relayed


def test_the_token_may_be_in_a_header():
    assert asked(LOCAL._replace(token=TOKEN), x_aitop_token=TOKEN) is None


# -- a real gateway ----------------------------------------------------------------------------------------------


@pytest.fixture
def api():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def started(tmp_path, api):
    running = []

    def start(*arguments, limit=None):
        running.append(Gateway(tmp_path / f"h{len(running)}", "--upstream", api.url, *arguments, limit=limit))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.mark.parametrize(
    "more",
    ["origin: https://evil.example\r\nsec-fetch-site: cross-site\r\n", "sec-fetch-site: cross-site\r\n"],
)
def test_a_web_pages_request_is_refused_and_neither_relayed_nor_counted(api, started, more):
    gateway = started()
    assert parts(gateway.ask(post(more=more)))[0].startswith("HTTP/1.1 403")
    assert parts(gateway.ask(post()))[0] == "HTTP/1.1 200 OK"
    assert len(api.asked) == 1
    assert len(gateway.lines(1)) == 1


def test_a_gateway_with_a_token_serves_the_address_that_it_prints(api, started):
    gateway = started("--token")
    assert parts(gateway.ask(post()))[0].startswith("HTTP/1.1 401")
    with open(os.path.join(gateway.home, "gateway.token")) as file:
        token = file.read().strip()
    assert f"/token-{token}" in gateway.said
    assert parts(gateway.ask(post(path=f"/token-{token}/v1/chat/completions")))[0] == "HTTP/1.1 200 OK"
    assert parts(gateway.ask(post(more=f"x-aitop-token: {token}\r\n")))[0] == "HTTP/1.1 200 OK"
    assert [one.target for one in api.asked] == ["/v1/chat/completions"] * 2
    assert all(one.header("x-aitop-token") is None for one in api.asked)
    assert len(gateway.lines(2)) == 2


def test_a_gateway_for_other_machines_needs_a_token_unless_told_otherwise(started):
    assert "/token-" in started("--host", "0.0.0.0").said
    opened = started("--host", "0.0.0.0", "--no-token")
    assert "/token-" not in opened.said
    assert parts(opened.ask(post()))[0] == "HTTP/1.1 200 OK"


ASK = """
import os, socket, sys
"x".encode("idna")  # loaded while this user may read the library
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
peer.sendall(b"POST /v1/chat/completions HTTP/1.1\\r\\nhost: localhost\\r\\ncontent-length: 2\\r\\n\\r\\n{}")
print(peer.recv(65536).split(b"\\r\\n")[0].decode())
"""


@linux
@pytest.mark.skipif(os.getuid() != 0, reason="only the superuser can become another user")
def test_another_user_of_the_machine_is_refused(api, started):
    gateway = started()
    asked = subprocess.run(
        [sys._base_executable, "-I", "-S", "-c", ASK, str(gateway.port)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert asked.stdout.startswith("HTTP/1.1 403"), asked.stderr
    assert api.asked == []


# -- bounds ------------------------------------------------------------------------------------------------------

HALF = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "


def closed_within(peers, seconds):
    until, still = time.monotonic() + seconds, list(peers)
    while still and time.monotonic() < until:
        readable = select.select(still, [], [], 0.2)[0]
        still = [one for one in still if one not in readable]
    return not still


def test_half_a_head_and_silence_end_after_their_time(started):
    gateway = started()
    peers = [socket.create_connection(("127.0.0.1", gateway.port), 10) for _ in range(20)]
    for number, peer in enumerate(peers):
        if number % 2:
            peer.sendall(HALF)
    try:
        assert closed_within(peers, 30)
    finally:
        for peer in peers:
            peer.close()


@linux
@pytest.mark.parametrize("limit", [32, 64, 256])
def test_at_any_limit_of_open_files_idle_connections_shut_nobody_out(api, started, limit):
    gateway = started(limit=limit)
    peers = []
    try:
        for _ in range(300):
            peer = socket.socket()
            peer.settimeout(10)
            peer.connect(("127.0.0.1", gateway.port))
            peers.append(peer)
        for _ in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
            connection.request("POST", "/v1/chat/completions", b"{}")
            assert connection.getresponse().status == 200
            connection.close()
    finally:
        for peer in peers:
            peer.close()
