"""The table of `docs/alerts.md`, made from the rules. Pure."""

from aitop.live.alerts.rules import ALL

_OPENING, _END = "<!-- rules -->", "<!-- end of rules -->"


def page(text: str) -> str:
    """A page with its table of rules filled anew."""
    before, mark, rest = text.partition(_OPENING)
    if not mark:
        return text
    lines = ["| alert | when | keys of the configuration (0: off) |", "|---|---|---|"]
    for rule in ALL:
        keys = ", ".join(f"`alerts.{key}`" for key in rule.keys)
        lines.append(f"| `{rule.name}` | {rule.when} | {keys or 'its own thresholds'} |")
    return f"{before}{_OPENING}\n" + "\n".join(lines) + f"\n{_END}" + rest.partition(_END)[2]
