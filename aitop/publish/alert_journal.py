"""`alerts.jsonl`: when which alert was raised and when it ended, for the pages that show a past day.

The listener appends a line where an alert begins, changes its level or ends, which is rare. The file is bounded and
never fsynced: it serves a look back, no rule reads it. Writing never raises and never waits.
"""

import json
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aitop import paths
from aitop.live.alerts import Alert

LIMIT = 1 << 20  # bytes; then it becomes `alerts.jsonl.1` and replaces the one before: months of alerts
TEXT_MAX = 500  # characters
APPEND = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO would wait for its writer


class Raised(NamedTuple):
    """One alert of the past. Times are epoch seconds; `ended` None: it stood at the journal's end."""

    id: str
    level: str
    text: str
    at: float
    ended: float | None
    session: str | None
    provider: str | None


class AlertJournal:
    """Writes the journal of one home. Its first line says that it knows of no alert yet."""

    def __init__(self, home: str) -> None:
        self._path = os.path.join(home, paths.ALERTS)
        self._standing: dict[str, tuple[str, str]] | None = None  # id → level, cause
        self._torn: bool | None = None  # the last line was not written whole; None: not looked at yet

    def note(self, alerts: Iterable[Alert], now: float) -> None:
        """Write what changed since the last call; on a full disk or without a home, nothing."""
        by_id = {alert.id: alert for alert in alerts}
        standing: dict[str, tuple[str, str]] = {
            name: (alert.level, alert.cause) for name, alert in by_id.items()
        }
        before = self._standing
        if standing == before:
            return
        self._standing = standing
        lines: list[dict[str, object]] = [{"at": now, "began": True}] if before is None else []
        lines += [
            {"at": now, "id": alert.id, "level": alert.level, "text": alert.text[:TEXT_MAX],
             "session": alert.session, "provider": alert.provider}
            for alert in by_id.values()
            if before is None or before.get(alert.id) != standing[alert.id]
        ]  # fmt: skip
        lines += [{"at": now, "id": name, "ended": True} for name in before or () if name not in standing]
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        try:
            if self._torn is None:
                self._torn = _is_torn(self._path)
            self._torn = not self._append(b"\n" * self._torn + data)
        except OSError:
            self._torn = True

    def _append(self, data: bytes) -> bool:
        """Whether all of it was written. Raises OSError."""
        fd = os.open(self._path, APPEND, 0o600)
        try:
            if os.fstat(fd).st_size + len(data) > LIMIT:
                os.replace(self._path, self._path + ".1")
                full, fd = fd, os.open(self._path, APPEND, 0o600)
                os.close(full)
            return os.write(fd, data) == len(data)
        finally:
            os.close(fd)


def _is_torn(path: str) -> bool:
    """Whether a file does not end with a newline. Raises OSError."""
    try:
        with open(os.open(path, READ), "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            return file.read(1) not in (b"", b"\n")
    except FileNotFoundError:
        return False


def read(home: str, start: float, end: float) -> list[Raised]:
    """The alerts that stood at some time from `start` until before `end`, as they were raised.

    Damaged lines are left out. A listener that starts raises again what still holds: that is the same alert.
    What it does not raise again ended at its start at the latest.
    """
    path = os.path.join(home, paths.ALERTS)
    raised: list[Raised] = []
    standing: dict[str, int] = {}  # id → place in `raised`
    unsure: dict[str, int] = {}  # the same, of the listener before
    began = 0.0
    for line in (*_lines(path + ".1"), *_lines(path)):
        at, name, level, text = (line.get(key) for key in ("at", "id", "level", "text"))
        if not isinstance(at, int | float):
            continue
        if unsure and at != began:
            _end(raised, unsure, list(unsure), began)
        if line.get("began"):
            unsure, standing, began = {**unsure, **standing}, {}, at
        if not isinstance(name, str):
            continue
        place = unsure.get(name, standing.get(name))
        if place is not None and not line.get("ended") and raised[place].level == level:
            standing[name] = unsure.pop(name, place)
            continue
        _end(raised, unsure, [name], at)
        _end(raised, standing, [name], at)
        if isinstance(level, str) and isinstance(text, str):
            standing[name] = len(raised)
            raised.append(
                Raised(name, level, text, at, None, _text(line.get("session")), _text(line.get("provider")))
            )
    _end(raised, unsure, list(unsure), began)
    return [one for one in raised if one.at < end and (one.ended is None or one.ended >= start)]


def _end(raised: list[Raised], standing: dict[str, int], names: list[str], at: float) -> None:
    for name in names:
        place = standing.pop(name, None)
        if place is not None:
            raised[place] = raised[place]._replace(ended=at)


def _lines(path: str) -> Iterator[dict[str, object]]:
    try:
        with open(os.open(path, READ), "rb") as file:
            data = file.read(2 * LIMIT)
    except OSError:
        return
    for line in data.split(b"\n"):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):  # a line of brackets alone is nested too deeply
            continue
        if isinstance(entry, dict):
            yield entry


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
