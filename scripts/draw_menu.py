"""A SwiftBar menu as SVG, in a light and a dark bar, from the text that the plugin prints.

The real bar runs on macOS only. What is drawn is what was printed: titles, colours of both appearances,
separators, and the submenu of the item that `opened` names. Signs stand for the SF Symbols.
"""

import re
from html import escape

ROW, PAD, WIDTH, SUB, BAR = 22, 12, 392, 190, 26
SIGNS = {"calendar": "▦", "timer": "◷", "hourglass": "◴", "bell": "◆", "creditcard": "▭", "tablecells": "▤",
         "chart.line.uptrend.xyaxis": "↗", "arrow.clockwise": "↻", "gauge.medium": "◔",
         "exclamationmark.triangle": "▲", "exclamationmark.octagon": "■"}  # fmt: skip
# bar, panel, text, faint text, line, desktop
LOOKS = (
    ("#f6f6f8", "#ffffff", "#1d1d1f", "#86868b", "#e3e3e6", "#b9cbe0"),
    ("#232326", "#2c2c2e", "#f5f5f7", "#98989d", "#48484a", "#3d4f6b"),
)
NBSP = "\u00a0"  # engines collapse two blanks


def parse(text):
    """(title, options, depth) of each line, None for a separator; the header first."""
    found = []
    for line in text.split("\n"):
        title, _, options = line.partition("|")
        depth = 1 if title.startswith("--") and title.strip() != "---" else 0
        known = dict(re.findall(r"(\w+)=(\"[^\"]*\"|\S+)", options))
        found.append(None if title.strip() == "---" else (title.strip().removeprefix("--"), known, depth))
    return found


def draw(text, opened):
    """The SVG of a menu's text, light and dark beside each other."""
    lines = parse(text)
    header, items = lines[0], lines[2:]
    height = BAR + PAD + sum(_height(item) for item in items) + 6 * PAD
    half = WIDTH + SUB + 3 * PAD
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * half} {height}" width="{2 * half}" '
        'font-family="-apple-system,BlinkMacSystemFont,Helvetica Neue,DejaVu Sans,sans-serif" font-size="13" '
        'role="img">\n<title>The SwiftBar menu in a light and a dark bar, drawn from what it prints</title>'
    )
    parts = [head]
    for number, look in enumerate(LOOKS):
        parts += _side(header, items, opened, number * half, (half, height), number, look)
    return "\n".join([*parts, "</svg>", ""])


def _height(item):
    return 0 if item and item[2] else ROW if item else ROW // 2


def _side(header, items, opened, left, size, number, look):
    bar, panel, _, _, line, desktop = look
    width, height = size
    edge = left + width - PAD - SUB - WIDTH
    yield f'<rect x="{left}" width="{width}" height="{height}" fill="{desktop}"/>'
    yield f'<rect x="{left}" width="{width}" height="{BAR}" fill="{bar}"/>'
    yield from _text(header, edge + PAD, BAR * 0.68, number, look)
    top = BAR + PAD // 2
    yield (
        f'<rect x="{edge}" y="{top}" width="{WIDTH}" height="{height - top - 4 * PAD}" rx="8" '
        f'fill="{panel}" stroke="{line}"/>'
    )
    at, behind, shown = top + PAD // 2, [], (0, False)
    for item in items:
        if item is None:
            yield f'<path d="M{edge + PAD} {at + ROW // 4}h{WIDTH - 2 * PAD}" stroke="{line}"/>'
        elif item[2]:
            behind.append(item)
        else:
            if behind:
                yield from _submenu(behind, edge + WIDTH, shown, number, look)
            behind = []
            shown = at, item[0].startswith(opened)
            yield from _text(item, edge + PAD, at + ROW * 0.68, number, look)
        at += _height(item)
    if behind:
        yield from _submenu(behind, edge + WIDTH, shown, number, look)


def _submenu(items, left, at, number, look):
    """A mark that there is one; the whole of it where it is opened."""
    _, panel, _, faint, line, _ = look
    at, whole = at
    yield f'<path d="M{left - 15} {at + 7}l4 4l-4 4" fill="none" stroke="{faint}" stroke-width="1.5"/>'
    if not whole:
        return
    high = len(items) * ROW + PAD
    yield (
        f'<rect x="{left - 4}" y="{at - 4}" width="{SUB}" height="{high}" rx="8" fill="{panel}" '
        f'stroke="{line}"/>'
    )
    for row, item in enumerate(items):
        yield from _text(item, left + PAD - 4, at + 2 + (row + 0.68) * ROW, number, look, indent=False)


def _text(item, left, base, number, look, *, indent=True):
    title, options, _ = item
    pair = options.get("color", "").split(",")
    colour = pair[number] if len(pair) == 2 else look[2]
    sign = SIGNS.get(options.get("sfimage", ""), "")
    if sign:
        yield f'<text x="{left}" y="{base:.0f}" fill="{colour}">{sign}</text>'
    shown = escape(title.replace("  ", NBSP * 2))
    yield f'<text x="{left + (20 if indent else 0)}" y="{base:.0f}" fill="{colour}">{shown}</text>'
