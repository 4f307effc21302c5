"""`aitop statusline --preview`: Claude Code's status line as it would look, with made-up numbers.

Shows the configured format, or the one given, in every style. It reads the configuration and nothing else.
"""

from __future__ import annotations

import os
import sys
import time

from aitop.model.json_types import JsonObject
from aitop.segments import presets, statusline_segment, template
from aitop.system import help_text

USAGE = """Usage: aitop statusline --preview [--format TEMPLATE]... [--preset NAME] [--style NAME] [--columns N]

Claude Code's status line with made-up numbers: as it is configured, or as the options say.
  --format TEMPLATE  a line of your own; once more for a second line
  --preset NAME      {presets}
  --style NAME       {styles}; without it, all of them
  --columns N        how wide the terminal is; what has no room is left out, whole parts from the end

To keep it, in the configuration (`aitop config --path`):
  [statusline]
  format = "{{model}} · ctx {{context_percent}} · {{cost_session}}"
  style = "powerline"

A part between two ` · ` vanishes while its placeholders have nothing to say. `aitop tmux --help` lists them.
"""
NUMBERS = ("--columns",)
OPTIONS = ("--format", "--preset", "--style", "--columns")


def main(argv: list[str]) -> int:
    """Run `aitop statusline --preview …`; the exit code."""
    if any(word in ("-h", "--help") for word in argv):
        usage = USAGE.format(presets=", ".join(presets.NAMES), styles=", ".join(statusline_segment.STYLES))
        sys.stdout.write(help_text.fitted(usage, help_text.columns()))
        return 0
    try:
        chosen = _configured() | _asked(argv)
    except ValueError as error:
        sys.stderr.write(f"aitop statusline --preview: {error}\n")
        return 2
    named = any(word.partition("=")[0] == "--style" for word in argv)
    styles = [chosen["style"]] if named else list(statusline_segment.STYLES)
    now = time.time()
    shown = []
    for style in styles:
        config = chosen | {"style": style, "colour": not os.environ.get("NO_COLOR")}
        lines = statusline_segment.render(payload(now), state(now), None, now, config)
        shown += [f"{style}:", *(f"  {line}" for line in lines or ["(nothing to say)"]), ""]
    os.write(1, "\n".join(shown).encode("utf-8", "replace"))
    return 0


def _configured() -> JsonObject:
    from aitop.config import ConfigError, load

    try:
        config = load()
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return {
        "format": config["statusline.format"],
        "preset": config["statusline.preset"],
        "style": config["statusline.style"],
    }


def _asked(argv: list[str]) -> JsonObject:
    """The options given. Raises ValueError with a sentence for the user."""
    options: JsonObject = {}
    words = iter(word for word in argv if word != "--preview")
    for word in words:
        name, equals, value = word.partition("=")
        if name not in OPTIONS:
            near = help_text.nearest(name, OPTIONS)
            raise ValueError(f"unknown option {word}{near}; try: aitop statusline --preview --help")
        value = value if equals else next(words, "")
        if name == "--format":
            problem = template.problem(value)
            if problem:
                raise ValueError(f"--format: {problem}")
            options.setdefault("format", []).append(value)
        elif name == "--columns":
            if not value.isdecimal():
                raise ValueError(f"--columns is a number, not {value!r}")
            options["columns"] = int(value)
        else:
            allowed = presets.NAMES if name == "--preset" else statusline_segment.STYLES
            if value not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
            options[name[2:]] = value
            if name == "--preset":
                options.setdefault("format", "")
    return options


def payload(now: float) -> JsonObject:
    """What Claude Code would say of a session: made up, with every part that a placeholder shows."""
    return {
        "session_id": "demo", "session_name": "fix-rounding",
        "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
        "cost": {"total_cost_usd": 2.41, "total_lines_added": 128, "total_lines_removed": 37},
        "context_window": {"context_window_size": 200_000, "total_input_tokens": 94_000, "used_percentage": 47},
        "effort": {"level": "high"}, "output_style": {"name": "default"},
        "rate_limits": {
            "five_hour": {"used_percentage": 42, "resets_at": now + 4_260},
            "seven_day": {"used_percentage": 83, "resets_at": now + 200_000},
        },
        "prompt_cache": {"warm": True, "expires_at": now + 260},
    }  # fmt: skip


def state(now: float) -> JsonObject:
    """A published state beside it: two sessions, one of which waits."""
    row = {
        "provider": "claude-code",
        "branch": "fix-rounding",
        "project": "checkout-api",
        "git_dirty": True,
        "folder": "/work/checkout-api",
    }
    return {
        "written_at": now,
        "display": {"billing": "api", "levels": {"burn": [5, 20], "context": [80, 95], "limit": [80, 95]}},
        "today": {"spent_usd": 11.86, "requests": 214}, "week": {"spent_usd": 48.2}, "month": {"spent_usd": 163.0},
        "windows": {"1m": {"spent_usd": 0.06}, "5m": {"spent_usd": 0.31}, "15m": {"spent_usd": 0.8}},
        "sessions": [
            {**row, "id": "demo", "status": "working", "spent_usd": 2.41, "client_cost_usd": 2.41},
            {**row, "id": "other", "status": "waiting", "project": "docs-site", "spent_usd": 0.6},
        ],
        "folders_today": [{"folder": "/work/checkout-api", "spent_usd": 9.4}],
        "active_sessions": 2, "host": "here",
    }  # fmt: skip
