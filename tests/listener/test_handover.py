"""Passing the lock and the socket through a re-execution."""

import os
import socket

import pytest

from aitop.listener import handover, run
from aitop.listener.lock import Held, Lock
from aitop.log import Log
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


def test_the_lock_is_handed_on_where_there_is_no_socket(held, monkeypatch):
    lock, _, lock_path, path = held
    monkeypatch.setenv(handover.VARIABLE, handover.give(lock, None, path)[handover.VARIABLE])
    taken_lock, taken = handover.take(lock_path, path)
    assert taken is None
    assert taken_lock.fd == lock.let_go()
    taken_lock.release()


def test_a_socket_that_lost_its_name_is_not_handed_on_but_the_lock_is(held, monkeypatch):
    lock, listening, lock_path, path = held
    os.unlink(path)
    monkeypatch.setenv(handover.VARIABLE, handover.give(lock, listening, path)[handover.VARIABLE])
    assert not os.get_inheritable(listening.fileno())
    taken_lock, taken = handover.take(lock_path, path)
    assert taken is None
    assert taken_lock.fd == lock.let_go()
    taken_lock.release()


@pytest.mark.parametrize("with_socket", [True, False])
def test_a_listener_that_cannot_start_anew_goes_on_under_its_lock(held, home, monkeypatch, with_socket):
    lock, listening, lock_path, _ = held

    def refuse(*_):
        assert os.get_inheritable(lock.fd)
        with pytest.raises(Held):
            Lock(lock_path).acquire()
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(os, "execve", refuse)
    log = Log(os.path.join(home, "aitop.log"), debug=False, echo=False)
    run._start_anew(lock, listening if with_socket else None, home, log, echo=False)
    assert lock.is_in_place()
    assert not os.get_inheritable(lock.fd)
    assert not os.get_inheritable(listening.fileno())
    with pytest.raises(Held):
        Lock(lock_path).acquire()
