"""What one command spent, as JSON and as a line for people. Pure.

Nothing unknown is zero: where no session is known to belong to the command, the money is null.
"""

from typing import NamedTuple

from aitop.history.query.between import Part
from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO, total
from aitop.reports.rows import figures
from aitop.segments import money
from aitop.segments.money import Currency

OVER = 11  # the exit code, as `aitop guard` has it


class Run(NamedTuple):
    """One run of a command. Times are epoch seconds, the budget is USD; None: there is none."""

    command: tuple[str, ...]
    started_at: float
    ended_at: float
    exit_code: int
    stopped: bool
    budget_usd: float | None
    parts: list[Part]
    sessions: int
    unattributed: list[str]  # clients that ran in it, and of which no session could be told to be its own

    @property
    def spent(self) -> int:
        """Picodollars of the sessions that are the command's own."""
        return total(part.sum for part in self.parts).spent

    @property
    def over(self) -> bool:
        return self.budget_usd is not None and self.spent > round(self.budget_usd * PICO)


def as_json(run: Run) -> JsonObject:
    """The object that `--json` prints and `--output` writes."""
    has_sessions = run.sessions > 0
    whole = figures(total(part.sum for part in run.parts))
    return {
        "command": list(run.command),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "exit_code": run.exit_code,
        "stopped": run.stopped,
        "budget_usd": run.budget_usd,
        "over": run.over,
        "at_least": bool(run.unattributed),
        "unattributed": run.unattributed,
        **(whole if has_sessions else dict.fromkeys(whole)),
        "models": _grouped(run.parts, "model"),
        "sessions": _grouped(run.parts, "session"),
    }


def _grouped(parts: list[Part], key: str) -> list[JsonObject]:
    """The sums by model or by session, the dearest first."""
    groups: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.provider, getattr(part, key)), []).append(part)
    rows = [
        {key: name, "provider": provider, **figures(total(part.sum for part in group))}
        for (provider, name), group in groups.items()
    ]
    return sorted(rows, key=lambda row: -row["spent_usd"])


def line(run: Run, shown_in: Currency) -> str:
    """One line for people."""
    seconds = run.ended_at - run.started_at
    if not run.sessions:
        who = f"{', '.join(run.unattributed)} ran, but its sessions could not be told" if run.unattributed else (
            "no session of a known client was seen"
        )  # fmt: skip
        return f"cost unknown: {who} ({seconds:.0f} s)"
    whole = figures(total(part.sum for part in run.parts))
    amount = money.text(whole["spent_usd"], shown_in, whole, exact=True)
    marks = "≥" if run.unattributed and "≥" not in amount else ""
    text = f"{marks}{amount} in {whole['requests']} requests of {run.sessions} sessions ({seconds:.0f} s)"
    if run.budget_usd is not None:
        state = "over" if run.over else "within"
        text += f", {state} the budget of {money.text(run.budget_usd, shown_in)}"
    return text + (": stopped" if run.stopped else "")
