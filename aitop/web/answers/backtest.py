"""How well each method of forecasting did on the user's own past."""

import sqlite3

from aitop.live.money import forecast
from aitop.live.money.tracker import MoneyTracker
from aitop.model.json_types import JsonObject
from aitop.reports.forecast_cli import WORDS
from aitop.web.answers.asked import Asked


def backtest(db: sqlite3.Connection, asked: Asked) -> JsonObject:
    """Day, block and month → their methods, the best first. Raises sqlite3.Error."""
    tracker = MoneyTracker()
    tracker.begin(db, asked.now)
    while not tracker.learned:
        tracker.learn()
    assert tracker.past is not None
    return {
        "scores": {
            name: [
                {
                    "method": one.method,
                    "words": WORDS.get(one.method, one.method),
                    "error_percent": one.error_percent,
                    "tested": one.tested,
                    "used": number == 0 and bool(one.tested),
                }
                for number, one in enumerate(methods)
            ]
            for name, methods in forecast.test(tracker.past).items()
        }
    }
