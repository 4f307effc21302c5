"""What the listener sends to tmux: changed texts at once, with a redraw of each client, and nothing at rest."""

import json
import os
import time

import pytest
from golden import states

from aitop.publish.tmux_push import Pusher

NOW = 1000.0


class Quiet:
    def error(self, text):
        self.said = text


@pytest.fixture
def server(tmp_path, home):
    """A made-up tmux that writes its arguments down and answers as two clients' server does."""
    program = tmp_path / "tmux"
    program.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$*" >> "$AITOP_HOME/calls"\n'
        'printf "AITOP_UNTIL=1\\n/dev/pts/1\\nclient-2\\n"\ntest ! -e "$AITOP_HOME/gone"\n'
    )
    program.chmod(0o755)
    os.makedirs(os.path.join(home, "tmux"))
    with open(os.path.join(home, "tmux", str(os.getpid())), "w") as file:
        file.write(f"tmux\t{program}\nsocket\t/nowhere\npid\t{os.getpid()}\nhow\tpush\npanes\ton\nevery\t5\n"
                   "show\tcost\tformat\t{cost_today}\n")  # fmt: skip
    return Pusher(home, Quiet())


def state(cost, **more):
    found = json.loads(json.dumps(states.api()))
    found["today"]["cost_usd"] = found["today"]["spent_usd"] = cost
    return found | more


def told(server, home, number, published, now):
    """Let the server be told, and the call end; every call so far."""
    server.tell(published, now)
    path = os.path.join(home, "calls")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if os.path.exists(path):
            with open(path) as file:
                lines = file.read().splitlines()
            if len(lines) >= number:
                time.sleep(0.05)  # it answers after it has written
                return lines
        time.sleep(0.01)
    pytest.fail("no call")


def test_a_changed_text_is_drawn_by_every_client_with_the_next_tick(server, home):
    redraw = "refresh-client -S -t /dev/pts/1 ; refresh-client -S -t client-2"
    assert redraw not in told(server, home, 1, state(1.0), NOW)[0]  # no client is known yet
    assert redraw in told(server, home, 2, state(1.0), NOW + 1)[1]
    third = told(server, home, 3, state(2.0), NOW + 2)[2]
    assert "AITOP_COST $2.00" in third
    assert redraw in third


def test_what_has_not_changed_is_kept_fresh_without_a_redraw(server, home):
    told(server, home, 1, state(1.0), NOW)
    told(server, home, 2, state(1.0), NOW + 1)
    server.tell(state(1.0), NOW + 2)
    kept = told(server, home, 3, state(1.0), NOW + 8)[2]
    assert "AITOP_UNTIL 1018" in kept
    assert "refresh-client" not in kept
    server.tell(state(1.0), NOW + 9)
    server.close(NOW + 10)
    with open(os.path.join(home, "calls")) as file:
        assert len(file.read().splitlines()) == 4  # the last one takes the numbers away


def test_a_client_that_left_is_no_failure_of_the_server(server, home):
    open(os.path.join(home, "gone"), "w").close()
    for number in range(5):
        told(server, home, number + 1, state(float(number)), NOW + number)
    assert os.listdir(os.path.join(home, "tmux")) == [str(os.getpid())]


def test_each_pane_has_the_cost_of_its_newest_living_session(server, home):
    sessions = [states.session(1, pane="%1", cost_usd=1.5, spent_usd=2.5), states.session(2, pane="%1", cost_usd=9.0),
                states.session(3, pane="%2", status="ended"), states.session(4, pane="%3", cost_usd=0.25)]  # fmt: skip
    call = told(server, home, 1, state(1.0, sessions=sessions), NOW)[0]
    assert "AITOP_PANE_COSTS <%1=$2.50><%3=$0.25>" in call


def test_no_descriptor_is_left_behind(server, home):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for number in range(4):
        told(server, home, number + 1, state(float(number)), NOW + number)
    server.close(NOW + 10)
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before
