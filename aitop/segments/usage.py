"""`aitop tmux --help` and its kin: what each display can show, taken from the tables that show it."""

from __future__ import annotations

from aitop.segments import placeholders, presets

SUMMARY = {
    "tmux": "The tmux status segment.",
    "prompt": "The shell-prompt fragment.",
    "waybar": "The Waybar module: one JSON object a line.",
    "swiftbar": "The SwiftBar, xbar, Argos or kargos menu.",
}
STALE = {
    "tmux": "nothing",
    "prompt": "nothing",
    "waybar": 'an off state: empty text, which hides the module, and class "off"',
    "swiftbar": "an off menu that offers to start the listener",
}
CLICKS = [
    "  --cycle            for a click: `waybar --follow` goes on with the next preset, in every bar",
    "  --open             for a click: open `aitop top` in your terminal ($TERMINAL, else one that is found)",
]
EXAMPLES = {
    "tmux": ["aitop init tmux", "aitop tmux --preset burn", "aitop tmux --format '{cost_today}{? {burn}}'"],
    "prompt": [
        "aitop init zsh",
        "aitop prompt --shell zsh",
        "aitop prompt --format '{model} {context_percent}'",
    ],
    "waybar": ["aitop init waybar", "aitop waybar --follow", "aitop waybar --preset limits --follow"],
    "swiftbar": ["aitop init swiftbar", "aitop swiftbar", "aitop swiftbar --follow"],
}


def text(word: str) -> str:
    """The whole help of one display."""
    shell = " [--shell bash|zsh|fish|plain]" if word == "prompt" else ""
    lines = [
        f"Usage: aitop {word}{shell}",
        "         [--preset NAME | --format TEMPLATE | --segment NAME] [--provider NAME] [--follow]",
        "",
        f"{SUMMARY[word]} Prints what the listener published; without options in one shell process.",
        "",
        "Options:",
    ]
    if word == "prompt":
        lines.append(
            "  --shell SHELL      the shell that escapes and colours are for: bash, zsh, fish, plain (default)"
        )
    lines += [
        f"  --preset NAME      one of {', '.join(presets.NAMES)}; default: `preset` of the configuration",
        "  --format TEMPLATE  a template of your own, see below",
        "  --segment NAME     a segment of the configuration, [segments.NAME]",
        "  --provider NAME    only one client: claude-code, codex, gemini, opencode, copilot, …",
        "  --follow           print a line at each change until the reader has gone",
        *(CLICKS if word == "waybar" else []),
        "  -h, --help         this text",
        "",
        "Presets (billing: api / subscription):",
    ]
    for name in presets.NAMES:
        lines.append(f"  {name:<8} {presets.API[name]}")
        if presets.SUBSCRIPTION[name] != presets.API[name]:
            lines.append(f"  {'':<8} {presets.SUBSCRIPTION[name]}")
    return "\n".join([*lines, "", *_templates(), "", *_rules(word)])


def _templates() -> list[str]:
    width = max(len(name) for name in placeholders.NAMES) + 2
    return [
        "Templates: text and {placeholders}. A part in {? … } is shown only while one of its placeholders",
        "has something to say: {? burn {burn}} vanishes at a burn rate of zero. {{ and }} are braces. Text",
        "is shown as it is in every display, colour codes included; colours come from the levels.",
        "",
        "Placeholders (name, unit, meaning):",
        *(
            f"  {f'{{{name}}}':<{width}}  {unit:<8} {meaning}"
            for name, unit, meaning, _ in placeholders.FIELDS
        ),
    ]


def _rules(word: str) -> list[str]:
    return [
        "Money is USD times `currency.rate`, shown with `currency.symbol`. Marks: ≥ a lower bound (requests",
        "without a price or cut short), ~ priced by model family, ≈ what a subscription's use would cost at",
        "API prices.",
        "Levels: a value past alerts.*_warning is yellow, past alerts.*_critical red (`aitop config`).",
        "NO_COLOR, when not empty, means no colour.",
        f"Freshness: numbers older than 10 seconds are never shown; instead: {STALE[word]}.",
        "Exit codes: 0 fine (also without numbers), 2 wrong usage.",
        "",
        "Examples:",
        *(f"  {example}" for example in EXAMPLES[word]),
    ]
