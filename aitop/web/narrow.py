"""The part of the history that an address asks for, as the reports ask for it. Reads only.

A report's patterns fit what looks alike; a link means one model, one folder, one branch, one session.
"""

import sqlite3
from collections.abc import Mapping

from aitop.config import Config
from aitop.history.query import spans
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter
from aitop.web.params import Part


def asker(
    db: sqlite3.Connection,
    config: Config,
    part: Part,
    tags: Mapping[str, str],
    days: Filter | None = None,
) -> Asker:
    """One that lets through exactly this part; `days` are other days than the part's."""
    wanted = days or wanted_days(part)
    narrowed = Asker(db, wanted._replace(model=part.model), config.tags, dict(tags))
    if part.model is not None:
        models = db.execute("SELECT id FROM model WHERE name = ? AND name != ''", (part.model,)).fetchall()
        narrowed.only = narrowed.only._replace(models=tuple(number for (number,) in models))
    by_session = part.provider is not None or part.session is not None
    by_place = part.project is not None or part.branch is not None
    if not by_session and not by_place:
        return narrowed
    sessions = [
        f.id
        for f in narrowed.facts.values()
        if part.provider in (None, f.provider) and part.session in (None, f.name)
    ]
    places = [number for number, place in spans.places(db).items() if _is(part, place.cwd, place.branch)]
    at_home = [f.id for f in narrowed.facts.values() if _is(part, f.cwd, f.branch)]
    spans.let_through(db, sessions, places, at_home)
    narrowed.only = spans.Only(by_session, narrowed.only.models, places=by_place)
    return narrowed


def wanted_days(part: Part) -> Filter:
    """The days of a part, in this machine's zone."""
    return Filter(part.since, part.until)


def _is(part: Part, cwd: str | None, branch: str | None) -> bool:
    return part.project in (None, cwd or "") and part.branch in (None, branch or "")
