"""The part of the history that an address asks for, as the reports ask for it. Reads only.

A report's patterns fit what looks alike; a link means one model, one folder, one branch, one session.
"""

import sqlite3
from collections.abc import Mapping

from aitop.config import Config
from aitop.config.budgets_and_tags import Budget
from aitop.history.query import spans
from aitop.live.snapshot import folder_name
from aitop.reports.ask import Asker
from aitop.reports.filters import Filter
from aitop.web.params import BadAddressError, Part


def asker(db: sqlite3.Connection, config: Config, part: Part, tags: Mapping[str, str]) -> Asker:
    """One that lets through exactly this part. Raises BadAddressError."""
    narrowed = Asker(db, Filter(part.since, part.until, model=part.model), config.tags, dict(tags))
    if part.model is not None:
        models = db.execute("SELECT id FROM model WHERE name = ? AND name != ''", (part.model,)).fetchall()
        narrowed.only = narrowed.only._replace(models=tuple(number for (number,) in models))
    budget = _budget(config, part)
    by_session = part.provider is not None or part.session is not None or budget is not None
    by_place = part.project is not None or part.branch is not None or part.named is not None
    if not by_session and not by_place:
        return narrowed
    sessions = [
        f.id
        for f in narrowed.facts.values()
        if part.provider in (None, f.provider)
        and part.session in (None, f.name)
        and (budget is None or budget.covers(f.cwd, narrowed.tags[f.id]))
    ]
    places = [number for number, place in spans.places(db).items() if _is(part, place.cwd, place.branch)]
    at_home = [f.id for f in narrowed.facts.values() if _is(part, f.cwd, f.branch)]
    spans.let_through(db, sessions, places, at_home)
    narrowed.only = spans.Only(by_session, narrowed.only.models, places=by_place)
    return narrowed


def _budget(config: Config, part: Part) -> Budget | None:
    """The budget that is asked for; None also for one of everything."""
    if part.budget is None:
        return None
    budget = next((one for one in config.budgets if one.name == part.budget), None)
    if budget is None:
        raise BadAddressError(f"budget: the configuration has none of the name {part.budget[:40]}")
    return None if budget.scope == "all" else budget


def _is(part: Part, cwd: str | None, branch: str | None) -> bool:
    named = part.named is None or part.named == (folder_name(cwd or "") or "unknown")
    return named and part.project in (None, cwd or "") and part.branch in (None, branch or "")
