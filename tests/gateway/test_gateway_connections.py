"""The gateway's connections by themselves: what a flood of silent ones costs, and who makes room for whom."""

import asyncio
import socket

import pytest

pytest.importorskip("aiohttp")
from aitop.gateway import connections  # noqa: E402
from aitop.gateway.connections import Connections  # noqa: E402


class Echo(asyncio.Protocol):
    """In the place of the library's protocol."""

    made = 0

    def connection_made(self, transport):
        Echo.made += 1
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def eof_received(self):
        return False


class Place:
    """Connections below a small bound, and their peers."""

    def __init__(self, most):
        Echo.made = 0
        self.all = Connections(Echo, most)
        listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        listening.setblocking(False)
        self.address = listening.getsockname()
        self.all.listen(listening)
        self.peers = []

    def connect(self, count=1):
        new = [socket.create_connection(self.address, 10) for _ in range(count)]
        self.peers += new
        return new

    async def ask(self):
        """What comes back to a byte; nothing from a connection that was dropped."""
        (peer,) = self.connect()
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(peer, b"x")
        return await asyncio.wait_for(loop.sock_recv(peer, 1), 20)

    def close(self):
        self.all.close()
        for one in list(self.all._open.values()):
            one.cut()
        for peer in self.peers:
            peer.close()


def within(test, most=4):
    """Run a test of a place in a loop of its own."""

    async def run():
        place = Place(most)
        try:
            await test(place)
        finally:
            place.close()

    asyncio.run(run())


async def settled():
    for _ in range(50):
        await asyncio.sleep(0)


def test_a_silent_connection_costs_no_protocol():
    async def test(place):
        place.connect(3)
        await settled()
        assert (len(place.all._silent), Echo.made) == (3, 0)
        assert await place.ask() == b"x"
        assert Echo.made == 1

    within(test)


def test_a_flood_is_dropped_by_turns_at_a_bounded_rate(monkeypatch):
    turns = []
    pause = Connections._pause

    def paused(self, listening, seconds):
        turns.append((seconds, len(place_of[0].all._silent)))
        pause(self, listening, seconds)

    place_of = []
    monkeypatch.setattr(Connections, "_pause", paused)

    async def test(place):
        place_of.append(place)
        place.all._drops_left = 10.0
        monkeypatch.setattr(connections, "DROPS_PER_SECOND", 100.0)
        place.connect(80)
        assert await place.ask() == b"x"

    within(test)
    assert 1 <= len(turns) <= 3  # 80, less 4 places and the first 10, in turns of 50
    assert all(0 < seconds <= connections.DROPS_IN_A_TURN / 100.0 for seconds, _ in turns)
    assert {silent for _, silent in turns} == {4}


def test_the_silent_make_room_first_and_those_that_were_let_in_last():
    async def test(place):
        known, unknown = place.connect(2)
        for peer in (known, unknown):
            peer.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(peer, b"x")
        await settled()
        first, second = place.all._open.values()
        (trusted,) = [
            one for one in (first, second) if one.transport.get_extra_info("peername") == known.getsockname()
        ]
        trusted.trusted = True
        place.connect(2)
        await settled()
        place.connect(2)
        await settled()
        assert len(place.all._open) == 2  # two silent ones went
        while place.all._silent:
            assert place.all._make_room()
        assert place.all._make_room()
        assert list(place.all._open.values()) == [trusted]

    within(test)


def test_where_every_connection_has_a_request_running_the_new_one_goes():
    async def test(place):
        assert await place.ask() == b"x"
        (one,) = place.all._open.values()
        with place.all.request(one.inner):
            (late,) = place.connect()
            await settled()
            assert late.recv(1) == b""
            assert list(place.all._open.values()) == [one]

    within(test, most=1)


def test_a_peer_that_hangs_up_unheard_leaves_nothing_behind():
    async def test(place):
        place.connect()[0].close()
        await settled()
        assert (place.all._silent, place.all._open, Echo.made) == ({}, {}, 0)

    within(test)
