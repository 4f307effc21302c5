"""How a price file is reached: the web, a file, a lock, a full disk; each failure says what to do."""

import http.server
import os
import threading

import filelock
import pytest

from aitop.pricing import refresh, rows, table

NOW = rows.epoch("2026-11-22") + 3_600.0
DAY = 86_400.0


def published():
    """A whole price file: the package's own."""
    with open(table.SNAPSHOT, "rb") as file:
        return file.read()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "published.json"

    def write(data):
        path.write_bytes(data)
        return str(path)

    return write


@pytest.fixture
def target(tmp_path):
    return str(tmp_path / "home" / "prices.json")


def test_a_file_too_large_is_refused(source, target, monkeypatch):
    monkeypatch.setattr(refresh, "SIZE_LIMIT", 1 << 20)
    with pytest.raises(refresh.RefreshError, match="larger than 1 MB"):
        refresh.update(source(b" " * (1 << 21)), target, now=NOW)


def test_a_failed_write_leaves_the_old_file_and_no_other(source, target, monkeypatch):
    refresh.update(source(published()), target, now=NOW)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(refresh.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        refresh.update(source(published()), target, now=NOW + 2 * DAY)
    assert sorted(os.listdir(os.path.dirname(target))) == ["prices.json", "prices.json.lock"]


@pytest.mark.parametrize("place", ["ftp://host/prices.json", "gopher://host/x", "data://text/plain,x"])
def test_only_web_and_file_addresses_are_read(place, target):
    with pytest.raises(refresh.RefreshError, match="only https, http and file"):
        refresh.update(place, target, now=NOW)


def test_an_update_that_waits_too_long_for_another_says_so(source, target, monkeypatch):
    monkeypatch.setattr(refresh, "LOCK_WAIT", 0.01)
    os.makedirs(os.path.dirname(target))
    with filelock.FileLock(f"{target}.lock"), pytest.raises(refresh.RefreshError, match="another update"):
        refresh.update(source(published()), target, now=NOW)


def test_of_updates_at_the_same_time_one_reads_and_the_others_find_it_done(source, target):
    path = source(published())
    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(refresh.update(path, target, now=NOW).outcome))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["fresh"] * 5 + ["updated"]
    assert table.load({}, target).problem is None


@pytest.fixture
def server():
    """A web server on the loopback that gives the answer put into it."""
    answers = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, length, body = answers[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        yield answers, f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


def test_prices_are_read_over_http(server, target):
    answers, address = server
    answers["/p.json"] = (200, None, published().replace(b'"claude-opus-5-5"', b'"claude-opus-6"'))
    assert refresh.update(f"{address}/p.json", target, now=NOW).added == ("claude-opus-6",)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, None, b"no"), "404 Not Found"),
        ((500, None, b""), "the server says 500"),
        ((200, None, b""), "is not JSON"),
        ((200, 9_999, b'{"half": '), "is not JSON|broke off|cannot be read"),
    ],
)
def test_a_server_that_fails_is_named_with_what_it_said(server, target, answer, message):
    answers, address = server
    answers["/p.json"] = answer
    with pytest.raises(refresh.RefreshError, match=message) as caught:
        refresh.update(f"{address}/p.json", target, now=NOW)
    assert address in str(caught.value)


def test_an_answer_too_large_is_cut_off(server, target, monkeypatch):
    monkeypatch.setattr(refresh, "SIZE_LIMIT", 1 << 20)
    answers, address = server
    answers["/p.json"] = (200, None, b"[" * (1 << 21))
    with pytest.raises(refresh.RefreshError, match="larger than"):
        refresh.update(f"{address}/p.json", target, now=NOW)


def test_a_file_address_is_read_with_its_escapes(tmp_path, target):
    (tmp_path / "my prices.json").write_bytes(published())
    assert refresh.update(f"file://{tmp_path}/my%20prices.json", target, now=NOW).outcome == "updated"


def test_the_word_litellm_means_the_published_file(target, monkeypatch, tmp_path):
    (tmp_path / "p.json").write_bytes(published())
    monkeypatch.setattr(refresh.litellm_prices, "URL", str(tmp_path / "p.json"))
    done = refresh.update("litellm", target, now=NOW)
    assert (done.source, table.load({}, target).source) == ("litellm", "litellm")


def test_the_refreshed_file_is_for_its_owner_alone(source, target):
    refresh.update(source(published()), target, now=NOW)
    assert os.stat(os.path.dirname(target)).st_mode & 0o777 == 0o700
    assert os.stat(target).st_mode & 0o777 == 0o600


def test_no_server_at_all_is_an_error_that_says_what_to_do(target):
    with pytest.raises(refresh.RefreshError, match="another --source"):
        refresh.update("http://127.0.0.1:1/p.json", target, now=NOW)
