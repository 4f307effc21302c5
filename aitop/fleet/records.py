"""The responses of one history as lines, for another machine of the same person: `aitop state --records --since MARK`.

Responses travel, not sums, so that a transcript that lies on two machines counts once. A line has digests, times,
tokens and money: no prompt, no path but a folder's own name. Reads only.

    {"v": 1, "whole": true, "host": …}       `whole`: forget what was had of this host before
    {"s": [number, provider, session, project]}   a session, before its first response
    {"m": [number, model]}
    {"m": [number, model], "credits": …}     the same; and the next response was billed so many millionths of credits
    [key, at, session, model, uncached, output, cache_read, write_5m, write_1h, cost, basis]
    [key, at, session, model, untracked]
    {"end": {"mark": …, "responses": …, "cost": …, "untracked": …, "credits": …}}     of the whole history

`key`: 11 characters of base64, the digest of the response's name. `at`: milliseconds after the line before; money in
picodollars. An aitop that knows no credits reads such a line as a model's name, and its own end has none.
"""

import base64
import json
import sqlite3
from collections.abc import Iterator
from struct import pack

from aitop.fleet import readings
from aitop.history import keys
from aitop.history.query import sums_since

VERSION = 1
OVERLAP = 3600.0  # seconds before the mark that are sent again: there the last lines of responses may have come since
_RESPONSES = """
SELECT r.id, r.message_key, r.at, r.session, r.model, r.uncached, r.output, r.cache_read,
  r.write_5m, r.write_1h, r.cost, r.basis, r.credits, coalesce(p.cwd, s.cwd, '')
FROM response r JOIN session s ON s.id = r.session LEFT JOIN place p ON p.id = r.place
WHERE r.id > ? OR r.at >= ? ORDER BY r.at, r.id
"""
_SIDE_CALLS = """
SELECT c.at, c.session, c.model, c.picodollars, s.provider, s.name, coalesce(s.cwd, ''), m.name
FROM side_call c JOIN session s ON s.id = c.session JOIN model m ON m.id = c.model WHERE c.at >= ? ORDER BY c.at
"""


def lines(db: sqlite3.Connection, since: str, host: str) -> Iterator[str]:
    """Everything since a mark of this history; everything at all where the mark is not of it. Raises sqlite3.Error."""
    db.execute("BEGIN")
    identity = f"{readings.born(db)[0]}/{sums_since.meta(db, 'prices') or ''}".replace(" ", "")
    last, newest = _since(since, identity)
    yield _json({"v": VERSION, "whole": last < 0, "host": host})
    writer = _Writer(db)
    unnamed = _unnamed(db)
    highest, latest = max(last, 0), max(newest, 0.0)
    for number, key, at, *rest in db.execute(_RESPONSES, (last, newest - OVERLAP)):
        highest, latest = max(highest, number), max(latest, at)
        named = key if key is not None else unnamed.get(number)
        if named is not None:
            *row, credits_, cwd = rest
            yield from writer.response(named, at, row, readings.folder_name(cwd), credits_)
    for at, session, model, amount, provider, name, cwd, model_name in db.execute(
        _SIDE_CALLS, (newest - OVERLAP,)
    ):
        named = side_call_key(provider, name, model_name, at)
        yield from writer.response(named, at, [session, model, amount], readings.folder_name(cwd))
    responses, cost, credits_ = db.execute(
        "SELECT count(*), ifnull(sum(cost), 0), ifnull(sum(credits), 0) FROM response"
    ).fetchone()
    untracked = db.execute("SELECT ifnull(sum(picodollars), 0) FROM side_call").fetchone()[0]
    mark = f"{highest}:{latest:.3f}:{identity}"
    sums = {"responses": responses, "cost": cost, "untracked": untracked, "credits": credits_}
    yield _json({"end": {"mark": mark, **sums}})


def side_call_key(provider: str, session: str, model: str, at: int) -> int:
    """What names money that belongs to no response: the same on every machine that reads the same records."""
    return keys.key("u", f"{provider}\0{session}\0{model}\0{at}")


class _Writer:
    """Names each session and model once, and writes times as differences."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._models = dict(db.execute("SELECT id, name FROM model"))
        self._sessions = {
            i: (provider, name) for i, provider, name in db.execute("SELECT id, provider, name FROM session")
        }
        self._known_sessions: dict[tuple[int, str], int] = {}
        self._known_models: dict[int, int] = {}
        self._before = 0

    def response(
        self, key: int, at: float, row: list[int], project: str, credits_: int | None = None
    ) -> Iterator[str]:
        session, model, *numbers = row
        place = self._known_sessions.get((session, project))
        if place is None:
            place = self._known_sessions[session, project] = len(self._known_sessions)
            yield _json({"s": [place, *self._sessions[session], project]})
        shown = self._known_models.get(model)
        if shown is None or credits_ is not None:
            shown = self._known_models.setdefault(model, len(self._known_models))
            billed = {} if credits_ is None else {"credits": credits_}
            yield _json({"m": [shown, self._models.get(model, "")], **billed})
        moment = round(at * 1000)
        yield _json([encoded(key), moment - self._before, place, shown, *numbers])
        self._before = moment


def encoded(key: int) -> str:
    return base64.urlsafe_b64encode(pack(">q", key)).decode().rstrip("=")


def _unnamed(db: sqlite3.Connection) -> dict[int, int]:
    """The key of each response that has no message id: the least of those it is found by."""
    lone = {number for (number,) in db.execute("SELECT id FROM response WHERE message_key IS NULL")}
    if not lone:
        return {}
    names = db.execute(
        "SELECT key, response FROM alias ORDER BY key DESC"
    )  # the last one of a response stays
    return {number: key for key, number in names if number in lone}


def _since(mark: str, identity: str) -> tuple[int, float]:
    """(the last response's number, the newest time) of a mark; (-1, 0) for everything."""
    last, _, rest = mark.partition(":")
    newest, _, of = rest.partition(":")
    try:
        return (int(last), float(newest)) if of == identity else (-1, 0.0)
    except ValueError:
        return -1, 0.0


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)
