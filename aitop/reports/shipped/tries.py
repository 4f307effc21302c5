"""How often edits and tools worked at the first try, and how often the user stopped a turn, by model. Pure.

Calls of one tool in one turn are one try after the other: a call is a retry where the call before it failed and had
ended. Edits of one file are tries of one edit, whichever tool made them. A call that was refused has failed.
"""

from collections.abc import Container, Iterable
from typing import NamedTuple

from aitop.model.sums import Sum
from aitop.reports.rows import Answer, Row
from aitop.reports.shipped.acts import Call
from aitop.reports.shipped.reading import Reading, Turn


class Tries(NamedTuple):
    """`wanted`: what was tried, `first`: of these what worked at once, `again`: retries."""

    wanted: int = 0
    first: int = 0
    again: int = 0

    def plus(self, other: "Tries") -> "Tries":
        return Tries(*(one + two for one, two in zip(self, other, strict=True)))


def answer(reading: Reading, turns: Container[Turn]) -> Answer:
    """A row for each model that made a call or answered a prompt in these turns, the busiest first."""
    edits, tools = (_by_model(_ended(reading, turns, edits=kind)) for kind in (True, False))
    prompts = [
        (turn, prompt.model) for turn, prompt in reading.prompts.items() if turn in turns and prompt.model
    ]
    rows = []
    for model in {*edits, *tools, *(model for _, model in prompts)}:
        own = [turn for turn, of in prompts if of == model]
        of_user = sum(turn in reading.stops for turn in own)
        rows.append(_row(model, edits.get(model, Tries()), tools.get(model, Tries()), len(own), of_user))
    rows.sort(key=lambda row: (-row["turns"], -row["tool_calls_wanted"], row["model"]))
    stopped = sum(turn in reading.stops for turn, _ in prompts)
    tried = _together([*edits.values(), *tools.values()])
    endless = sum(call.failed is None for turn, call in reading.calls if turn in turns)
    whole = _row("", _together(edits.values()), _together(tools.values()), len(prompts), stopped)
    whole |= {"tries": tried.wanted, "retries": tried.again, "calls_without_result": endless}
    return Answer("model", rows, Sum(), kind="tries", whole=whole)


def _together(parts: Iterable[Tries]) -> Tries:
    whole = Tries()
    for part in parts:
        whole = whole.plus(part)
    return whole


def _ended(reading: Reading, turns: Container[Turn], *, edits: bool) -> Iterable[tuple[Turn, Call]]:
    return (
        (turn, call)
        for turn, call in sorted(reading.calls, key=lambda pair: pair[1].at)
        if turn in turns and call.failed is not None and (call.path is not None) == edits
    )


def _by_model(calls: Iterable[tuple[Turn, Call]]) -> dict[str, Tries]:
    """Calls in the order of their beginnings. What failed waits for its next try, by turn, agent, and file or tool."""
    waiting: dict[tuple[Turn, str | None, str], float] = {}  # → the end of the failed call
    tries: dict[str, Tries] = {}
    for turn, call in calls:
        key = (turn, call.agent, call.path or call.tool)
        is_retry = waiting.get(key, float("inf")) <= call.at
        if is_retry:
            del waiting[key]
        if call.failed and call.ended is not None:
            waiting[key] = call.ended
        one = Tries(0, 0, 1) if is_retry else Tries(1, int(not call.failed), 0)
        tries[call.model] = tries.get(call.model, Tries()).plus(one)
    return tries


def _row(model: str, edits: Tries, tools: Tries, turns: int, stopped: int) -> Row:
    return {
        "model": model,
        "turns": turns,
        "interrupted_turns": stopped,
        "interrupted_rate": stopped / turns if turns else None,
        "edits_wanted": edits.wanted,
        "edits_first_try_rate": _share(edits.first, edits.wanted),
        "retries_per_edit": _share(edits.again, edits.wanted),
        "tool_calls_wanted": tools.wanted,
        "tools_first_try_rate": _share(tools.first, tools.wanted),
        "retries_per_tool_call": _share(tools.again, tools.wanted),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def note(whole: Row) -> str:
    """How the tries and the calls of `report tools` belong together."""
    tries, again, endless = (whole[key] for key in ("tries", "retries", "calls_without_result"))
    retries = "retry" if again == 1 else "retries"
    return (
        f"{tries + again + endless:,} calls: {tries:,} first tries, {again:,} {retries}, "
        f"{endless:,} without a result in the records (left out above)"
    )
