"""From files that changed to a history that knows: finding, queueing, reading in slices.

Used by the listener (a slice at a time between ticks) and by reports (until done). The newest
files come first, so today's numbers are right first. Much at once goes to helper processes; what
they found is applied here, and a chunk that does not fit the offset it was read from is dropped.
"""

import heapq
import os
import stat
from collections.abc import Iterator, Sequence
from functools import partial

from aitop.history.rows import File
from aitop.history.store import History
from aitop.history.write.prepare import Batch
from aitop.ingest import parcels, workers
from aitop.ingest.coverage import ClientCoverage, Coverage
from aitop.ingest.roots import Roots, is_text
from aitop.ingest.tail import (
    AT_REST_SECONDS,
    CUT_SHORT,
    UNFINISHED,
    WAL,
    Chunk,
    Job,
    advance,
    bytes_left,
    chunks,
    is_cold,
    is_read,
    stamp,
)
from aitop.ingest.walk import Walk
from aitop.providers import Provider, Source
from aitop.providers.files import BusyError
from aitop.providers.isolation import guarded

HELP_FROM = 8 << 20  # bytes waiting from which helper processes pay
HELP_FROM_FILES = 400  # waiting files from which they pay too
NEWEST_SECONDS = 90_000.0  # files changed within these hold all of today, also where a clock is put back
HOT_SECONDS = 3600.0  # files changed within these are looked at again by `poll`
MANY = 16  # events of one run from which it pays to prepare them together


class Ingest:
    """What is to be read, and how far that is."""

    def __init__(
        self, history: History, providers: Sequence[Provider], folders: dict[str, list[str]], helpers: int
    ) -> None:
        self.history = history
        self.providers = {provider.name: guarded(provider) for provider in providers}
        self.helpers_allowed = helpers
        self.helpers: list[workers.Helper] = []
        self.done_bytes = self.total_bytes = 0
        self._scanned = False
        self._coverage = Coverage()
        self._unread = self._coverage.unread
        self._queue: list[tuple[float, str, str]] = []  # (-mtime, path, provider)
        self._queued: set[str] = set()
        self._handed: dict[str, str] = {}  # path → provider of the files given to helpers
        self._changed_meanwhile: dict[str, str] = {}  # path → provider: seen to change while helpers read
        self._paths: dict[str, str] = {}  # of the files given to helpers, by themselves
        self._alone: set[str] = set()  # files a helper did not finish: read in this process
        self._identified: dict[str, Source] = {}  # by path, from taking up a new file to its first chunk
        self._current: Iterator[Chunk] | None = None
        self._path = self._reading = ""  # the file that it reads, and the file's provider
        self._hot: dict[str, tuple[str, float]] = {}  # path → (provider, when it last changed)
        self._newest: set[str] = set()  # of the first look: files that may hold today's numbers, not yet read
        self._newest_read = False
        self._unfinished: dict[str, float] = {}  # path → when its last line, without a newline, is at rest
        self._search(folders)

    def add_roots(self, roots: dict[str, list[str]]) -> None:
        """Search these folders (provider → folders) in the place of the ones given so far."""
        if roots != self._folders:
            self._search(roots)

    def _search(self, folders: dict[str, list[str]]) -> None:
        self._folders, self._roots = folders, Roots(folders)
        self.folders = self._roots.all
        self._walk = Walk(self._roots, self.providers, self.history.files, self._consider, self._unread)

    # -- finding ---------------------------------------------------------------------------------------------

    def rescan(self, now: float, places: dict[str, bytes] | None = None) -> list[str]:
        """Look through every folder for files that changed: the folders seen. `places` takes how each looked."""
        self._walk.looks = places
        return list(self.scan(now))

    def at_rest(self) -> bool:
        """Whether everything found was read to its end, so that only a change of a file can bring more."""
        return self.complete and not self._unfinished and not self.unreadable

    def scan(self, now: float) -> Iterator[str]:
        """The same folder by folder, so that the caller may do other things in between; yields each one seen."""
        yield from self._walk.scan(now)
        self._scanned = True
        self._coverage.looked(self._walk.present_clients(), os.environ, self.providers)

    @property
    def unreadable(self) -> dict[str, str]:
        """The files that could not be read, or not as a whole, and why."""
        return self._unread.why

    def coverage(self) -> dict[str, ClientCoverage]:
        """Client → what is counted of it, as of the last look at the folders."""
        problems = {name: provider.problem for name, provider in self.providers.items()}
        return self._coverage.clients(problems, self.history.files)

    def appeared(self) -> bool:
        """Whether a folder or single file of ours is there now that was not at the last look."""
        return self._walk.appeared()

    def look(self, path: str, now: float) -> bool:
        """One path that something spoke of: queue it if it changed. Whether it is under a folder of ours.

        One that is spelled otherwise than we know the folder is found by the next look at the folders.
        """
        place = self._roots.resolve(path.removesuffix(WAL))
        if place is None:
            return False
        is_root = (place.provider, place.path) in self.folders
        if not is_root and not self.providers[place.provider].wants(place.path):
            return False
        try:
            status = os.stat(place.path, follow_symlinks=False)
        except OSError:
            return True
        if stat.S_ISREG(status.st_mode):
            self._consider(place.path, place.provider, status, now)
        return True

    def poll(self, now: float, within: float) -> None:
        """Look again at the files that changed within the last `within` seconds."""
        for path, (provider, changed) in list(self._hot.items()):
            try:
                status = os.stat(path, follow_symlinks=False)
            except OSError:
                del self._hot[path]
                continue
            if now - max(changed, stamp(path, status).mtime) > within:
                del self._hot[path]
            elif stat.S_ISREG(status.st_mode):
                self._consider(path, provider, status, now)

    def look_at_rested(self, now: float) -> None:
        """Look again at the files that have now been at rest long enough for their last line to count."""
        for path, at in list(self._unfinished.items()):
            if at <= now:
                del self._unfinished[path]
                self.look(path, now)

    def _consider(self, path: str, provider: str, status: os.stat_result, now: float) -> None:
        if not is_text(path):
            self._unread.add(path.encode("utf-8", "replace").decode(), provider, "its name is not UTF-8")
            return
        stored = self.history.files.get(path)
        if is_cold(path, stored, status, now - HOT_SECONDS):
            return  # nearly every file of nearly every look
        seen = stamp(path, status)
        if now - seen.mtime < HOT_SECONDS:
            self._hot[path] = (provider, seen.mtime)
        if stored is not None and is_read(stored, seen, status.st_ino, unsolved=path in self.unreadable):
            return
        if path not in self._queued and status.st_size:
            self._queued.add(path)
            if not self._scanned and now - seen.mtime < NEWEST_SECONDS:
                self._newest.add(path)
            heapq.heappush(self._queue, (-seen.mtime, path, provider))
            self.total_bytes += bytes_left(stored, seen, status.st_ino)
        elif self.helpers:
            self._changed_meanwhile[path] = provider

    # -- reading ---------------------------------------------------------------------------------------------

    def newest_came(self) -> bool:
        """True once: what the first look found of today has been read, though older files may not be."""
        if self._newest_read or self._newest or not self._scanned:
            return False
        self._newest_read = True
        return True

    @property
    def complete(self) -> bool:
        """Whether everything that was found has been read."""
        return self._scanned and not self.waiting

    @property
    def waiting(self) -> bool:
        return bool(self._queue or self.helpers or self._current)

    def recruit(self, now: float) -> None:
        """Send for helpers when much is waiting."""
        much = self.total_bytes - self.done_bytes >= HELP_FROM or len(self._queue) >= HELP_FROM_FILES
        if self.helpers or not self.helpers_allowed or not much:
            return
        ordered = sorted(self._queue)
        self._queue = [entry for entry in ordered if entry[1] in self._alone]  # in order, so a heap still
        files = [(path, name) for _, path, name in ordered if path not in self._alone]
        if not files:
            return
        self._handed = dict(files)
        self._paths = {path: path for path in self._handed}
        self._identified.clear()  # the helpers identify them, and `apply` once more: less than to keep it for all
        doors: dict[str, workers.Door] = {name: self._door(name) for name in self.providers}
        prepare = partial(parcels.prepared, history=self.history, now=now)
        job = partial(self._job, now=now)
        self.helpers = workers.start(files, self.helpers_allowed, doors, job, prepare)

    def step(self, now: float) -> bool:
        """Read and apply one chunk in this process; False when nothing is waiting here."""
        while True:
            if self._current is None:
                if not self._queue:
                    self._finish()
                    return False
                _, path, name = heapq.heappop(self._queue)
                self._path, self._reading = path, name
                self._queued.discard(path)
                self._alone.discard(path)
                if self.providers[name].problem is not None:
                    continue
                self._current = chunks(self._job(path, name, now), *self._door(name))
            try:
                chunk = next(self._current, None)
            except FileNotFoundError:  # deleted while it waited
                self._unread.discard(self._path)
                chunk = None
            except OSError as error:
                self._unread.add(self._path, self._reading, error.strerror or str(error))
                if isinstance(error, BusyError):
                    self._unfinished[self._path] = now  # nothing may tell when its client has written it
                chunk = None
            except Exception as error:  # a provider's own fault must not stop the reading of the rest
                self._unread.add(self._path, self._reading, f"{type(error).__name__}: {error}")
                self.providers[self._reading].blame(self._path, error)
                chunk = None
            if chunk is not None:
                self.apply(chunk, now)
                return True
            self._current = None

    def receive(self, helper: workers.Helper, now: float) -> None:
        """Take in what a helper sent."""
        for plain in helper.receive():
            chunk, batch = parcels.received(plain, self._paths)
            self.apply(chunk, now, batch)
        if helper.ended and helper in self.helpers:
            self.helpers.remove(helper)
            if not self.helpers:
                self._after_helpers(now)

    def _after_helpers(self, now: float) -> None:
        """Look again at what a helper that died left unread."""
        self._queued = {path for _, path, _ in self._queue}
        self._finish()
        handed, self._handed = self._handed, {}
        self._changed_meanwhile, self._paths = {}, {}
        for path, name in handed.items():
            try:
                status = os.stat(path, follow_symlinks=False)
            except OSError:
                continue
            if path not in self._queued:
                self._consider(path, name, status, now)
                self._alone |= {path} & self._queued

    def apply(self, chunk: Chunk, now: float, batch: Batch | None = None) -> None:
        """Move the history on by one chunk, if it follows on what the history has."""
        file = self.history.file(chunk.provider, chunk.path)
        if chunk.start not in (0, file.offset):
            return
        parsed = chunk.parsed
        bad_before = file.bad_lines
        if chunk.start == 0:
            source = self._identified.pop(chunk.path, None) or self.providers[chunk.provider].identify(
                chunk.path
            )
            file.session, file.agent, file.bad_lines = source.session, source.agent, 0
            file.first_at = parsed.first_at
        elif file.first_at is None:
            file.first_at = parsed.first_at
        advance(file, chunk)
        if parsed.problem is not None:
            self._unread.add(chunk.path, chunk.provider, parsed.problem)
        else:
            self._unread.discard(chunk.path)
        if chunk.size != CUT_SHORT:
            self._newest.discard(chunk.path)
            self._handed.pop(chunk.path, None)
        if chunk.size == UNFINISHED:
            self._unfinished[chunk.path] = chunk.mtime_ns / 1e9 + AT_REST_SECONDS
        self.history.touch(file, file.bad_lines - bad_before)
        self.done_bytes += chunk.end - chunk.start
        if chunk.size != CUT_SHORT and self._changed_meanwhile.pop(chunk.path, None) is not None:
            self._queued.discard(chunk.path)  # it was seen to change while a helper read it
            self.look(chunk.path, now)
        if batch is None and len(parsed.events) >= MANY:
            batch = self.history.prepare(parsed.events, now)
        if batch is None:
            self.history.apply(chunk.provider, parsed.events, now, file)
        else:
            self.history.take(chunk.provider, batch, now, file)

    def stop(self) -> None:
        """Let the helpers go; what they had not sent is read later."""
        for helper in self.helpers:
            helper.close()
        self.helpers = []
        self._handed.clear()
        self._changed_meanwhile.clear()

    def forget(self) -> None:
        """After a failed commit: the offsets fell back, so everything is looked at again."""
        self.stop()
        self._queue, self._current = [], None
        self._queued.clear()
        self._identified.clear()
        self._scanned = False

    def _door(self, name: str) -> workers.Door:
        provider = self.providers[name]
        return provider.parse, provider.identify, provider.read if provider.reads else None

    def _job(self, path: str, name: str, now: float) -> Job:
        file: File | None = self.history.files.get(path)
        if file is None or file.inode is None:
            source = self._identified[path] = self.providers[name].identify(path)
            return Job(path, name, 0, 0, None, source, now)
        source, keeps = Source(file.session, file.agent, file.pending), self.providers[name].keeps_note
        return Job(path, name, file.offset, file.tail, file.inode, source, now, keeps)

    def _finish(self) -> None:
        if not self.waiting:
            self._identified.clear()
            self.total_bytes = self.done_bytes
