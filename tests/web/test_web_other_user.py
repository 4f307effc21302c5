"""Another user of the same machine, who even has the cookie, is refused. Needs a second user id."""

import json
import os

import pytest
from golden import states

STRANGER = 65_534
pytestmark = [
    pytest.mark.skipif(
        os.getuid() != 0, reason="only the superuser can become another user: run these as root"
    ),
    pytest.mark.skipif(
        not os.path.exists("/proc/net/tcp"), reason="only Linux names the user of a connection"
    ),
    pytest.mark.slow,
    pytest.mark.timeout(60),
]


def as_stranger(ask):
    """What `ask()` returns when another user asks it, in a fork of the test."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(STRANGER, STRANGER, STRANGER)
            os.setresuid(STRANGER, STRANGER, STRANGER)
            os.write(writer, json.dumps(ask()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(said)


def test_another_user_with_the_cookie_and_the_token_is_refused(site, live):
    live(states.api())
    one = site()
    cookie = one.cookie()
    asked = ("/now", "/api/rows", "/events", "/static/style.css", f"/?token={one.token}")
    found = as_stranger(lambda: [one.ask(path, cookie)[0] for path in asked])
    assert found == [403] * len(asked)
    assert as_stranger(lambda: one.ask("/ticket", {"x-aitop-token": one.token})[0]) == 403
    assert one.ask("/now", cookie)[0] == 200
