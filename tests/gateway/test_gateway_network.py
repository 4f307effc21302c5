"""The gateway at the edges of HTTP: certificates, proxies, old clients, answers that come early."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading

import pytest

pytest.importorskip("aiohttp")
from support.upstream import ROOT, Gateway, Upstream, answer, parts, post  # noqa: E402


@pytest.fixture
def api():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def started(tmp_path):
    running = []

    def start(*arguments, **more):
        running.append(Gateway(tmp_path / f"h{len(running)}", *arguments, **more))
        return running[-1]

    yield start
    for one in running:
        one.close()


def test_a_head_request_keeps_the_length_of_what_it_does_not_send(api, started):
    async def script(asked, write):
        await write(b"HTTP/1.1 200 OK\r\ncontent-length: 77\r\n\r\n")

    api.script = script
    raw = started("--upstream", api.url).ask(
        b"HEAD /x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )
    status, headers, body = parts(raw)
    assert (status, body) == ("HTTP/1.1 200 OK", b"")
    assert ("content-length", "77") in headers


def test_an_old_client_gets_a_stream_without_chunks(api, started):
    async def script(asked, write):
        await write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    api.script = script
    raw = started("--upstream", api.url).ask(b"GET /x HTTP/1.0\r\nhost: localhost\r\n\r\n")
    assert raw.endswith(b"\r\n\r\nabcde")
    assert b"chunked" not in raw


def test_a_client_that_waits_for_leave_to_send_gets_it(api, started):
    running = started("--upstream", api.url)
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as peer:
        head, _, body = post(b"x" * 1000, more="expect: 100-continue\r\n").partition(b"\r\n\r\n")
        peer.sendall(head + b"\r\n\r\n")
        assert peer.recv(65536).startswith(b"HTTP/1.1 100")
        peer.sendall(body)
        assert b"200 OK" in peer.recv(65536)
    assert api.asked[0].body == body


def test_a_key_of_many_kilobytes_passes(api, started):
    key = "k" * 40_000
    started("--upstream", api.url).ask(post(more=f"authorization: Bearer {key}\r\n"))
    assert api.asked[0].header("authorization") == f"Bearer {key}"


def test_an_answer_that_comes_before_the_whole_request_passes(started):
    """The API refuses by the head alone, and never reads the body."""
    refusal = answer(
        b'{"error": {"code": "too_large"}}', status="413 Content Too Large", more="connection: close\r\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse():
            peer, _ = server.accept()
            with peer:
                got = b""
                while b"\r\n\r\n" not in got:
                    got += peer.recv(1024)
                peer.sendall(refusal)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65536):
                    pass

        thread = threading.Thread(target=refuse)
        thread.start()
        running = started("--upstream", f"http://127.0.0.1:{server.getsockname()[1]}")
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as peer:
            peer.sendall(post(b"x" * 10_000_000)[:200_000])
            got = b""
            while b"too_large" not in got:
                got += peer.recv(65536)
        thread.join(10)
    assert got.startswith(b"HTTP/1.1 413")


def test_the_systems_proxy_is_used_for_others_and_never_for_this_machine(api, started):
    environ = {
        "HTTP_PROXY": f"http://me:pw@127.0.0.1:{api.port}",
        "http_proxy": f"http://me:pw@127.0.0.1:{api.port}",
    }
    assert parts(started("--upstream", "http://api.example", **environ).ask(post()))[0] == "HTTP/1.1 200 OK"
    assert api.asked[0].target == "http://api.example/v1/chat/completions"
    assert api.asked[0].header("proxy-authorization") is not None
    started("--upstream", api.url, **environ).ask(post())
    assert api.asked[1].target == "/v1/chat/completions"
    spared = started("--upstream", "http://127.0.0.2:9", **environ)
    assert parts(spared.ask(post()))[0] == "HTTP/1.1 502 Bad Gateway"


def test_no_proxy_is_respected(api, started):
    environ = {"http_proxy": f"http://127.0.0.1:{api.port}", "no_proxy": "api.invalid"}
    assert (
        parts(started("--upstream", "http://api.invalid", **environ).ask(post()))[0]
        == "HTTP/1.1 502 Bad Gateway"
    )
    assert api.asked == []


def test_a_proxy_that_speaks_something_else_is_never_passed_by_in_silence(tmp_path):
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": ROOT,
        "ALL_PROXY": "socks5://127.0.0.1:9",
    }
    done = subprocess.run([sys.executable, "-m", "aitop", "gateway", "--port", "0"], env=environ, capture_output=True,
                          text=True, timeout=30)  # fmt: skip
    assert done.returncode == 1
    assert "set HTTPS_PROXY" in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def certificate(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "openssl is missing: install openssl"
        )
    own = str(tmp_path / "own.pem")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", own, "-out", f"{own}.crt", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True,
    )  # fmt: skip
    return f"{own}.crt", own


@pytest.mark.parametrize("trusted", [True, False])
def test_an_api_is_asked_only_with_a_certificate_that_is_trusted(certificate, started, trusted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = Upstream(tls=context)
    try:
        environ = {"SSL_CERT_FILE": certificate[0]} if trusted else {}
        running = started("--upstream", f"https://localhost:{server.port}", **environ)
        status, _, body = parts(running.ask(post()))
        assert status == ("HTTP/1.1 200 OK" if trusted else "HTTP/1.1 502 Bad Gateway")
        assert len(server.asked) == int(trusted)
        assert trusted or b"Certificate" in body
    finally:
        server.close()
