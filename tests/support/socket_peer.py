"""A listener's stand-in for tests: collects what each connection sends, or misbehaves."""

import contextlib
import socket
import threading
import time


class Peer:
    """Accepts and collects; `payloads` holds one entry for each finished connection."""

    def __init__(self, path, answer=b""):
        self._answer = answer
        self.payloads = []
        self.arrived = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(64)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer:
                parts = []
                with contextlib.suppress(OSError):
                    while part := peer.recv(1 << 20):
                        parts.append(part)
                    peer.sendall(self._answer)
            self.payloads.append(b"".join(parts))
            self.arrived.set()

    def wait(self, count=1):
        deadline = time.monotonic() + 10
        while len(self.payloads) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.payloads

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@contextlib.contextmanager
def answering(path, answer=b""):
    """Takes everything; gives `answer` back on each connection."""
    peer = Peer(path, answer)
    try:
        yield peer
    finally:
        peer.close()


@contextlib.contextmanager
def hanging(path):
    """A socket whose backlog is full: what a stopped listener looks like after a while."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen(0)
        for _ in range(64):
            other = stack.enter_context(socket.socket(socket.AF_UNIX))
            other.setblocking(False)
            try:
                other.connect(str(path))
            except OSError:
                break
        yield listener


@contextlib.contextmanager
def dripping(path):
    """Accepts and reads one byte now and then."""
    done = threading.Event()

    def drip():
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            with peer:
                while not done.wait(0.01):
                    peer.recv(1)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        listener.settimeout(10)
        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(5)
