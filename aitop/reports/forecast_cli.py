"""`aitop forecast`: what today, the running block and this month will have cost, and the error of each method."""

import json
import sqlite3
import time

import click

from aitop.live.money.forecast import PeriodForecast, Scores, test
from aitop.live.money.tracker import MoneyTracker
from aitop.reports.ready import configuration, currency, history
from aitop.segments import money
from aitop.segments.money import Currency

WORDS = {
    "pace": "as fast as so far",
    "usual_rest": "what usually follows after this hour",
    "weekday_rest": "what follows on this weekday",
    "recent_rate": "as fast as in the last hour",
    "weekday_mean": "the mean of each weekday over eight weeks",
    "robust_trend": "weekday pattern on a robust trend",
}


@click.command()
@click.option(
    "--backtest", is_flag=True, help="Each method's error on your own past days, blocks and months."
)
@click.option("--json", "as_json", is_flag=True, help="For programs; USD, epoch seconds.")
def forecast(backtest: bool, as_json: bool) -> None:
    """Forecast the cost of today, this block and this month, by the method with the smallest error so far.

    At eight of ten similar moments of your past, the outcome lay within the interval. The tests of a day,
    block or month use only what was known at that moment.
    """
    now = time.time()
    config, ready = configuration(), history()
    tracker = MoneyTracker()
    try:
        tracker.begin(ready.db, now)
        while not tracker.learned:
            tracker.learn()
    except sqlite3.Error as error:
        raise click.ClickException(f"the history cannot be read: {error}; try `aitop doctor`") from error
    assert tracker.past is not None
    if backtest:
        _print_scores(test(tracker.past), as_json)
        return
    forecasts = tracker.forecasts(tracker.block((), now), now)
    if as_json:
        click.echo(json.dumps({name: row._asdict() for name, row in forecasts.items()}, indent=1))
        return
    shown_in = currency(ready.db, config, now)
    for name, row in forecasts.items():
        click.echo(line(name, row, shown_in))


def line(name: str, one: PeriodForecast, currency: Currency) -> str:
    """One forecast for people."""
    low, high = (money.text(usd, currency) for usd in (one.low_usd, one.high_usd))
    between = "" if one.low_usd is None else f"  (between {low} and {high})"
    error = (
        "not tested yet"
        if one.error_percent is None
        else f"off by {one.error_percent:.0f}% in {one.tested} tests"
    )
    return f"{name:<6} {money.text(one.usd, currency)}{between}  {WORDS[one.method]}, {error}"


def _print_scores(scores: Scores, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "of": name,
                "method": s.method,
                "error_percent": s.error_percent,
                "tested": s.tested,
                "used": i == 0,
            }
            for name, methods in scores.items()
            for i, s in enumerate(methods)
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    for name, methods in scores.items():
        for number, score in enumerate(methods):
            used = "*" if number == 0 and score.tested else " "
            shown = f"{score.error_percent:6.1f}%" if score.tested else "      -"
            click.echo(
                f"{used} {name:<6} {shown}  {score.tested:4} tests  {score.method}: {WORDS[score.method]}"
            )
    click.echo("* used. The error is the sum of all misses as a share of what was spent.")
