"""The files that are generated from the tables: the rules for Prometheus, and the table in docs/fleet.md. Pure text.

The dashboard is made by scripts/make_fleet_files.py with Grafana's own library, which only that script needs.
"""

from aitop.fleet import names, queries

OPENING, END = "<!-- table of metrics -->\n", "<!-- end of table -->"
ALERTS_OPENING, ALERTS_END = "<!-- table of rules -->\n", "<!-- end of rules -->"
HEAD = "# Made by scripts/make_fleet_files.py from aitop/fleet/queries.py: change it there.\n"


def rules() -> str:
    """The rules file as Prometheus, Mimir, Thanos and VictoriaMetrics' vmalert read it."""
    lines = [HEAD + "groups:", "  - name: aitop", "    interval: 1m", "    rules:"]
    for one in queries.RECORDINGS:
        lines += [
            f"      # {one.help}",
            f"      - record: {one.record}",
            f"        expr: {_quoted(one.expr)}",
        ]
    lines += ["  - name: aitop-alerts", "    rules:"]
    for alert in queries.ALERTS:
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {_quoted(alert.expr)}",
            f"        for: {alert.lasts}",
            "        labels:",
            f"          severity: {alert.severity}",
            "        annotations:",
            f"          summary: {_quoted(alert.summary)}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A YAML string in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def page(text: str) -> str:
    """docs/fleet.md with its tables filled anew. Raises ValueError where a mark is missing."""
    return _between(_between(text, OPENING, END, _metrics()), ALERTS_OPENING, ALERTS_END, _rules())


def _between(text: str, opening: str, end: str, table: str) -> str:
    before, begun, rest = text.partition(opening)
    _, closed, after = rest.partition(end)
    if not begun or not closed:
        raise ValueError(f"docs/fleet.md: {opening.strip()} is missing")
    return f"{before}{opening}{table}{end}{after}"


def _metrics() -> str:
    lines = ["| Prometheus | OTLP | kind | labels beside `user`, `host` | meaning |", "|---|---|---|---|---|"]
    for metric in names.METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        also = f" GenAI conventions: `{metric.gen_ai}`." if metric.gen_ai else ""
        lines.append(
            f"| `{metric.sample}` | `{metric.otlp}` | {metric.kind} | {labels} | {metric.help}.{also} |"
        )
    return "\n".join(lines) + "\n"


def _rules() -> str:
    lines = ["| recorded | meaning |", "|---|---|"]
    lines += [f"| `{one.record}` | {one.help} |" for one in queries.RECORDINGS]
    lines += ["", "| alert | when | severity |", "|---|---|---|"]
    lines += [
        f"| `{alert.name}` | {alert.when} (`{alert.beyond}` for {alert.lasts}) | {alert.severity} |"
        for alert in queries.ALERTS
    ]
    return "\n".join(lines) + "\n"
