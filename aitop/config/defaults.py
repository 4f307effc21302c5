"""The configuration file that changes nothing: every key with its meaning, for `aitop config --defaults`."""

from aitop.config.keys import KEYS, SEGMENT_DISPLAYS

# Tables that have no default, as comments.
_EXAMPLES = f"""\
# A segment of your own, rendered each second to $AITOP_HOME/segments/NAME, or a built-in's look:
# [segments.NAME]
# display = "tmux"      # the escaping of: {", ".join(SEGMENT_DISPLAYS)}
# preset = "burn"       # cost, burn, limits, full
# format = "{{cost_today}} {{burn}}"   # or a template; `aitop tmux --help` lists the placeholders
# provider = "codex"     # one client only; default: the sum of all

# [providers.codex]      # or claude-code, gemini, opencode, copilot, one of another package
# enabled = false        # leave it out; default: used wherever it has records
# folders = ["~/.codex"]   # its folders; default: where the client itself writes

# APIs behind `aitop gateway`, each by the first part of the path (/openrouter/v1/...):
# [gateway.upstreams]
# openrouter = "https://openrouter.ai/api"
# ollama = "http://127.0.0.1:11434"

# Your own price for a model, USD per million tokens; wins over every table:
# [prices.models."my-model"]
# input = 1.0
# output = 5.0
# cache_read = 0.1
# cache_write_5m = 1.25
# cache_write_1h = 2.0
# from = "2026-01-01"   # optional: valid from this day on

# What may be spent; `aitop guard` checks it for scripts and hooks:
# [budgets.NAME]
# period = "month"         # day, week, month, or session (each session may cost that much)
# limit_usd = 200.0
# project = "~/work/shop"  # only this folder (a pattern); or tag = "client-a"; neither: everything
# warning = 80             # percent
# critical = 100

# A tag for sessions of a folder or branch; $AITOP_TAG and `aitop tag` win over it:
# [tags.NAME]
# folders = ["~/work/client-a"]
# branches = ["release/*"]
"""


def defaults_toml() -> str:
    """Every key with its meaning and default, as a configuration file that changes nothing."""
    lines = [
        "# aitop's configuration. Every key is shown with its default; keep what you change.",
        "# File: $AITOP_CONFIG, else $XDG_CONFIG_HOME/aitop/config.toml, else ~/.config/aitop/config.toml",
        "",
    ]
    table = ""
    for key in KEYS:
        head, _, name = key.path.rpartition(".")
        if head != table:
            lines += ["", f"[{head}]"]
            table = head
        choices = f" ({key.kind.replace('|', ', ')})" if "|" in key.kind else ""
        lines += [f"# {key.help}{choices}", f"{name} = {_toml(key.default)}"]
    lines += ["", _EXAMPLES]
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
