"""Give scores to the receiver of the user's own metrics (`fleet.push`), each once; what fails is sent the next time.

Numbers and shaped names alone leave. It must not read a transcript.
"""

import hashlib
import os
import sqlite3

from aitop import paths
from aitop.config import Config
from aitop.fleet import evaluations
from aitop.fleet.evaluations import Evaluation
from aitop.history import schema
from aitop.history.query import spans
from aitop.quality import store
from aitop.quality.summary import GOOD
from aitop.reports.rows import project
from aitop.system.loopback import secret_file

LOOK_BACK_SECONDS = 30 * 86_400.0
MINUTE = 60.0
MISSING = "fleet.push: the scores are not sent without the extra fleet"


def send(db: sqlite3.Connection, config: Config, now: float) -> str | None:
    """Send what was not sent; None, or why it did not arrive. Raises OSError, sqlite3.Error."""
    url = evaluations.endpoint(config["fleet.push"])
    waiting = store.not_sent(db, now - LOOK_BACK_SECONDS) if url is not None else []
    if url is None or not waiting:
        return None
    try:
        from aitop.fleet import exporter, labels
    except ImportError:
        return MISSING
    key = secret_file.read_or_make(paths.in_home(exporter.SECRET))
    shape = labels.shape(config, key)
    folders = _folders()
    found = [
        Evaluation(
            one.at, one.model, project(folders.get(one.session)), one.metric, one.score, one.score >= GOOD,
            one.confidence, one.judge, one.prompt,
        )
        for one in waiting
    ]  # fmt: skip
    headers = dict(entry.partition("=")[::2] for entry in config["fleet.push_headers"])
    instance = hashlib.sha256(f"instance {key}".encode()).hexdigest()[:16]
    step = float(config["fleet.step_minutes"]) * MINUTE
    problem = evaluations.send(
        url, headers, evaluations.body(found, shape, exporter.origin(shape), instance, step)
    )
    if problem is None:
        store.sent(db, {one.turn for one in waiting}, now)
    return problem


def _folders() -> dict[str, str | None]:
    """Session → folder; none where there is no history."""
    path = paths.in_home(paths.HISTORY)
    if not os.path.exists(path):
        return {}
    try:
        history = schema.connect_read_only(path)
    except (schema.HistoryError, sqlite3.Error):
        return {}
    try:
        return {facts.name: facts.cwd for facts in spans.facts(history).values()}
    finally:
        history.close()
