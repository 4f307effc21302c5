"""Why responses ended, by model: free signals of quality. Reads only."""

import sqlite3


def by_model(db: sqlite3.Connection, since: float) -> dict[str, dict[str, int]]:
    """Model → reason → responses that ended so since a moment (epoch seconds); "" for those that did not say."""
    counts: dict[str, dict[str, int]] = {}
    for model, reason, count in db.execute(
        "SELECT m.name, ifnull(r.stop_reason, ''), count(*) FROM response r JOIN model m ON m.id = r.model "
        "WHERE r.at >= ? GROUP BY m.name, r.stop_reason",
        (since,),
    ):
        counts.setdefault(model, {})[reason] = count
    return counts
