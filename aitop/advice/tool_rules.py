"""Rules about tools: the same one failing again and again."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from aitop.advice.finding import Hit, Rule, Words, times
from aitop.advice.record import Call, Record, ToolCall
from aitop.pricing.table import PriceTable

IN_A_ROW = 4  # requests, each with a failed call of the tool and no good one between
# A shell's failure is often the answer (a failing test, a grep without a match), not a tool that is broken.
ANSWERS = frozenset(("Bash", "BashOutput", "KillShell"))


def _failing(record: Record, table: PriceTable) -> Iterable[Hit]:  # noqa: ARG001 - one shape for every rule
    """The cost of each run of failures after its first request: the first failure could not be foreseen."""
    names = sorted({tool.name for tool in record.tools if tool.failed} - ANSWERS)
    times_of = [call.at for call in record.calls]
    for name in names:
        run: list[ToolCall] = []
        for tool in [*(t for t in record.tools if t.name == name), ToolCall(0.0, name, failed=False)]:
            if tool.failed:
                run.append(tool)
                continue
            asked = _requests(record.calls, times_of, run)
            if len(asked) >= IN_A_ROW:
                cost = sum(call.cost for call in asked[1:])
                yield Hit(cost, record.name, record.project, run[0].at, len(asked), about=name)
            run = []


def _requests(calls: list[Call], times_of: list[float], run: list[ToolCall]) -> list[Call]:
    """The requests that asked for these tool calls: for each call the last request before it, counted once."""
    askers: list[Call] = []
    for tool in run:
        number = bisect_right(times_of, tool.at) - 1
        if number >= 0 and (not askers or calls[number] is not askers[-1]):
            askers.append(calls[number])
    return askers


def _say(hits: Sequence[Hit]) -> Words:
    tools = ", ".join(sorted({hit.about for hit in hits}))
    longest = max(hit.number for hit in hits)
    return Words(
        f"A tool failed in {IN_A_ROW} or more requests in a row {times(len(hits), 'time')} (the longest run: "
        f"{longest}): {tools}. The saving is the cost of the requests after each first failure",
        "Repair the tool or its permission, remove it, or say in CLAUDE.md how to use it",
        "The transcripts of the sessions below have the message of each failure",
    )


FAILING_TOOL = Rule("failing-tool", "One tool failed again and again.", _failing, _say)
RULES = (FAILING_TOOL,)
