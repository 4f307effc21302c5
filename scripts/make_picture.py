"""docs/picture.svg from a run of the demo: what it shows is what the programs printed, nothing is drawn by hand.

python scripts/make_picture.py [SECONDS]
"""

import os
import re
import subprocess
import sys
import time
from html import escape

from aitop.demo import script
from aitop.demo.stage import Stage
from aitop.pricing import table
from aitop.segments.text import cells

TARGET = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs", "picture.svg")
COLUMNS, CHARACTER, LINE, MARGIN = 108, 7.8, 17, 14
COLOURS = {"33": "#e5c07b", "1;31": "#ff6b6b", "2": "#7f848e", "yellow": "#e5c07b", "red": "#ff6b6b"}
TEXT, BACK, BAR, BAR_TEXT = "#d7dae0", "#1e2127", "#2e7d4f", "#f4fff8"


def play(seconds):
    """Run the demo's sessions for a while; the table, the tmux segment and the status line they led to."""
    stage = Stage()
    try:
        beats = script.beats(table.load())
        stage.open([beat for beat in beats if beat.at < 0])
        began = time.monotonic()
        for beat in beats:
            if 0 <= beat.at <= seconds:
                time.sleep(max(0.0, beat.at - (time.monotonic() - began)))
                stage.play(beat, time.time())
        time.sleep(1.5)
        top = subprocess.run([sys.executable, "-P", "-m", "aitop", "top", "--once"], env=stage.environment,
                             cwd=stage.folder, capture_output=True, text=True, check=True).stdout  # fmt: skip
        with open(os.path.join(stage.home, "segments", "tmux"), encoding="utf-8") as file:
            segment = file.read().split(" ", 2)[2].rstrip("\n")
        return top, segment, stage.status_line
    finally:
        stage.close()


def spans(text, pattern, plain):
    """(text, colour) parts of a line with colour marks of one kind."""
    colour, at, found = plain, 0, []
    for mark in re.finditer(pattern, text):
        found.append((text[at : mark.start()], colour))
        colour = COLOURS.get(next((group for group in mark.groups() if group), ""), plain)
        at = mark.end()
    return [(part, shown) for part, shown in [*found, (text[at:], colour)] if part]


def line(parts, row, column=0):
    """One line of text on the character grid, whatever font shows it."""
    top = MARGIN + row * LINE + LINE * 0.75
    out = []
    for text, colour in parts:
        width = cells(text)
        if text.strip():
            out.append(
                f'<text x="{MARGIN + column * CHARACTER:.1f}" y="{top:.1f}" fill="{colour}" '
                f'textLength="{width * CHARACTER:.1f}">{escape(text)}</text>'
            )
        column += width
    return out


def picture(top, segment, status):
    body, row = [], 0
    for text in [*top.rstrip("\n").splitlines(), ""]:
        colour = COLOURS["33"] if text.startswith("! ") else TEXT
        body += line([(text, colour)] if text else [], row)
        row += 1
    body += line([("Claude Code's status line", COLOURS["2"])], row)
    body += line(spans(status, r"\x1b\[(?:0|([\d;]+))?m", TEXT), row + 1)
    row += 3
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, (row + 1) * LINE + 2 * MARGIN
    bar = f'<rect x="0" y="{height - LINE - 10:.0f}" width="{width:.0f}" height="{LINE + 10}" fill="{BAR}"/>'
    parts = spans(segment, r"#\[(?:[^\]]*fg=(\w+))?[^\]]*\]", BAR_TEXT)
    start = COLUMNS - sum(cells(text) for text, _ in parts) - 1
    at = (height - LINE - 5 - MARGIN) / LINE
    inside = [*line([("[demo] 0:claude* 1:zsh-", BAR_TEXT)], at), *line(parts, at, start)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        'font-family="ui-monospace,SFMono-Regular,Menlo,DejaVu Sans Mono,monospace" font-size="13" '
        'xml:space="preserve" role="img">\n'
        "<title>aitop top, Claude Code's status line and tmux, showing the made-up sessions of aitop demo</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{BACK}"/>'
    )
    return "\n".join([head, *body, bar, *inside, "</svg>", ""])


if __name__ == "__main__":
    with open(TARGET, "w", encoding="utf-8") as target:
        target.write(picture(*play(float(sys.argv[1]) if len(sys.argv) > 1 else 21.0)))
    print(TARGET)
