"""The pull requests that a session's client names: each once, at the moment it was first named."""

import sqlite3

from aitop.history.rows import Session
from aitop.model.events import PullRequest


def told(db: sqlite3.Connection, session: Session, event: PullRequest, at: float) -> None:
    """Write one into the open transaction: they are few. An earlier moment wins, in any reading order."""
    db.execute(
        "INSERT INTO pull_request (session, repository, number, at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET at = min(at, excluded.at)",
        (session.id, event.repository, event.number, at),
    )
