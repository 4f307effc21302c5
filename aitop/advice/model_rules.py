"""Rules about the choice of model: an older one with a cheaper successor, a large one for sub-agents or small work."""

from collections.abc import Iterable, Sequence

from aitop.advice import what_if
from aitop.advice.finding import Hit, Rule, Words, sessions, times
from aitop.advice.record import Call, Record
from aitop.pricing.table import PriceTable

EDITS = frozenset(("Edit", "MultiEdit", "Write", "NotebookEdit"))
SMALL_OUTPUT = 2_000  # tokens a whole session put out
FEW_TOOLS = 5
FEW_CALLS = 12
REPEATS = 3  # sessions: one small question to a large model is no habit yet


def _older_model(record: Record, table: PriceTable) -> Iterable[Hit]:
    for call in record.calls:
        successor = what_if.cheaper_successor(table, call) if call.priced else None
        if successor:
            name, price = successor
            yield Hit(
                call.cost - price, record.name, record.project, call.at, about=f"{call.model} to {name}"
            )


def _say_older(hits: Sequence[Hit]) -> Words:
    moves = _by_saving(hits)
    return Words(
        f"{times(len(hits), 'request')} in {sessions(hits)} went to an older model, although a newer one of "
        f"its family cost less that day for the same tokens: {moves}",
        "Choose the newer model with /model, or in the `model` setting that pins the older one",
        "The older id disappears from `aitop report models`. Token counts may differ a little between models",
    )


OLDER_MODEL = Rule(
    "older-model",
    "An older model was used although its successor cost less.",
    _older_model,
    _say_older,
)


def _subagents(record: Record, table: PriceTable) -> Iterable[Hit]:
    for call in record.agents():
        yield from _smaller(record, call, table)


def _smaller(record: Record, call: Call, table: PriceTable) -> Iterable[Hit]:
    name = what_if.smaller(table, call) if call.priced else None
    if name:
        saving = call.cost - what_if.priced(table, call, call.usage, name)
        if saving > 0:
            yield Hit(saving, record.name, record.project, call.at, about=f"{call.model} to {name}")


def _say_subagents(hits: Sequence[Hit]) -> Words:
    return Words(
        f"{times(len(hits), 'request')} of sub-agents in {sessions(hits)} went to a large model: {_by_saving(hits)}",
        "Give agents that search and read `model: sonnet` in their definition, or set CLAUDE_CODE_SUBAGENT_MODEL",
        "Run `aitop advise --rule subagent-model` after a week, and judge the agents' answers yourself",
    )


SUBAGENT_MODEL = Rule(
    "subagent-model",
    "Sub-agents ran on a large model.",
    _subagents,
    _say_subagents,
    judgement=True,
)


def _small_work(record: Record, table: PriceTable) -> Iterable[Hit]:
    """A session of short answers without an edit. Unfinished responses have placeholder outputs: skip their session."""
    calls = record.calls
    small = (
        len(calls) <= FEW_CALLS
        and sum(call.usage.output_tokens for call in calls) <= SMALL_OUTPUT
        and len(record.tools) <= FEW_TOOLS
        and not any(tool.name in EDITS for tool in record.tools)
        and all(call.stop_reason is not None for call in calls)
    )
    if not small:
        return
    hits = [hit for call in calls for hit in _smaller(record, call, table)]
    if len(hits) == len(calls):
        about = hits[0].about
        yield Hit(
            sum(hit.saving for hit in hits), record.name, record.project, calls[0].at, len(hits), about=about
        )


def _say_small(hits: Sequence[Hit]) -> Words:
    return Words(
        f"{times(len(hits), 'session')} on a large model put out at most {SMALL_OUTPUT:,} tokens each, edited "
        f"nothing and called at most {FEW_TOOLS} tools: {_by_saving(hits)}",
        "Ask short questions of a smaller model: `claude --model sonnet`, or /model in the session",
        "Ask the smaller model your next short questions, and judge its answers yourself",
    )


LARGER_MODEL = Rule(
    "larger-model",
    "Sessions of short answers ran on a large model.",
    _small_work,
    _say_small,
    judgement=True,
    least=REPEATS,
)


def _by_saving(hits: Sequence[Hit]) -> str:
    """The three changes of model that save most, and the number of the others."""
    totals: dict[str, int] = {}
    for hit in hits:
        totals[hit.about] = totals.get(hit.about, 0) + hit.saving
    shown = sorted(totals, key=lambda about: (-totals[about], about))
    return ", ".join(_move(about) for about in shown[:3]) + (
        f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    )


def _move(about: str) -> str:
    used, _, cheaper = about.partition(" to ")
    return f"{used} ({cheaper} would have cost less)"


RULES = (OLDER_MODEL, SUBAGENT_MODEL, LARGER_MODEL)
