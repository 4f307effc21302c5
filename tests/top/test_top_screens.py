"""Screens of every size with no, one, six and fifty sessions and eight alerts: golden, and nothing cut in silence."""

import os
import re
from datetime import date, timedelta

import pytest
from conftest import ROOT
from golden import states
from rich.color import ColorSystem
from support import golden_files
from support.top_app import Choices, busy

from aitop.model.sums import PICO, Sum
from aitop.segments.text import cells
from aitop.top import history_view, keys, overview, past, picture, themes
from aitop.top.paint import RICH, UNCOLOURED, text_of
from aitop.top.view_model import Answers, World

SIZES = [(40, 12), (80, 24), (120, 40), (200, 50)]
STATUSES = ("working", "waiting", "idle")


def state(sessions, alerts=0, budgets=0):
    found = busy() | {
        "forecast": {"day": {"usd": 9.5}, "month": {"usd": 310.0}},
        "alerts": [
            {"id": f"a{n}", "level": "critical" if n == 3 else "warning", "since": 1.0,
             "text": f"session project-{n} spent $7.20/h over the last five minutes, above $5.00/h"}
            for n in range(alerts)
        ],
        "budgets": [{"name": f"team-{n}", "percent": 20.0 * n, "left_usd": 3.0} for n in range(budgets)],
    }  # fmt: skip
    found["sessions"] = [
        states.session(
            n,
            project=f"project-{n}",
            status=STATUSES[n % 3],
            cost_usd=1.3 * n,
            last_activity_at=states.NOW - n,
        )
        for n in range(sessions)
    ]
    return found


def days(many):
    """Days of made-up spending that ends on a fixed Sunday."""
    last = date(2026, 11, 29)
    costs = [0 if n % 7 == 6 else (1 + n * 5 % 13) * PICO // 2 for n in range(many)]
    return tuple(
        (
            last - timedelta(days=many - 1 - n),
            Sum(requests=10 + n % 7, output_tokens=500 * n, cost=cost) if cost else Sum(),
        )
        for n, cost in enumerate(costs)
    )


def known(many):
    rows = tuple(past.Group(f"thing-{n}", Sum(requests=40 - n, cost=(9 - n) * PICO)) for n in range(5))
    return past.Past(days(many), dict.fromkeys(("project", "model", "client", "branch"), rows))


def drawn(size, chosen, value, **answers):
    return picture.paint(World(state=value, number=1, answers=Answers(**answers)), chosen, *size, RICH)


def screen(found, height):
    """What a terminal of that height shows."""
    room = height - 2 - len(found.banner) - len(found.head) - len(found.tail)
    return picture.text(found._replace(body=[*found.body[:room], *[()] * (room - len(found.body))]))


def compare(name, found):
    path = os.path.join(ROOT, "tests", "golden", "top", f"{name}.txt")
    golden_files.compare(path, found + "\n")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("sessions", "alerts"), [(0, 0), (1, 0), (6, 8), (50, 1)])
def test_the_first_page_is_as_it_was(size, sessions, alerts):
    value = state(sessions, alerts, budgets=2)
    found = drawn(size, Choices(), value)
    compare(f"overview-{size[0]}x{size[1]}-{sessions}-sessions-{alerts}-alerts", screen(found, size[1]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("group", "heat"), [("day", False), ("week", True), ("project", True)])
def test_the_history_is_as_it_was(size, group, heat):
    chosen = Choices(view="history", group=group, heat=heat, reach="a year")
    found = drawn(size, chosen, busy(), past={"a year": known(365)})
    compare(f"history-{size[0]}x{size[1]}-{group}{'-map' if heat else ''}", screen(found, size[1]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sessions", [0, 1, 6, 50])
def test_sessions_begin_on_the_first_screen_of_every_size(size, sessions):
    found = drawn(size, Choices(), state(sessions, 8, 5))
    above = 1 + len(found.banner) + len(found.head)
    room = size[1] - 1 - above - len(found.tail)
    assert room >= min(5, max(1, sessions))
    assert (
        any(f"project-{n}" in text_of(line) for n in range(5) for line in found.body[:room]) or not sessions
    )


@pytest.mark.parametrize("width", [*range(30, 130, 7), 200])
def test_what_the_strip_has_no_room_for_is_marked(width):
    value = state(3, 8, 6)
    lines = [text_of(line) for line in overview.strip(value, width, 22, RICH)]
    assert all(cells(line) <= max(width, 40) for line in lines)
    everything = " ".join(text_of(line) for line in overview.strip(value, 400, 400, RICH))
    for name in ("week", "month", "7d", "team-5"):
        assert name in everything
        assert name in " ".join(lines) or any("…" in line for line in lines), name


def test_alerts_take_one_line_and_the_gravest_speaks():
    lines = [text_of(line) for line in overview.strip(state(1, 8), 100, 22, RICH)]
    (line,) = [line for line in lines if "▲" in line]
    assert line.startswith(" ▲ 8 alerts: session project-3 ")
    assert len(overview.alert_lines(state(1, 8))) == 8


def test_a_client_that_cannot_be_counted_is_named_beside_the_totals():
    value = state(1) | {
        "coverage": {
            "clients": {"cursor": {"found": True, "counted": False, "reason": "no usage in its files"}}
        }
    }
    assert " cursor is not counted: no usage in its files" in picture.text(drawn((80, 24), Choices(), value))


def test_sums_of_one_column_have_one_precision():
    value = state(6)
    value["sessions"][1] |= {"spent_usd": 0.0123}
    lines = picture.text(drawn((120, 40), Choices(), value)).split("\n")
    spent = [line.split("≈")[1].split()[0] for line in lines if " project-" in line]
    assert {len(text.partition(".")[2]) for text in spent} == {2}


def test_weeks_and_months_are_sums_of_their_days():
    for group in ("week", "month"):
        rows = past.grouped(known(90), group)
        assert sum(row.sum.cost for row in rows) == sum(value.cost for _, value in days(90))
        assert [row.name for row in rows] == sorted((row.name for row in rows), reverse=True)


def test_a_heat_map_has_a_cell_for_each_day_in_use():
    lines = history_view.heat_map(busy(), known(200), 200, RICH)
    shaded = sum(text_of(line).count(shade) for line in lines[2:9] for shade in "░▒▓█")
    assert shaded // 2 == sum(any(value) for _, value in days(200))


def painted(found, theme, height):
    """A screen as a terminal of that theme is sent it: texts with their colours."""
    room = height - 2 - len(found.banner) - len(found.head) - len(found.tail)
    body = [*found.body[:room], *[()] * (room - len(found.body))]
    lines = [found.top, *found.banner, *found.head, *body, *found.tail, found.bottom]
    return "\n".join(
        "".join(
            themes.style(theme, piece.style).render(piece.text, color_system=ColorSystem.TRUECOLOR)
            for piece in line
        )
        for line in lines
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light", "mono"])
def test_the_first_page_has_the_colours_it_had(size, theme):
    glyphs = RICH._replace(mix=UNCOLOURED) if theme == "mono" else RICH
    world = World(state=state(6, 8, budgets=2), number=1, answers=Answers())
    shown = painted(picture.paint(world, Choices(), *size, glyphs), theme, size[1])
    if theme == "mono":  # no colour at all: marks, bold and reverse carry it
        assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", shown)
    path = os.path.join(ROOT, "tests", "golden", "top", f"painted-{size[0]}x{size[1]}-{theme}.ansi")
    golden_files.compare(path, shown + "\n")


@pytest.mark.parametrize("view", ["overview", "sessions", "tools", "models", "history", "detail", "compare"])
@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_the_last_line_says_where_it_has_no_room_for_a_key_and_always_leads_to_the_help(view, width):
    line = text_of(picture.foot(World(), Choices(view=view), width))
    assert cells(line) == width
    assert line.endswith(" ? Help  q Quit ")
    left_out = [key for key in keys.footer(view) if f" {key.shown.split(' ')[0]} {key.footer} " not in line]
    assert bool(left_out) == ("…" in line)


@pytest.mark.parametrize("size", [(120, 60), (120, 42), (200, 50), (200, 60)])
def test_blocks_say_what_they_have_no_room_for(size):
    reasons = {f"reason-{n}": 40 - n for n in range(30)}
    value = state(0) | {
        "tools": {f"Tool{n:02d}": {"calls": 90 - n, "failures": 0} for n in range(30)},
        "stop_reasons": reasons,
    }
    text = screen(drawn(size, Choices(), value), size[1])
    tools = set(re.findall(r"Tool\d\d", text))
    assert tools
    assert f"… {30 - len(tools)} more" in text
    kept = {name for name in reasons if re.search(rf"{name}\b", text)}
    blocks = text.partition("why responses ended")[2]
    assert blocks
    assert len(kept) == 30 or "…" in blocks.rpartition("\n")[0]
