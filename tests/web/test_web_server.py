"""The server as a process: what it answers to whom, what it keeps to itself, how it starts and ends."""

import contextlib
import json
import os
import stat
import subprocess
import sys
import time

import pytest
from golden import states
from support.web_site import Site

from aitop.history import schema
from aitop.history.store import History
from aitop.model.events import Response, SessionInfo, Usage
from aitop.pricing import table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PATHS = [
    "/",
    "/now",
    "/history",
    "/static/js/main.js",
    "/events",
    "/api/history",
    "/api/rows",
    "/nothing",
    "/session/a/b",
]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_answered_without_the_cookie(site, path):
    status, headers, body = site().ask(path)
    assert (status, headers["Content-Type"]) == (401, "text/plain; charset=utf-8")
    assert b"aitop web" in body


def test_the_link_is_exchanged_for_a_cookie_that_scripts_and_other_sites_never_see(site):
    one = site()
    status, headers, _ = one.ask(f"/?token={one.token}")
    assert (status, headers["Location"]) == (303, "/now")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(headers["Set-Cookie"].split("; "))
    assert one.token not in headers["Set-Cookie"]
    assert one.ask("/now", one.cookie())[0] == 200


@pytest.mark.parametrize("token", ["", "x", "0" * 48, "é" * 48])
def test_a_wrong_token_gets_no_cookie(site, token):
    from urllib.parse import quote

    status, headers, _ = site().ask(f"/?token={quote(token)}")
    assert status == 401
    assert "Set-Cookie" not in headers


def test_a_name_that_leads_to_this_machine_is_refused_even_with_the_cookie(site):
    one = site()
    cookie = one.cookie()
    assert one.ask("/now", cookie, host="evil.example:" + str(one.port))[0] == 403
    assert one.ask("/api/rows", cookie | {"Origin": "https://evil.example"})[0] == 403
    assert one.ask("/api/rows", cookie | {"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert one.ask("/api/rows", cookie, method="POST")[0] == 405


def test_every_answer_has_the_strict_policy(site):
    one = site()
    cookie = one.cookie()
    answers = [one.ask(path, cookie) for path in ("/now", "/static/style.css", "/api/rows", "/nothing")]
    answers += [one.ask("/now"), one.ask("/now", host="evil.example")]
    for _, headers, _ in answers:
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in headers


def test_no_file_outside_its_own_is_served(site):
    one = site()
    cookie = one.cookie()
    for path in (
        "/static/../serve.py",
        "/static/%2e%2e/serve.py",
        "/static//etc/passwd",
        "/static/vendor/CHECKSUMS",
    ):
        assert one.ask(path, cookie)[0] == 404


def test_a_file_that_did_not_change_is_not_sent_again(site):
    one = site()
    cookie = one.cookie()
    _, headers, body = one.ask("/static/js/main.js", cookie)
    assert body
    assert one.ask("/static/js/main.js", cookie | {"If-None-Match": headers["ETag"]})[::2] == (304, b"")


def test_the_secret_is_for_its_owner_alone_and_stays(site, home):
    first, second = site(), site()
    assert stat.S_IMODE(os.stat(os.path.join(home, "web.token")).st_mode) == 0o600
    assert first.token == second.token


def test_called_again_it_names_the_server_that_runs(site, home):
    one = site()
    again = subprocess.run(
        [sys.executable, "-P", "-m", "aitop", "web", "--no-open", "--json", "--port", str(one.port)],
        env=os.environ | {"AITOP_HOME": home}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["url"] == one.link


def test_the_help_says_that_another_port_gets_a_server_of_its_own():
    help_ = subprocess.run([sys.executable, "-P", "-m", "aitop", "web", "--help"],
                           capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    assert "with another port it starts a server of its own" in " ".join(help_.stdout.split())


def test_a_port_that_another_program_holds_is_named(site, home, tmp_path):
    other = Site(str(tmp_path))  # of another home, so it does not know our secret
    try:
        again = subprocess.run(
            [sys.executable, "-P", "-m", "aitop", "web", "--no-open", "--port", str(other.port)],
            env=os.environ | {"AITOP_HOME": home}, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    finally:
        other.end()
    assert again.returncode == 1
    assert f"port {other.port}" in again.stderr
    assert "--port" in again.stderr


def test_a_service_keeps_the_token_out_of_its_log(home):
    started = subprocess.Popen(
        [sys.executable, "-P", "-m", "aitop", "web", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    line = started.stdout.readline()
    started.terminate()
    started.wait(20)
    started.stdout.close()
    assert line.startswith("http://127.0.0.1:")
    assert "token" not in line


def test_a_ticket_needs_the_secret_and_opens_once(site):
    one = site()
    assert one.ask("/ticket")[0] == 401
    assert one.ask("/ticket", one.cookie())[0] == 401
    _, _, ticket = one.ask("/ticket", {"x-aitop-token": one.token})
    path = f"/?token={ticket.decode()}"
    assert [one.ask(path)[0], one.ask(path)[0]] == [303, 401]


def test_it_ends_at_once_while_tabs_look_on(site, live):
    import http.client

    live(states.api())
    one = site()
    tab = http.client.HTTPConnection("127.0.0.1", one.port, timeout=20)
    tab.request("GET", "/events", headers=one.cookie())
    assert tab.getresponse().readline() == b"retry: 1000\n"
    one.process.terminate()
    assert one.process.wait(20) == 0
    tab.close()


@pytest.mark.parametrize(
    ("path", "says"),
    [("/api/history?since=yesterdayish", "since"), ("/api/history?by=colour", "by"), ("/api/rows?from=x", "from"),
     ("/api/rows?since=2026-02-02&until=2026-01-01", "until"), ("/api/rows?before=x", "before"),
     ("/api/history?since=9999-12-31", "since"), ("/api/session?provider=x", "session"),
     ("/api/rows?model=" + "x" * 501, "model")],
)  # fmt: skip
def test_an_address_that_cannot_be_says_which_part_is_wrong(site, home, path, says):
    schema.connect(os.path.join(home, "history.db")).close()
    one = site()
    status, _, body = one.ask(path, one.cookie())
    assert status == 400
    assert says in json.loads(body)["problem"]


def test_without_a_history_it_says_what_to_do(site):
    one = site()
    status, _, body = one.ask("/api/history", one.cookie())
    assert status == 503
    assert "aitop start" in json.loads(body)["problem"]


QUESTIONS = ["history?since=365d&by=project", "sessions", "rows", "rows?of=calls", "timeline", "commits",
             "backtest", "advice", "session?provider=claude-code&session=s1"]  # fmt: skip


@pytest.mark.skipif(
    not os.path.exists("/proc/self/maps"), reason="asks the kernel's list of what a process holds"
)
def test_the_server_keeps_its_size_it_opens_no_history_and_starts_no_thread(site, home):
    """Whatever was asked ends with the process that was asked: no page cache, no rows, no connection stays here."""
    history(home)
    one = site()
    cookie = one.cookie()
    for question in QUESTIONS:
        status, _, body = one.ask(f"/api/{question}", cookie)
        assert status == 200, body
    process = f"/proc/{one.process.pid}"
    opened = []
    for number in os.listdir(f"{process}/fd"):
        with contextlib.suppress(FileNotFoundError):  # a connection that ended meanwhile
            opened.append(os.readlink(f"{process}/fd/{number}"))
    with open(f"{process}/maps") as maps, open(f"{process}/status") as status_:
        mapped, threads = maps.read(), next(line for line in status_ if line.startswith("Threads:"))
    assert not any("history.db" in path for path in opened)
    assert "history.db" not in mapped
    assert threads.split() == ["Threads:", "1"]


def history(home):
    """A history with one session."""
    now = time.time()
    db = schema.connect(os.path.join(home, "history.db"))
    written = History(db, table.load(), floor=now)
    written.apply("claude-code", [SessionInfo("s1", now - 60, cwd=home),
                  Response("s1", now - 60, "claude-opus-4-6", Usage(10, 10, 0, 0), "m", "r")], now)  # fmt: skip
    written.commit()
    db.close()


def test_the_server_loads_nothing_that_only_one_page_needs():
    code = "import sys, aitop.web.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60)
    loaded = done.stdout.split()
    rooms = ("advice", "agents", "energy", "install", "listener", "quality", "top", "worth")
    assert "aitop.web.answers.past" in loaded
    assert [name for name in loaded if name.startswith(tuple(f"aitop.{room}" for room in rooms))] == []
    assert not {"matplotlib", "textual", "aitop.reports.forecast_cli"} & set(loaded)
