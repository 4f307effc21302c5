"""A report's chart as a picture: its bars are the report's rows, names are drawn as text, no screen is needed."""

import os
import struct
import subprocess
import sys
import time
from datetime import date, timedelta

import pytest
from support.lines import assistant, transcript

from aitop.reports import picture, plot
from aitop.reports.picture import Chart
from aitop.segments.money import Currency

FORMULA = r"$\frac{$"


@pytest.fixture
def claude(tmp_path):
    return str(tmp_path / "user" / ".claude")


def write(claude, folder="/work/shop", days=3):
    now = time.time()
    records = [
        assistant(
            f"m{n}", now - n * 86_400 - 60, request_id=f"m{n}", session="s1", cwd=folder, gitBranch="main"
        )
        for n in range(days)
    ]
    transcript(claude, records, session="s1")


def run(*words, code=0, **variables):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "aitop", "report", *words],
        capture_output=True, text=True, timeout=50, env=os.environ | variables,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def size(path):
    """Width and height, after the signature of a PNG and the name of its first part."""
    with open(path, "rb") as file:
        head = file.read(24)
    assert head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR"
    return struct.unpack(">II", head[16:24])


def days(count, first=date(2026, 8, 3)):
    return [{"day": (first + timedelta(days=n)).isoformat(), "spent_usd": n + 1.0} for n in range(count)]


def bars(figure):
    (drawn,) = figure.axes[0].containers
    return [bar.get_width() for bar in drawn]


def chart(rows, name="day", key="spent_usd", currency=None, **more):
    return Chart(rows, name, key, currency or Currency(), "Cost by day", **more)


# -- the figure --------------------------------------------------------------------------------------------------


def test_a_figure_has_one_bar_a_row_with_its_amount_in_the_currency():
    figure = picture.figure(chart(days(3), currency=Currency("€", 0.5)))
    assert bars(figure) == [0.5, 1.0, 1.5]
    assert [text.get_text() for text in figure.axes[0].texts] == ["€0.50", "€1.00", "€1.50"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == [row["day"] for row in days(3)]


def test_days_without_use_are_empty_bars_and_the_newest_forty_are_drawn():
    rows = [row for row in days(60) if row["day"] != "2026-09-20"]
    figure = picture.figure(chart(rows))
    assert bars(figure) == [0.0 if n == 48 else n + 1.0 for n in range(20, 60)]


def test_an_unknown_amount_is_no_zero():
    rows = [{"tool": "Bash", "tool_calls": 1200}, {"tool": "Read", "tool_calls": None}]
    figure = picture.figure(chart(rows, "tool", "tool_calls"))
    assert [text.get_text() for text in figure.axes[0].texts] == ["1,200", "-"]


def test_a_lower_bound_is_marked():
    figure = picture.figure(chart([{"model": "x", "spent_usd": 1.0, "unpriced_requests": 1}], "model"))
    assert figure.axes[0].texts[0].get_text() == "≥$1.00"


def test_a_fortnight_of_days_has_a_heat_map_with_a_quarter_of_the_days_in_each_shade():
    assert len(picture.figure(chart(days(13))).axes) == 1
    figure = picture.figure(chart(days(40)))
    squares = [square.get_facecolor() for square in figure.axes[1].patches]
    from matplotlib.colors import to_rgba

    assert [squares.count(to_rgba(shade)) for shade in picture.SHADES] == [10, 10, 10, 10]
    assert len(squares) == 40  # they begin on a Monday, and no day after the last is drawn
    legend = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert legend == ["from $1.00", "from $11.00", "from $21.00", "from $31.00"]


@pytest.mark.parametrize("name", [FORMULA, "日本語のプロジェクト", "a\u202eb\x1b[31m", "x" * 500, "\ud800"])
def test_any_name_is_drawn_as_text(name):
    drawn = picture.png(chart([{"model": name, "spent_usd": 1.0}], "model", notes=[name]))
    assert drawn.startswith(b"\x89PNG")


def test_without_the_library_the_way_to_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(plot.MissingError, match="pip install"):
        picture.png(chart(days(2)))


# -- the command -------------------------------------------------------------------------------------------------


def test_a_picture_is_written_for_its_owner_and_stderr_stays_empty(home, claude, tmp_path):
    write(claude)
    path, fonts = str(tmp_path / "cost.png"), str(tmp_path / "no" / "fonts")
    done = run(
        "daily", "--png", path, MPLCONFIGDIR=fonts, MPLBACKEND="no-such", DISPLAY="", WAYLAND_DISPLAY=""
    )
    assert (done.stdout, done.stderr) == (f"wrote {path}\n", "")
    assert size(path)[0] == picture.WIDTH * picture.DOTS_PER_INCH
    assert os.stat(path).st_mode & 0o077 == 0


def test_more_bars_make_a_higher_picture(home, claude, tmp_path):
    write(claude, days=12)
    few, many = str(tmp_path / "few.png"), str(tmp_path / "many.png")
    run("daily", "--png", few, "--last", "2")
    run("daily", "--png", many)
    assert size(many)[1] - size(few)[1] == pytest.approx(
        10 * picture.BAR_INCHES * picture.DOTS_PER_INCH, abs=1
    )


def test_a_report_without_rows_writes_no_picture_and_says_why(home, tmp_path):
    path = str(tmp_path / "cost.png")
    assert "no picture: the history is empty" in run("daily", "--png", path, code=1).stderr
    assert not os.path.exists(path)


def test_a_file_that_cannot_be_written_is_named(home, claude, tmp_path):
    write(claude)
    path = str(tmp_path / "nowhere" / "cost.png")
    assert f"{path} cannot be written" in run("models", "--png", path, code=1).stderr


def test_a_report_without_a_picture_loads_no_drawing(home, claude):
    write(claude)
    call = (
        "import sys; from aitop.__main__ import main\n"
        "sys.argv = ['aitop', 'report', 'daily']\n"
        "try: main()\n"
        "finally: sys.stderr.write(str('matplotlib' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", call], capture_output=True, text=True, timeout=50)
    assert done.stderr == "False"
