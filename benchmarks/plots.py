"""The pictures: how cost grows, drawn from saved results. Needs matplotlib (`pip install --group bench`)."""

import os

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs", "pictures")
OURS, LATER, REPORT, PEER, OTHER = "#0b6e4f", "#3fa34d", "#91c46c", "#c1440e", "#4059ad"


def draw(saved):
    """Draw every picture that has saved rows. Return the messages for the user."""
    try:
        import matplotlib as mpl
    except ImportError:
        return ["no pictures drawn: matplotlib is missing; pip install --group bench"]
    mpl.use("svg")
    # the same numbers give the same bytes
    mpl.rcParams.update(
        {"svg.hashsalt": "aitop", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10}
    )
    drawn = []
    for name, part, picture in (
        ("growth", "growth", _growth),
        ("ticks", "ticks", _ticks),
        ("reports", "reports", _reports),
    ):
        made = saved["parts"].get(part)
        rows = [row["values"] for row in made["rows"] if "series" in row["values"]] if made else []
        if rows:
            path = os.path.join(FOLDER, f"benchmark-{name}.svg")
            figure = picture(rows)
            figure.savefig(path, metadata={"Date": None, "Creator": "aitop benchmarks"})
            _tidy(path)
            drawn.append(path)
    return ["drawn:", *drawn] if drawn else []


def _growth(rows):
    """Time and memory against size, ours and the peer's."""
    figure, (time, memory) = _two("size of the history, GB")
    for series, colour in (("first read", OURS), ("later start", LATER), ("later report", REPORT)):
        mine = [row for row in rows if row["series"] == series]
        _line(time, mine, "gigabytes", "seconds", f"aitop, {series}", colour)
        _line(memory, mine, "gigabytes", "rss_mb", f"aitop, {series}", colour)
    theirs = [row for row in rows if row["series"] == "first read" and "peer_seconds" in row]
    for axes, key in ((time, "peer_seconds"), (memory, "peer_rss_mb")):
        _line(axes, theirs, "gigabytes", key, "ccusage, every run", PEER, "s--")
    time.set_ylabel("seconds")
    memory.set_ylabel("MB resident at the peak, all processes")
    return _done(figure, (time, memory))


def _ticks(rows):
    """A tick's cost and lateness against the pace of events, and against the number of sessions."""
    figure, (paces, sessions) = _two("")
    for series, colour in (("hook events", OTHER), ("transcript lines", OURS)):
        mine = [row for row in rows if row["series"] == series]
        _line(paces, mine, "rate", "cpu_ms", f"{series}: processor", colour)
        _line(paces, mine, "rate", "late_ms", f"{series}: late at worst", colour, "x:")
    mine = [row for row in rows if row["series"] == "sessions"]
    _line(sessions, mine, "sessions", "cpu_ms", "processor", OURS)
    _line(sessions, mine, "sessions", "late_ms", "late at worst", OURS, "x:")
    paces.set_xlabel("events a second")
    sessions.set_xlabel("active sessions, one line a second")
    paces.set_ylabel("ms a tick (one tick a second)")
    return _done(figure, (paces, sessions))


def _reports(rows):
    """Reports against the number of responses, with the command's own start."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    names = list(dict.fromkeys(row["series"] for row in rows))
    for name, colour in zip(names, (OURS, LATER, OTHER, PEER, REPORT), strict=False):
        mine = [row for row in rows if row["series"] == name]
        _line(axes, mine, "responses", "seconds", f"aitop {name}", colour)
    one = [row for row in rows if row["series"] == names[0]]
    _line(axes, one, "responses", "start_seconds", "aitop version", "#888888", "--")
    axes.set_xlabel("responses in one year")
    axes.set_ylabel("seconds, the whole command")
    return _done(figure, (axes,))


def _two(label):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4))
    both = figure.subplots(1, 2)
    for axes in both:
        axes.set_xlabel(label)
    return figure, both


def _line(axes, rows, x, y, label, colour, mark="o-"):
    rows = sorted(
        (row | {"late_ms": max(row.get("late_s", 0) * 1000, 1)} for row in rows), key=lambda row: row[x]
    )
    if rows:
        axes.plot(
            [row[x] for row in rows], [row[y] for row in rows], mark, color=colour, label=label, markersize=4
        )


def _done(figure, several):
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for axes in several:
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):  # plain numbers, three to a power of ten where there is room
            low, high = axis.get_view_interval()
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < low * 200 else (1,)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axes.grid(visible=True, which="major", color="#dddddd")
        axes.legend(fontsize=8, framealpha=0.9)
    figure.tight_layout()
    return figure


def _tidy(path):
    """No blanks at the ends of lines: what is kept in git passes its checks."""
    with open(path) as file:
        lines = file.read().splitlines()
    with open(path, "w") as file:
        file.write("\n".join(line.rstrip() for line in lines) + "\n")
