"""The chart of a report as a picture, through matplotlib (the extra `plot`). Draws what it is handed, on no screen.

The bars and the heatmap are those of `plot`, with the same rows. Names come from clients' files: they are shown as
they are, never read as formulas.
"""

import io
import logging
import os
import textwrap
import warnings
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from aitop.reports import plot
from aitop.reports.plot import Calendar, MissingError
from aitop.reports.rows import Row
from aitop.reports.table import name_of
from aitop.segments import humanize, money
from aitop.segments.money import Currency
from aitop.system import installation

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from matplotlib.figure import Figure  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from matplotlib.patches import Patch  # type: ignore[import-not-found,import-untyped,unused-ignore]

BAR, EDGE, EMPTY = "#4059ad", "#9a9a9a", "#f3f3f3"
SHADES = ("#c6d3f2", "#8da5e0", "#4059ad", "#1b2550")  # lighter to darker, so they differ without colour too
WIDTH, BAR_INCHES, AROUND_INCHES, HEATMAP_INCHES = 9.0, 0.26, 1.6, 2.4
DOTS_PER_INCH = 150
WRAP_LETTERS = 118
FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Arial Unicode MS",
)  # where they are installed


class Chart(NamedTuple):
    """What is drawn: rows in their order, what they are called by, the field that is the bars' length, the texts."""

    rows: Sequence[Row]
    name: str
    key: str
    currency: Currency
    title: str
    notes: Sequence[str] = ()


def png(chart: Chart) -> bytes:
    """The picture's bytes. Raises MissingError."""
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)  # it speaks of its fonts and folders on stderr
    os.environ["MPLBACKEND"] = "agg"  # it refuses to load with a name there that it does not know
    try:
        import matplotlib as mpl  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise MissingError(f"--png needs matplotlib: {installation.add_extra('plot')}") from error
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that no font has are drawn as boxes
        mpl.rcdefaults()
        mpl.rcParams.update({"font.family": list(FONTS), "font.size": 9, "text.parse_math": False})
        written = io.BytesIO()
        figure(chart).savefig(written, format="png", dpi=DOTS_PER_INCH)
    return written.getvalue()


def figure(chart: Chart) -> "Figure":
    """The bars, and below them the heatmap for days of a fortnight and more. Needs matplotlib."""
    from matplotlib.figure import Figure

    rows = plot.drawn_rows(chart.rows, chart.name, chart.key)
    days = plot.calendar(chart.rows) if chart.name == "day" else None
    heights = [max(1, len(rows)) * BAR_INCHES + AROUND_INCHES, *([HEATMAP_INCHES] if days else [])]
    drawn = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    drawn.suptitle(_wrapped(chart.title), fontsize=10)
    grid = drawn.add_gridspec(len(heights), 1, height_ratios=heights)
    _bars(drawn.add_subplot(grid[0]), rows, chart)
    if days is not None:
        _heatmap(drawn.add_subplot(grid[1]), days, chart.currency)
    if chart.notes:
        drawn.supxlabel("\n".join(map(_wrapped, chart.notes)), fontsize=7, x=0.01, ha="left")
    return drawn


def _bars(axes: "Axes", rows: list[Row], chart: Chart) -> None:
    """One bar a row, the first on top, its amount at its end; `-` where the amount is unknown."""
    in_money = chart.key.endswith("_usd")
    factor = chart.currency.rate if in_money else 1.0
    places = range(len(rows))
    bars = axes.barh(places, [float(row[chart.key] or 0) * factor for row in rows], color=BAR, height=0.7)
    amounts = [
        money.text(row[chart.key], chart.currency, row) if in_money else _count(row[chart.key])
        for row in rows
    ]
    axes.bar_label(bars, amounts, padding=3, fontsize=8)
    axes.set_yticks(places, [_whole(name_of(row, chart.name)) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"spent, {chart.currency.symbol}" if in_money else chart.key.replace("_", " "))
    axes.spines[["top", "right"]].set_visible(False)


def _count(value: object) -> str:
    number = humanize.number(value)
    return humanize.UNKNOWN if number is None else f"{number:,.0f}"


def _heatmap(axes: "Axes", days: Calendar, currency: Currency) -> None:
    """Weeks side by side, Monday on top, the legend below."""
    from matplotlib.patches import Patch

    marks: dict[int, str] = {}
    for week in range(days.weeks):
        for weekday in range(7):
            day = days.monday + timedelta(weeks=week, days=weekday)
            if day > days.last:
                break
            shade = days.shade(day)
            colour = EMPTY if shade is None else SHADES[shade]
            axes.add_patch(_square(week, weekday, colour))
            if day.day == 1:
                marks[week] = f"{day:%b}"
    axes.set_xlim(-0.5, max(days.weeks, 26) - 0.5)
    axes.set_ylim(6.5, -0.5)
    axes.set_aspect("equal")
    axes.set_xticks(list(marks), list(marks.values()))
    axes.set_yticks(range(7), plot.WEEKDAYS)
    axes.tick_params(length=0, labelsize=7)
    axes.spines[:].set_visible(False)
    steps = zip(SHADES, days.bounds, strict=True)
    legend = [Patch(facecolor=colour, edgecolor=EDGE, label=f"from {money.text(bound, currency)}")
              for colour, bound in steps]  # fmt: skip
    axes.legend(
        handles=legend, ncols=4, loc="upper left", bbox_to_anchor=(0, -0.15), frameon=False, fontsize=7
    )


def _square(week: int, weekday: int, colour: str) -> "Patch":
    from matplotlib.patches import Rectangle

    return Rectangle((week - 0.45, weekday - 0.45), 0.9, 0.9, facecolor=colour, edgecolor=EDGE, linewidth=0.4)


def _wrapped(text: str) -> str:
    return textwrap.fill(_whole(text.strip()), WRAP_LETTERS)


def _whole(text: str) -> str:
    """The text with `?` for half a character, which no font is asked for."""
    return text.encode("utf-8", "replace").decode()
