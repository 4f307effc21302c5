"""`aitop plan`: what a subscription gave at API prices, and which plan would have sufficed."""

import json
import time
from datetime import date, timedelta

import click

from aitop.history.query import doubts, spans, sums_since
from aitop.live.money import blocks
from aitop.live.money.blocks import Block
from aitop.live.money.limits import FIVE_HOUR, label
from aitop.live.money.plan import CLIENT, DAYS, USD_A_MONTH, multiple
from aitop.model import periods
from aitop.model.events import Limit
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.reports.ready import configuration, currency, history
from aitop.segments import money, text_table
from aitop.segments.money import Currency
from aitop.worth import plan as plans
from aitop.worth.plan import Fit, Percent, Use

DAYS_SHOWN = 5
NO_USE = "no request of Claude Code in these days: there is nothing to compare a plan with"


@click.command()
@click.option(
    "--days", type=click.IntRange(7, 400), default=DAYS, show_default=True, help="Days up to yesterday."
)
@click.option("--plan", "name", type=click.Choice(list(USD_A_MONTH)), help="Your plan. Default: limits.plan.")
@click.option(
    "--price", type=click.FloatRange(min=0, min_open=True), metavar="USD", help="What you pay a month."
)
@click.option("--json", "as_json", is_flag=True, help="One object; money in USD, days as ISO dates.")
def plan(days: int, name: str | None, price: float | None, as_json: bool) -> None:
    """Compare a Claude subscription with API prices, and with the other plans.

    The value is what the same requests cost at API prices. The allowances are intervals, because no maker publishes
    them: measured where Claude Code reports its limits and your plan is known, else what users found. A block is
    five hours. "a usual month" is where eight of ten months lie that are drawn from your own weeks.
    """
    now = time.time()
    config, ready = configuration(), history()
    configured = config["limits.plan"]
    own = name or (configured if configured in USD_A_MONTH else None)
    last = periods.date_of(now) - timedelta(days=1)
    first = last - timedelta(days=days - 1)
    begin, end = periods.midnight(first), periods.midnight(last + timedelta(days=1))
    finished = [
        block
        for block in blocks.split(_of_client(spans.quarters(ready.db, (begin - blocks.LENGTH, end))))
        if begin <= block.start < end and block.requests
    ]
    uses = [
        _use(
            limit,
            _of_client(
                spans.quarters(ready.db, (limit.resets_at - limit.window_minutes * 60, limit.seen_at))
            ),
        )
        for limit in sums_since.limits(ready.db, now)
        if limit.provider == CLIENT and limit.window_minutes > 0
    ]
    five_hours = next((use for limit, use in uses if limit.name == FIVE_HOUR), None)
    fits = plans.fits(finished, first, last, plans.allowances(own, five_hours))
    paid = price or (USD_A_MONTH[own] if own else None)
    spent = sum(row[2] for row in _of_client(spans.quarters(ready.db, (begin, end))))
    answer = _answer(spent, finished, first, last, paid, own, plans.percents(use for _, use in uses), fits)
    answer |= doubts.of_provider(ready.db, (begin, end), CLIENT)._asdict()
    click.echo(
        json.dumps(answer, indent=1)
        if as_json
        else shown(answer, fits, _of_plan(currency(ready.db, config, now), own, config["billing"]))
    )


def _of_plan(currency: Currency, own: str | None, billing: str) -> Currency:
    """Who names a plan pays for that, and not what the same use would cost at API prices."""
    subscription = currency.subscription or (own is not None and billing == "auto")
    return Currency(currency.symbol, currency.rate, subscription=subscription)


def _of_client(rows: list[tuple[int, str, int, int, int]]) -> list[tuple[int, str, int, int, int]]:
    return [row for row in rows if row[1] == CLIENT]


def _use(limit: Limit, rows: list[tuple[int, str, int, int, int]]) -> tuple[Limit, Use]:
    spent, tokens = sum(row[2] for row in rows), sum(row[3] for row in rows)
    return limit, Use(label(limit), limit.used_percent, spent, tokens)


def _answer(
    spent: int,
    finished: list[Block],
    first: date,
    last: date,
    paid: float | None,
    own: str | None,
    percents: list[Percent],
    fits: list[Fit],
) -> JsonObject:
    """The object that --json prints."""
    days = (last - first).days + 1
    return {
        "since": first.isoformat(),
        "until": last.isoformat(),
        "blocks": len(finished),
        "value_usd": spent / PICO,
        "plan": own,
        "paid_usd_a_month": paid,
        "multiple": multiple(spent, days, paid) if paid else None,
        "one_percent": [percent._asdict() for percent in percents],
        "plans": [_published(fit) for fit in fits],
        "sufficed": _name(plans.sufficient(fits, surely=True)),
        "sufficed_perhaps": _name(plans.sufficient(fits, surely=False)),
    }


def _published(fit: Fit) -> JsonObject:
    return {
        "plan": fit.plan,
        "usd_a_month": fit.usd_a_month,
        "allowance_usd": [fit.allowance.low, fit.allowance.high],
        "measured": fit.allowance.measured,
        "blocks_over": [fit.blocks_low, fit.blocks_high],
        "days_over": [day.isoformat() for day in fit.days_low],
        "days_over_perhaps": [day.isoformat() for day in fit.days_high if day not in fit.days_low],
        "days_a_month": None if fit.month_low is None else [fit.month_low, fit.month_high],
    }


def _name(fit: Fit | None) -> str | None:
    return fit.plan if fit else None


def shown(answer: JsonObject, fits: list[Fit], currency: Currency) -> str:
    """The same for people."""
    if not answer["blocks"]:
        return NO_USE
    lines = [_value(answer, currency), *(_percent(one, currency) for one in answer["one_percent"])]
    measured = "measured by your own limit" if fits[0].allowance.measured else "estimates of users"
    lines += ["", f"{answer['blocks']} blocks of five hours against each plan; allowances are {measured}:"]
    heads = ("plan", "a month", "allows a block", "blocks over", "days over", "a usual month")
    lines += text_table.lines([_row(fit, currency) for fit in fits], "lr", heads=heads)
    return "\n".join([*lines, "", _verdict(fits)])


def _value(answer: JsonObject, currency: Currency) -> str:
    text = f"{money.text(answer['value_usd'], currency, answer)} at API prices, {answer['since']} to {answer['until']}"
    if answer["multiple"] is None:
        return f"{text}. Name your plan to compare: --plan max5"
    paid = money.text(answer["paid_usd_a_month"], currency).lstrip("≈")
    factor = f"{money.marks(answer, Currency())}{answer['multiple']:.1f}"
    return f"{text}: {factor} times what the plan costs ({paid} a month)"


def _percent(one: JsonObject, currency: Currency) -> str:
    return (
        f"one percent of the {one['name']} is {money.text(one['usd'], currency)}, {one['tokens']:,.0f} tokens "
        f"outside the cache ({one['used_percent']:.0f}% used now)"
    )


def _row(fit: Fit, currency: Currency) -> tuple[str, ...]:
    low, high = (money.text(usd, currency) for usd in fit.allowance[:2])
    paid = money.text(fit.usd_a_month, currency).lstrip("≈")
    return (
        fit.plan, paid, _span(low, high), _span(fit.blocks_low, fit.blocks_high),
        _span(len(fit.days_low), len(fit.days_high)), _usual(fit),
    )  # fmt: skip


def _span(low: object, high: object) -> str:
    return str(low) if low == high else f"{low}–{high}"


def _usual(fit: Fit) -> str:
    if fit.month_low is None or fit.month_high is None:
        return "too few weeks"
    return _span(f"{fit.month_low:.0f}", f"{fit.month_high:.0f}") + " days over"


def _verdict(fits: list[Fit]) -> str:
    """The cheapest plan that sufficed in any case, then each cheaper one that perhaps did."""
    surely = next((number for number, fit in enumerate(fits) if not fit.blocks_high), len(fits))
    perhaps = [fit for fit in fits[:surely] if not fit.blocks_low]
    texts = [f"{fit.plan} would have sufficed" for fit in fits[surely : surely + 1]]
    if not texts and perhaps:
        first = perhaps.pop(0)
        texts = [f"{first.plan} would perhaps have sufficed ({_when(first)})"]
    texts += [f"{fit.plan} perhaps too ({_when(fit)})" for fit in perhaps]
    return "; ".join(texts) or "no plan would have sufficed without a wait"


def _when(fit: Fit) -> str:
    """The days on which a plan would perhaps not have sufficed."""
    days = [day.isoformat() for day in fit.days_high]
    more = f" and {len(days) - DAYS_SHOWN} more" if len(days) > DAYS_SHOWN else ""
    return f"over on {', '.join(days[:DAYS_SHOWN])}{more}"
