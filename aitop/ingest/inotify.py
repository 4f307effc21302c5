"""The kernel reports changed files, so that nothing is polled: inotify on Linux, nothing elsewhere.

The kernel's three calls through ctypes; a library for them would weigh more than this. Without it,
or when its watches run out, `active` is False and the caller polls.
"""

import ctypes
import os
import struct
import sys

MODIFY, CLOSE_WRITE, MOVED_TO, CREATE = 0x2, 0x8, 0x80, 0x100
IS_DIR, OVERFLOW, IGNORED, ONLY_DIR = 0x40000000, 0x4000, 0x8000, 0x01000000
MASK = MODIFY | CLOSE_WRITE | MOVED_TO | CREATE | ONLY_DIR
_EVENT = struct.Struct("iIII")


class Watcher:
    """Changed paths under watched folders; `fileno` goes into the caller's selector."""

    def __init__(self) -> None:
        self.active = False
        self._folders: dict[int, str] = {}
        self._watched: dict[str, int] = {}
        if not sys.platform.startswith("linux"):
            return
        try:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, AttributeError):
            return
        self.active = self._fd >= 0

    def fileno(self) -> int:
        return int(self._fd)

    def watch(self, folder: str) -> bool:
        """Watch one folder; whether that is new. When the kernel has no watch left, give up watching altogether."""
        if not self.active or folder in self._watched:
            return False
        number = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), MASK)
        if number >= 0:
            self._folders[number] = folder
            self._watched[folder] = number
            return True
        if ctypes.get_errno() == 28:  # ENOSPC: fs.inotify.max_user_watches
            self.active = False
        return False

    def read(self) -> tuple[set[str], bool]:
        """(files that changed, whether folders appeared or events were lost: look through everything)."""
        changed: set[str] = set()
        rescan = False
        while True:
            try:
                data = os.read(self._fd, 65_536)
            except (BlockingIOError, InterruptedError):
                return changed, rescan
            at = 0
            while at + _EVENT.size <= len(data):
                number, mask, _, size = _EVENT.unpack_from(data, at)
                name = data[at + _EVENT.size : at + _EVENT.size + size].rstrip(b"\0")
                at += _EVENT.size + size
                if mask & IGNORED:
                    self._watched.pop(self._folders.pop(number, ""), None)
                elif mask & (OVERFLOW | IS_DIR):
                    rescan = True
                elif number in self._folders and name:
                    changed.add(os.path.join(self._folders[number], os.fsdecode(name)))

    def close(self) -> None:
        if self.active:
            self.active = False
            os.close(self._fd)
