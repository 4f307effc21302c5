"""Passing the lock and the socket through a re-execution."""

import os
import socket

import pytest

from aitop.listener import handover
from aitop.listener.lock import Lock
from aitop.receiver.listening import listen


@pytest.fixture
def held(home, monkeypatch):
    """(lock, listening socket, path of both), as a listener has them."""
    lock_path, path = os.path.join(home, "listener.lock"), os.path.join(home, "claudecode.sock")
    lock = Lock(lock_path)
    lock.acquire()
    listening = listen(path)
    monkeypatch.delenv(handover.VARIABLE, raising=False)
    yield lock, listening, lock_path, path
    lock.release()
    listening.close()


def test_lock_and_socket_are_taken_up_again(held, monkeypatch):
    lock, listening, lock_path, path = held
    monkeypatch.setenv(handover.VARIABLE, handover.give(lock, listening, path)[handover.VARIABLE])
    taken_lock, taken = handover.take(lock_path, path)
    assert handover.VARIABLE not in os.environ
    assert taken_lock.is_in_place()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
        peer.sendall(b"x")
        accepted, _ = taken.accept()
        with accepted:
            assert accepted.recv(1) == b"x"
    assert not os.get_inheritable(taken.fileno())
    assert not os.get_inheritable(taken_lock.fd)
    taken.detach()
    taken_lock.let_go()


@pytest.mark.parametrize("told", ["", "x", "1 2 3", "9999 9998 1 1", "0 1 2 3"])
def test_what_is_not_ours_is_not_taken(held, monkeypatch, told):
    _, _, lock_path, path = held
    monkeypatch.setenv(handover.VARIABLE, told)
    assert handover.take(lock_path, path) is None
    assert handover.VARIABLE not in os.environ


def test_a_socket_whose_name_was_taken_is_opened_anew(held, monkeypatch):
    lock, listening, lock_path, path = held
    told = handover.give(lock, listening, path)[handover.VARIABLE].split()
    copies = [os.dup(lock.fd), os.dup(listening.fileno())]
    monkeypatch.setenv(handover.VARIABLE, f"{copies[0]} {copies[1]} {told[2]} 1")
    taken_lock, taken = handover.take(lock_path, path)
    assert taken is None
    taken_lock.release()
