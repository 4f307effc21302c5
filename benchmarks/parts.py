"""The parts of the benchmark: each can be run alone, and its rows are saved with its own commit and date."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks import (
    agreement,
    displays,
    feeds,
    fleet,
    floods,
    gateway,
    growth,
    hosts,
    jumps,
    reading,
    refresh,
    reports,
    shapes,
    ticks,
    top,
    upkeep,
    web,
)
from benchmarks.harness import Effort, Row


class Part(NamedTuple):
    """`about` is for `--list` and the heading of its table; `quick`: `--quick` runs it too.

    `readme`: the README shows its first row that begins so; None: none. How many rows missed, it says of all.
    """

    rows: Callable[[Effort], Iterator[Row]]
    about: str
    quick: bool = True
    readme: str | None = None


PARTS = {
    "one-shots": Part(displays.one_shots, "A display's command, whole process, beside `cat` and bare Python"),
    "formats": Part(displays.own_formats, "A preset, a format of the user's own and the guard, second call"),
    "prompts": Part(displays.prompts, "A prompt inside its shell, beside `cat` from the same shell",
                readme="prompt in zsh"),
    "hooks": Part(feeds.hooks, "The installed hook, beside its interpreters alone",
                readme="`hook` as installed, Perl"),
    "statusline": Part(feeds.status_line, "Claude Code's status line: answered, unanswered, around a command",
                readme="`statusline` as installed"),
    "burst": Part(feeds.burst, "Thousands of hook events at once"),
    "refresh": Part(refresh.refreshes, "One refresh, beside one of every peer that prints a line",
                readme="`aitop tmux` beside `ccusage statusline, cached, native binary`"),
    "growth": Part(growth.growth, "First read and later starts of 0.1, 1 and 3 GB, beside ccusage's native binary",
                readme="later start to the first fresh state, 1 GB"),
    "shapes": Part(shapes.shapes, "First read and first right today of many files, beside ccusage's native binary"),
    "line": Part(reading.new_line, "A new line in a large transcript until it is shown"),
    "ticks": Part(ticks.ticks, "What a tick costs, by pace of events and number of sessions"),
    "idle": Part(reading.idle, "A listener with 2,000 transcripts and nothing to do"),
    "reports": Part(reports.reports, "Reports over a year, by its number of responses"),
    "gateway": Part(gateway.relayed, "What the gateway adds to a request, and 200 streams through it at once"),
    "exporter": Part(fleet.exporter, "What serving metrics to Prometheus adds to a listener"),
    "fleet": Part(fleet.simulated, "A thousand simulated machines in one Prometheus", quick=False),
    "floods": Part(floods.floods, "Silent connections by the hundred at each door, at each limit of open files"),
    "backup": Part(upkeep.backups, "The daily backup of ten million responses", quick=False),
    "disk": Part(upkeep.disk, "Bytes written where no folder is in memory, at rest and at work"),
    "files": Part(upkeep.files, "A listener with a hundred thousand transcripts and nothing to do", quick=False),
    "top": Part(top.table, "The full-screen table: its first frame, and what it costs while it is open"),
    "web": Part(web.pages, "The pages in a browser: first paint, any span of History, the server with one tab"),
    "years": Part(reports.many, "Every report, a start and the file's size over ten million responses", quick=False),
    "jump": Part(jumps.key_to_pane, "From the key in tmux to the pane of the session that waits"),
    "agreement": Part(agreement.agreement, "How long any display shows an amount that is no longer true"),
    "event": Part(hosts.to_tmux, "From an event to the number on tmux's line"),
    "starship": Part(hosts.in_starship, "A starship prompt with our modules, and without", quick=False),
    "tmux": Part(hosts.in_tmux, "Processes a minute in tmux", quick=False),
    "follow": Part(hosts.followers, "A bar that follows, at work", quick=False),
}  # fmt: skip
