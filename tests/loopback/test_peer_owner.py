"""The user at the other end of a connection: by the kernel's table, made up and real."""

import os
import socket

import pytest

from aitop.system.loopback.peer_owner import End, can_tell, owner, owner_in

PEER, HERE = End("127.0.0.1", 50_000), End("127.0.0.1", 4330)
TABLE = b"""\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:10EA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0 100 0 0 10 0
   1: 0100007F:10EA 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12 1 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:10EA 01 00000000:00000000 00:00000000 00000000  1001        0 13 1 0 20 4 30 10 -1
   3: 0100007F:C351 0100007F:10EA 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
   4: 0100007F:C352 0100007F:10EA 05 00000000:00000000 03:00000000 00000000     0        0 0 3 0
"""
V6 = b"""\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000100007F:C350 0000000000000000FFFF00000100007F:10EA 01 00000000:00000000 00:00000000 00000000  1002        0 14 1 0 20 4 30 10 -1
   1: 00000000000000000000000001000000:C350 00000000000000000000000001000000:10EA 01 00000000:00000000 00:00000000 00000000  1003        0 15 1 0 20 4 30 10 -1
"""  # noqa: E501


def test_the_peer_is_the_entry_with_our_addresses_the_other_way_round():
    assert owner_in(TABLE, PEER, HERE) == 1001


@pytest.mark.parametrize("port", [50_001, 50_002, 50_003])
def test_an_end_that_is_closed_or_unknown_has_no_owner(port):
    assert owner_in(TABLE, End("127.0.0.1", port), HERE) is None


def test_a_program_that_asks_for_ipv6_is_found_as_well():
    assert owner_in(V6, PEER, HERE) == 1002
    assert owner_in(V6, End("::1", 50_000), End("::1", 4330)) == 1003


@pytest.mark.skipif(not can_tell(), reason="this system has no such table")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_connection_of_this_process_is_this_users(family):
    try:
        server = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family)
    except OSError:
        pytest.skip("no IPv6 here")
    with server, socket.socket(family) as peer:
        peer.connect(server.getsockname()[:2])
        accepted, address = server.accept()
        with accepted:
            assert owner(End(*address[:2]), End(*accepted.getsockname()[:2])) == os.getuid()
        peer.close()
        assert owner(End(*address[:2]), End(*server.getsockname()[:2])) is None
