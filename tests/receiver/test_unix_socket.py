"""The socket: what is let in, from whom, how much and how long; nothing else costs more than itself."""

import json
import os
import resource
import selectors
import socket
import stat
import string
import subprocess
import sys
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.lines import SESSION

from aitop import hook
from aitop.providers.claude_code import provider
from aitop.receiver import listening, payloads, unix_socket
from aitop.receiver.unix_socket import HEADER_KEYS, Receiver, SocketError, parse_header

NOW = 1_790_000_000.0


class Door:
    """A receiver and its selector, without the rest of a listener."""

    def __init__(self, home):
        self.path = os.path.join(home, "claudecode.sock")
        self.selector = selectors.DefaultSelector()
        self.arrived = []
        self.receiver = Receiver(self.path, self.selector, [provider], self.arrived.append)
        self.monotonic = 1000.0
        self.now = NOW

    def pump(self, seconds=0.02):
        while events := self.selector.select(seconds):
            for key, _ in events:
                key.data(self.monotonic, self.now)

    def connect(self, data=b"", close=True):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(self.path)
        if data:
            peer.sendall(data)
        if close:
            peer.close()
        return peer

    def send(self, *payloads, header=b""):
        for payload in payloads:
            data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            self.connect(header + data)
        self.pump()
        return self.counts()

    def counts(self):
        counts = self.receiver.counts
        return counts.received, counts.unique, counts.rejected

    def close(self):
        self.receiver.close(keep_socket=False)
        self.selector.close()


@pytest.fixture
def door(home):
    found = Door(home)
    yield found
    found.close()


def event(name="Stop", **more):
    return {"session_id": SESSION, "hook_event_name": name, "cwd": "/w"} | more


# -- header ----------------------------------------------------------------------------------------------------------

pairs = st.dictionaries(st.sampled_from(sorted(HEADER_KEYS)), st.text(max_size=30))


@given(pairs)
def test_a_header_of_known_keys_says_what_was_put_in(found):
    line = "\t".join(
        ["aitop/1", *(f"{key}={quote(value, errors='replace')}" for key, value in found.items())]
    )
    assert parse_header(line.encode()) == found


@given(st.binary(max_size=60))
def test_nothing_but_the_grammar_is_a_header(data):
    found = parse_header(b"aitop/1" + data)
    assert found is None or (set(found) <= HEADER_KEYS and data[:1] in (b"", b"\t", b"\r"))


@pytest.mark.parametrize(
    "line",
    [b"", b"aitop/2", b"aitop/1 event=Stop", b"aitop/1\tsecret=1", b"aitop/1\tevent", b"aitop/1\tevent=a\tevent=b",
     b"aitop/1\t", b"aitop/1\t=x", b"aitop/1\tEVENT=x", b"aitop/1\tevent=\xff", b"AITOP/1",
     b"aitop/1\ttag=" + b"x" * 4096],
)  # fmt: skip
def test_what_is_no_header_is_none(line):
    assert parse_header(line) is None


def test_a_header_of_4096_bytes_is_one():
    assert parse_header(b"aitop/1\ttag=" + b"x" * (4096 - 12)) == {"tag": "x" * (4096 - 12)}


def test_the_header_the_hook_writes_is_understood(monkeypatch):
    monkeypatch.setenv("AITOP_TAG", "a\tb\n%=é")
    monkeypatch.setenv("CLAUDE_PID", "77")
    monkeypatch.setenv("TMUX_PANE", "%3")
    found = parse_header(hook.header("Stop").rstrip(b"\n"))
    assert found == {
        "provider": "claude-code",
        "event": "Stop",
        "tag": "a\tb\n%=é",
        "pid": "77",
        "pane": "%3",
    }


# -- payloads --------------------------------------------------------------------------------------------------------


def test_a_payload_arrives_with_or_without_a_header(door):
    assert door.send(event()) == (1, 1, 0)
    assert door.send(event("SessionEnd"), header=b"aitop/1\tprovider=claude-code\ttag=x\n") == (2, 2, 0)
    assert [arrival.feed.event for arrival in door.arrived] == ["Stop", "SessionEnd"]
    assert door.arrived[1].feed.events[0].tag == "x"


def test_a_half_closed_peer_has_said_all(door):
    peer = door.connect(json.dumps(event()).encode(), close=False)
    peer.shutdown(socket.SHUT_WR)
    door.pump()
    assert door.counts() == (1, 1, 0)
    peer.close()


def test_a_payload_in_many_small_parts_arrives_whole(door):
    peer = door.connect(close=False)
    for byte in json.dumps(event()).encode():
        peer.sendall(bytes([byte]))
        door.pump(0)
    peer.close()
    door.pump()
    assert door.counts() == (1, 1, 0)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"7", b"null", b"nonsense", b"{", b"\x00" * 100, b"\xff\xfe", b"GET / HTTP/1.1\r\n\r\n",
     b'{"session_id":7,"hook_event_name":"Stop"}', b'{"session_id":"x"}', b"aitop/1\n", b"aitop/1\tx=1\n{}",
     b"aitop/2\n" + json.dumps(event()).encode(), b"aitop/1\tprovider=other\n" + json.dumps(event()).encode(),
     json.dumps(event() | {"cursor_version": "1"}).encode(), b"[" * 100_000, b'{"a":' * 100_000],
)  # fmt: skip
def test_whatever_is_no_event_is_rejected_and_counted(door, data):
    assert stream(door, data) == (0, 0, 1)
    assert door.arrived == []


def test_a_missing_transcript_path_is_no_reason_to_reject(door):
    door.send(event())
    assert door.arrived[0].feed.paths == []


def test_half_a_character_in_a_payload_is_no_reason_to_reject(door):
    assert door.send(
        b'{"session_id":"s","hook_event_name":"Stop","last_assistant_message":"cut \\ud83d"}'
    ) == (1, 1, 0)


def test_unknown_event_names_are_accepted_and_counted_but_not_without_end(door):
    assert door.send(event("SomethingNew")) == (1, 1, 0)
    door.send(*[event(f"New{n}") for n in range(payloads.MAX_NAMES + 50)])
    assert len(door.receiver.counts.by_event) <= payloads.MAX_NAMES + 1
    assert sum(door.receiver.counts.by_event.values()) == door.receiver.counts.received


def big(size):
    data = json.dumps(event(prompt="")).encode()
    return data.replace(b'"prompt": ""', b'"prompt": "' + b"x" * (size - len(data)) + b'"')


def stream(door, data):
    """Send more than a socket holds, while the receiver works."""
    peer = door.connect(close=False)
    peer.setblocking(False)
    view = memoryview(data)
    try:
        while view:
            try:
                view = view[peer.send(view) :]
            except BlockingIOError:
                door.pump(0)
    except OSError:
        pass
    peer.close()
    door.pump()
    return door.counts()


def test_16_megabytes_are_taken_and_more_are_not(door):
    assert stream(door, big(16 << 20)) == (1, 1, 0)
    assert door.receiver._buffered == 0
    assert stream(door, b"x" * ((16 << 20) + 5000)) == (1, 1, 1)
    assert door.receiver._buffered == 0


def test_many_large_peers_together_stay_within_the_bound(door, monkeypatch):
    monkeypatch.setattr(unix_socket, "MAX_BUFFERED", 100_000)
    peers = [door.connect(b"x" * 40_000, close=False) for _ in range(5)]
    door.pump()
    assert door.receiver._buffered <= 100_000
    assert door.counts()[2] >= 2
    for peer in peers:
        peer.close()
    door.pump()
    assert door.send(event())[0] == 1


def test_a_silent_and_a_slow_peer_are_dropped_after_their_time(door):
    silent, slow = door.connect(close=False), door.connect(b"{", close=False)
    door.pump()
    door.receiver.sweep(door.monotonic + unix_socket.MAX_SECONDS - 0.1, door.now)
    assert len(door.receiver._connections) == 2
    door.receiver.sweep(door.monotonic + unix_socket.MAX_SECONDS + 0.1, door.now)
    assert (len(door.receiver._connections), door.counts()) == (0, (0, 0, 2))
    assert silent.recv(1) == slow.recv(1) == b""
    silent.close()
    slow.close()
    assert door.send(event()) == (1, 1, 2)


def test_what_was_sent_in_time_is_heard_however_late_the_listener_is(door):
    door.receiver.accept(door.monotonic, door.now)
    late = door.connect(close=False)
    door.pump()
    late.sendall(json.dumps(event()).encode())
    late.close()
    door.receiver.sweep(door.monotonic + 3600, door.now)
    assert door.counts() == (1, 1, 0)


def test_a_burst_is_taken_in_parts_so_that_others_get_their_turn(door):
    for n in range(3 * unix_socket.ACCEPTS_IN_A_ROW):
        door.connect(json.dumps(event("PreToolUse", tool_use_id=f"t{n}")).encode())
    door.receiver.accept(door.monotonic, door.now)
    assert door.counts()[0] == unix_socket.ACCEPTS_IN_A_ROW
    door.pump()
    assert door.counts() == (3 * unix_socket.ACCEPTS_IN_A_ROW, 3 * unix_socket.ACCEPTS_IN_A_ROW, 0)


def test_with_all_places_taken_by_silent_peers_the_next_event_is_heard_at_once(door):
    door.receiver._max_connections = 8
    silent = [door.connect(close=False) for _ in range(400)]
    door.connect(json.dumps(event()).encode())
    door.pump()
    assert len(door.receiver._connections) <= 8
    assert door.counts()[0] == 1
    for peer in silent:
        peer.close()


def test_a_peer_of_another_process_keeps_its_place_in_a_flood(door):
    door.receiver._max_connections = 8
    flood = [door.connect(close=False) for _ in range(4)]
    door.pump()
    code = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(flush=True); "
        "sys.stdin.read(); s.sendall(sys.argv[2].encode())"
    )
    with subprocess.Popen(
        [sys.executable, "-I", "-c", code, door.path, json.dumps(event())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        other.stdout.readline()
        flood += [door.connect(close=False) for _ in range(50)]
        door.pump()
        other.stdin.close()
        other.wait()
    door.pump()
    assert door.counts()[0] == 1
    for peer in flood:
        peer.close()


def test_a_flood_that_never_ends_is_dropped_by_turns_at_a_bounded_rate(door):
    door.receiver._max_connections = 4
    door.receiver._drops_left, door.receiver._drops_at = 10.0, door.monotonic
    silent = [door.connect(close=False) for _ in range(250)]
    door.pump()
    assert door.counts()[2] == 10
    assert not door.receiver._accepting  # the rest waits in the queue of the socket
    door.receiver.take_turn(door.monotonic)
    assert not door.receiver._accepting
    turns = []
    while (turn := door.receiver.next_turn()) != unix_socket.NEVER:
        turns.append(turn - door.monotonic)
        door.monotonic = turn
        door.receiver.take_turn(turn)
        door.pump()
    assert door.counts()[2] == 246
    assert 4 <= len(turns) <= 5  # 250, less 4 places and the first 10, in turns of 60
    assert max(turns) <= unix_socket.DROPS_IN_A_TURN / unix_socket.DROPS_PER_SECOND
    assert door.send(event())[0] == 1
    for peer in silent:
        peer.close()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_without_a_descriptor_left_it_neither_spins_nor_ends(door):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    peers = [door.connect(close=False) for _ in range(20)]
    used = len(os.listdir("/proc/self/fd"))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 2, before[1]))
        door.pump()
        assert door.receiver.next_turn() > door.monotonic
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert door.send(event())[0] == 1
    for peer in peers:
        peer.close()


def test_a_peer_that_resets_costs_only_itself(door):
    peer = door.connect(b"{", close=False)
    door.pump()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    peer.close()
    assert door.send(event())[0] == 1


@examples(40)
@given(st.binary(max_size=400) | st.text(alphabet=string.printable, max_size=200).map(str.encode))
def test_no_bytes_whatsoever_stop_it(tmp_path_factory, data):
    home = str(tmp_path_factory.mktemp("d"))
    door = Door(home)
    try:
        door.send(data)
        assert door.send(event(session_id="after"))[0] >= 1
    finally:
        door.close()


# -- duplicates ------------------------------------------------------------------------------------------------------


def test_one_tool_event_delivered_twice_is_one_whenever_it_comes(door):
    tool = event("PostToolUse", tool_use_id="t1", tool_name="Bash")
    door.send(tool)
    door.now += 3600
    assert door.send(tool | {"cwd": "/other"}) == (2, 1, 0)
    assert door.send(tool | {"tool_use_id": "t2"}, event("PreToolUse", tool_use_id="t1")) == (4, 3, 0)
    assert len(door.arrived) == 3


def test_equal_bytes_without_an_id_are_one_only_within_a_moment(door):
    door.send(event(), event())
    assert door.counts() == (2, 1, 0)
    door.now += 0.2
    assert door.send(event()) == (3, 2, 0)


def test_a_duplicate_is_known_whatever_its_header_says(door):
    door.send(event(), header=b"aitop/1\tpid=1\n")
    assert door.send(event(), header=b"aitop/1\tpid=2\n") == (2, 1, 0)


def test_status_lines_are_no_hook_events(door):
    status = {"session_id": SESSION, "cost": {"total_cost_usd": 1.5}, "workspace": {"current_dir": "/w"}}
    assert door.send(status, status) == (0, 0, 0)
    assert len(door.arrived) == 2


def test_what_is_remembered_of_events_is_bounded(door, monkeypatch):
    monkeypatch.setattr(payloads, "MAX_REMEMBERED", 10)
    door.send(*[event("PreToolUse", tool_use_id=f"t{n}") for n in range(40)])
    assert len(door.receiver._payloads._seen) == 10


# -- whose socket it is ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork") or os.getuid() != 0, reason="only root can become another user")
def test_another_user_is_refused_even_where_the_mode_would_let_them(door, home):
    os.chmod(door.path, 0o666)
    os.chmod(home, 0o711)
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(home)
            os.setgid(65_534)
            os.setuid(65_534)
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect("claudecode.sock")
                peer.sendall(json.dumps(event()).encode())
            os.write(go, b"1")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(ready, 1) == b"1"
    os.close(ready)
    os.close(go)
    door.pump()
    assert door.counts() == (0, 0, 1)
    assert door.send(event()) == (1, 1, 1)


def test_it_is_private_from_birth_whatever_the_umask(home, monkeypatch):
    modes = []

    class Watched(socket.socket):
        def bind(self, address):
            super().bind(address)
            modes.append(stat.S_IMODE(os.stat(address).st_mode))

    monkeypatch.setattr(listening.socket, "socket", Watched)
    before = os.umask(0)
    try:
        unix_socket.listen(os.path.join(home, "s")).close()
        assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert modes == [0o600]


def test_a_socket_nobody_answers_is_taken_over(home):
    path = os.path.join(home, "s")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    with unix_socket.listen(path), socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)


def test_a_living_socket_is_never_taken_over(home):
    path = os.path.join(home, "s")
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(path)
        living.listen(1)
        with pytest.raises(SocketError, match="another program listens"):
            unix_socket.listen(path)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(path)


def test_a_living_socket_that_hangs_is_never_taken_over(home):
    path = os.path.join(home, "s")
    with socket.socket(socket.AF_UNIX) as living, socket.socket(socket.AF_UNIX) as first:
        living.bind(path)
        living.listen(0)
        first.setblocking(False)
        first.connect(path)
        with pytest.raises(SocketError):
            unix_socket.listen(path)
        assert os.path.exists(path)


@pytest.mark.parametrize(
    "make", [lambda p: open(p, "w").close(), os.mkdir, lambda p: os.symlink("/etc/passwd", p)]
)
def test_what_is_no_socket_is_never_removed(home, make):
    path = os.path.join(home, "s")
    make(path)
    with pytest.raises(SocketError, match="is no socket: move it away"):
        unix_socket.listen(path)
    assert os.path.lexists(path)


def test_a_path_too_long_is_told_with_the_remedy(home):
    with pytest.raises(SocketError, match="set AITOP_HOME to a shorter path"):
        unix_socket.listen("/" + "x" * 200)


def test_a_clean_end_takes_the_socket_away(home):
    door = Door(home)
    peer = door.connect(close=False)
    door.pump()
    door.close()
    assert not os.path.exists(door.path)
    assert peer.recv(1) == b""
    peer.close()
    assert time.monotonic() > 0
