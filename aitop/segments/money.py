"""Money as text, the one way for every display and command: currency, and marks of how sure a sum is.

Pure and hot: it loads nothing but `humanize` and `text`. Amounts come in USD. The marks are derived from
the counts that stand beside a sum; the state holds no marks.

    ≥   a lower bound: requests without a price, or requests that the client understates
    ~   priced as the newest model of its family
    ≈   on a subscription: what the same use would cost at API prices
"""

from __future__ import annotations

from aitop.segments import humanize
from aitop.segments.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aitop.model.json_types import JsonObject

    Counts = JsonObject

EMPTY: JsonObject = {}
AT_LEAST = ("unpriced_requests", "understated_requests", "uncounted_sessions")
SYMBOL_CELLS = 8


class Currency:
    """How amounts in USD are shown: a symbol, units per USD, and whether they are only equivalents."""

    __slots__ = ("rate", "subscription", "symbol")

    def __init__(self, symbol: str = "$", rate: float = 1.0, *, subscription: bool = False) -> None:
        self.symbol = symbol
        self.rate = rate
        self.subscription = subscription


def currency(state: JsonObject) -> Currency:
    """The currency a published state is shown in."""
    display = state.get("display")
    if not isinstance(display, dict):
        return Currency()
    rate = humanize.number(display.get("rate"))
    return Currency(
        clean(display.get("symbol"), SYMBOL_CELLS) or "$",
        1.0 if rate is None else rate,
        subscription=display.get("billing") == "subscription",
    )


def marks(counts: Counts | None, currency: Currency) -> str:
    """`≥`, `~` and `≈`, as far as they apply."""
    counts = counts or EMPTY
    estimated = (humanize.number(counts.get("estimated_requests")) or 0) > 0
    return at_least(counts) + ("~" if estimated else "") + ("≈" if currency.subscription else "")


def at_least(counts: Counts) -> str:
    """`≥` where a sum is a lower bound, also before its share of something."""
    return "≥" if any((humanize.number(counts.get(key)) or 0) > 0 for key in AT_LEAST) else ""


def text(usd: object, currency: Currency, counts: Counts | None = None, *, exact: bool = False) -> str:
    """An amount with its marks: `≥~$4.21`; `exact` shows four decimals; `-` where it is unknown."""
    write = humanize.exact_money if exact else humanize.money
    shown = write(usd, currency.symbol, currency.rate)
    return shown if shown == humanize.UNKNOWN else marks(counts, currency) + shown


def of(state: JsonObject, usd: object, counts: Counts | None = None, *, exact: bool = False) -> str:
    """An amount in the currency of a state."""
    return text(usd, currency(state), counts, exact=exact)


def factor(value: float, counts: Counts) -> str:
    """A multiple of a price, as sure as the amount behind it: `≥3.1×`."""
    return marks(counts, Currency()) + humanize.factor(value)


def spent(sums: Counts) -> int | float | None:
    """What a sum or a session spent in USD: its counted responses, and what its client reports beyond them."""
    usd = humanize.number(sums.get("spent_usd"))
    return humanize.number(sums.get("cost_usd")) if usd is None else usd


def per_hour(window: Counts, minutes: float) -> int | float | None:
    """What a window of that length spent, as USD an hour."""
    usd = humanize.number(window.get("spent_usd"))
    return humanize.number(window.get("cost_usd_per_hour")) if usd is None else usd * 60 / minutes


def by_minute(sparklines: object) -> object:
    """USD spent in each of the last 60 minutes, from a state's `sparklines`; an older listener has the cost alone."""
    table = sparklines if isinstance(sparklines, dict) else {}
    return table.get("spent_usd", table.get("cost_usd"))
