"""What the scores say, by model, project or week: means, the cost of a good turn, agreement with the user. Pure.

A turn is good when none of its scores is below `GOOD`. Only turns of one judge and one version of the prompt stand in
one row, because scores of two judges are not comparable.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aitop.model.json_types import JsonObject
from aitop.model.sums import PICO
from aitop.quality.prompt import METRICS
from aitop.quality.store import Judged

GOOD = 0.75
CUT_OFF = ("max_tokens", "length")
REFUSED = ("refusal", "content_filter")


class Group(NamedTuple):
    """What a row is made of: its name, its turns, and the picodollars of each turn."""

    name: str
    turns: Sequence[Judged]
    costs: Sequence[int]


def is_good(turn: Judged) -> bool:
    """Whether none of its scores is low."""
    return bool(turn.scores) and min(turn.scores.values()) >= GOOD


def rows(groups: Sequence[Group]) -> list[JsonObject]:
    """A row for each group and judge, the most turns first."""
    groups_rows = []
    for group in groups:
        for judge in sorted({(turn.judge, turn.prompt) for turn in group.turns}):
            pairs = [
                (turn, cost)
                for turn, cost in zip(group.turns, group.costs, strict=True)
                if (turn.judge, turn.prompt) == judge
            ]
            groups_rows.append(_row(group.name, judge, pairs))
    return sorted(groups_rows, key=lambda row: (-row["turns"], row["name"]))


def _row(name: str, judge: tuple[str, int], pairs: list[tuple[Judged, int]]) -> JsonObject:
    good = sum(is_good(turn) for turn, _ in pairs)
    cost = sum(cost for _, cost in pairs)
    return {
        "name": name,
        "judge": judge[0],
        "prompt_version": judge[1],
        "turns": len(pairs),
        "good": good,
        **{
            metric: _mean([turn.scores[metric] for turn, _ in pairs if metric in turn.scores])
            for metric in METRICS
        },
        "cost_usd": cost / PICO,
        "cost_usd_per_good_turn": cost / PICO / good if good else None,
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def agreement(turns: Sequence[Judged], marks: Mapping[str, bool]) -> JsonObject:
    """How often the judge's word on a session is the user's: most of a session's judged turns decide."""
    by_session: dict[str, list[bool]] = {}
    for turn in turns:
        if turn.session in marks:
            by_session.setdefault(turn.session, []).append(is_good(turn))
    same = sum((2 * sum(good) > len(good)) == marks[session] for session, good in by_session.items())
    return {
        "sessions": len(by_session),
        "agree": same,
        "share": same / len(by_session) if by_session else None,
    }


def signals(stops: Mapping[str, Mapping[str, int]]) -> list[JsonObject]:
    """Of each model the share of responses that were cut off at their output limit, and that refused."""
    signal_rows = []
    for model, reasons in sorted(stops.items(), key=lambda item: -sum(item[1].values())):
        with_reason = sum(count for reason, count in reasons.items() if reason)
        signal_rows.append({
            "model": model,
            "responses": with_reason,
            "cut_off": sum(reasons.get(reason, 0) for reason in CUT_OFF),
            "refused": sum(reasons.get(reason, 0) for reason in REFUSED),
        })  # fmt: skip
    return [row for row in signal_rows if row["responses"]]
