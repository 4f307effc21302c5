"""Numbers as short text. Pure: a number in, text out, no clock, no locale.

Every function is monotone and rounds before it picks a unit, so that no seam prints `1000.0k`.
A value that is no finite number is `-`, never a guess.
"""

from __future__ import annotations

UNKNOWN = "-"
MAX_NUMBER = 10**300  # beyond it a float overflows in the next sum
BARS = "▁▂▃▄▅▆▇█"


def number(value: object) -> int | float | None:
    """The value when it is a number that can be reckoned with, else None (JSON may hold anything)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if -MAX_NUMBER < value < MAX_NUMBER else None
    return None


def count(value: object) -> str:
    """999, 1.0k, 999.9k, 1.0M: at most six characters."""
    amount = number(value)
    if amount is None:
        return UNKNOWN
    if amount < 0:
        return "-" + count(-amount)
    whole = int(amount + 0.5)
    if whole < 1000:
        return str(whole)
    size = 1
    for unit in "kMBT":
        size *= 1000
        tenths = (whole * 10 + size // 2) // size
        if tenths < 10_000:
            return f"{tenths // 10}.{tenths % 10}{unit}"
    return ">999T"


def size(value: object) -> str:
    """A context size: 850, 53K, 200K, 1M, 1.5M."""
    amount = number(value)
    if amount is None:
        return UNKNOWN
    whole = max(0, int(amount + 0.5))
    if whole < 1000:
        return str(whole)
    if whole < 999_500:
        return f"{(whole + 500) // 1000}K"
    tenths = (whole * 10 + 500_000) // 1_000_000
    return f"{tenths // 10}M" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}M"


def rate(value: object) -> str:
    """A rate per minute: one decimal below ten."""
    amount = number(value)
    if amount is None:
        return UNKNOWN
    tenths = int(max(0.0, amount) * 10 + 0.5)
    return f"{tenths // 10}.{tenths % 10}" if tenths < 100 else count(amount)


def rough(value: object) -> str:
    """An estimate: two digits below a hundred (0.012, 1.2, 42), then as a count. Below a millionth it is 0."""
    amount = number(value)
    if amount is None or amount < 0:
        return UNKNOWN
    if amount >= 99.5:
        return count(amount)
    return f"{amount:.2g}" if amount >= 0.0001 else f"{amount:.6f}".rstrip("0").rstrip(".")


def percent(value: object) -> str:
    """Whole percent; 100% only when it is reached."""
    amount = number(value)
    if amount is None:
        return UNKNOWN
    whole = int(max(0.0, amount) + 0.5)
    return f"{min(whole, 99) if amount < 100 else min(whole, 9999)}%"


def share(value: object) -> str:
    """A fraction between 0 and 1 as percent."""
    amount = number(value)
    return UNKNOWN if amount is None else percent(amount * 100)


def factor(value: object) -> str:
    """A multiple: 0.4×, 3.1×, 31×."""
    amount = number(value)
    if amount is None:
        return UNKNOWN
    tenths = int(max(0.0, amount) * 10 + 0.5)
    return f"{tenths // 10}.{tenths % 10}×" if tenths < 100 else f"{count(amount)}×"


def money(usd: object, symbol: str = "$", factor: float = 1.0) -> str:
    """$4.21, $999.99, then whole: $1,235, $99,999, then $100.0k, $1.2M."""
    amount = number(usd)
    amount = None if amount is None else number(amount * factor)
    if amount is None:
        return UNKNOWN
    sign = "-" if amount < 0 else ""
    amount = abs(amount)
    cents = int(amount * 100 + 0.5)
    if cents < 100_000:
        text = f"{cents // 100}.{cents % 100:02d}"
        sign = sign if cents else ""
    elif amount < 99_999.5:
        text = f"{int(amount + 0.5):,}"
    else:
        text = count(amount)
    return f"{sign}{symbol}{text}"


def exact_money(usd: object, symbol: str = "$", factor: float = 1.0) -> str:
    """$4.2103: for the table, where there is room."""
    amount = number(usd)
    amount = None if amount is None else number(amount * factor)
    if amount is None:
        return UNKNOWN
    return f"{'-' if amount < -0.00005 else ''}{symbol}{abs(amount):,.4f}"


def duration(seconds: object) -> str:
    """A time to go: <1m, 42m, 1h10, 3d4h."""
    amount = number(seconds)
    if amount is None:
        return UNKNOWN
    minutes = int(max(0.0, amount)) // 60
    if minutes < 1:
        return "<1m"
    if minutes < 60:
        return f"{minutes}m"
    if minutes < 1440:
        return f"{minutes // 60}h{minutes % 60:02d}"
    hours = minutes // 60
    return f"{hours // 24}d{hours % 24}h" if hours < 24_000 else ">999d"


def took(milliseconds: object) -> str:
    """A latency: 83ms, 1.2s, 48s, 3m20."""
    amount = number(milliseconds)
    if amount is None:
        return UNKNOWN
    whole = int(max(0.0, amount) + 0.5)
    if whole < 1000:
        return f"{whole}ms"
    if whole < 9950:
        return f"{(whole + 50) // 1000}.{(whole + 50) % 1000 // 100}s"
    seconds = (whole + 500) // 1000
    if seconds < 60:
        return f"{seconds}s"
    return f"{seconds // 60}m{seconds % 60:02d}" if seconds < 3600 else duration(seconds)


def age(seconds: object) -> str:
    """A time gone by: 5s, 3m, 2h, 4d."""
    amount = number(seconds)
    if amount is None:
        return UNKNOWN
    whole = int(max(0.0, amount))
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if whole >= length:
            return f"{whole // length}{unit}"
    return f"{whole}s"


def spark(values: object, width: int = 20) -> str:
    """The newest values as bars of equal scale; "" when all are zero."""
    if not isinstance(values, list):
        return ""
    numbers = [max(0.0, number(value) or 0.0) for value in values[-width:]]
    top = max(numbers, default=0.0)
    if top <= 0:
        return ""
    return "".join(BARS[min(7, int(value / top * 7.999))] for value in numbers)
