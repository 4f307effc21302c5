"""`aitop report context`: what MCP servers, skills and tools put into context, and what that cost.

The history says which tools were called and how prompts grew. It keeps no texts, so the names of skills, the tools
that a search brought in, and the servers' instructions come from the transcripts that are still there; a call without
one stays with its tool. Must not write anything.
"""

import sqlite3
from itertools import groupby
from typing import NamedTuple

from aitop.history import keys
from aitop.history.query import spans, threads
from aitop.history.query.spans import SessionFacts
from aitop.history.query.threads import Call, Thread, Turn
from aitop.model import sums
from aitop.pricing import cost
from aitop.pricing.basis import Basis
from aitop.pricing.table import PriceTable
from aitop.providers.claude_code import context_records
from aitop.reports import context
from aitop.reports.ask import Asker
from aitop.reports.context import Paid, Part, Put, Rates, Share
from aitop.reports.rows import Answer, Row, clean, usd
from aitop.segments import money
from aitop.segments.money import Currency

CLIENT = "claude-code"
LEAD = 86_400.0  # seconds: prompts are followed from so long before the first day, so that its first ones are known
HEAD = 1 << 20  # bytes of a transcript in which servers introduce themselves
CHARACTERS_A_TOKEN = 4  # of an instruction: its size in tokens is not in the records
MCP = "mcp__"
NAMED_BY_RECORDS = (context_records.SKILL, "ToolSearch")  # calls that only their record says more of
CALLED = ("mcp", "skill", "tool")
KINDS = {
    "mcp": "MCP server", "skill": "skill", "tool": "tool", "context": "context", "output": "output",
    "unattributed": "-",
}  # fmt: skip


class Known(NamedTuple):
    """What the transcripts of one session name: by the key of a call, and by agent ("" for the main conversation)."""

    skills: dict[int, str]
    loaded: dict[int, tuple[str, ...]]
    instructions: dict[str, list[context_records.Instructions]]


def answer(asker: Asker, table: PriceTable, start: float, end: float) -> Answer:
    """Every part of the context, the dearest first. Their costs add up to what the filter lets through.

    What a client reports beyond its records is in no part.
    """
    total: dict[Part, Share] = {}
    wanted = _Wanted(asker, start)
    for session, group in groupby(threads.threads(asker.db, start - LEAD, end), key=lambda one: one.session):
        facts, of_session = asker.facts[session], list(group)
        counted = [[wanted(facts, turn) for turn in thread.turns] for thread in of_session]
        if not any(map(any, counted)):
            continue
        named = any(call.name in NAMED_BY_RECORDS for thread in of_session for call in thread.calls)
        contents = _known(asker.db, facts, named)
        for thread, counts in zip(of_session, counted, strict=True):
            turns = [
                Paid(turn.at, turn.usage, turn.cost, rates(table, turn), counts_here, turn.doubts)
                for turn, counts_here in zip(thread.turns, counts, strict=True)
            ]
            context.thread(turns, _puts(thread, contents), total)
    spent = sum(share.cost for share in total.values())
    rows = [_row(part, share, spent) for part, share in total.items() if any((*share[:-1], *share.doubts))]
    rows.sort(key=lambda row: (-row["cost_usd"], row["kind"], row["part"]))
    return Answer(
        "part", rows, sums.total(cell.sum for cell in asker.cells((start, end)))._replace(cost=spent)
    )


def idle(rows: list[Row], currency: Currency) -> list[str]:
    """A sentence for each MCP server that was in the context and never called, for people below the rows."""
    return [
        f"! {clean(row['part'])} was never called in these days and cost {_estimate(row, currency)} by "
        f"what the records show of it; without it, its tools' descriptions go too"
        for row in rows
        if row["kind"] == "mcp" and not row["calls"]
    ]


def _estimate(row: Row, currency: Currency) -> str:
    """With `≈` and the marks of its doubts, and with four decimals where two would show nothing."""
    usd, marks = row["cost_usd"], money.marks(row, currency).rstrip("≈")
    shown = money.text(usd, currency)
    if usd and not shown.strip("≈0." + currency.symbol):
        shown = money.text(usd, currency, exact=True)
        if not shown.strip("≈0." + currency.symbol) and not marks:
            return f"less than {money.text(0.0001 / currency.rate, currency, exact=True).lstrip('≈')}"
    return f"{marks}≈{shown.lstrip('≈')}"


def rates(table: PriceTable, turn: Turn) -> Rates | None:
    """What a token of each kind cost in this request; None where its cost does not follow from tokens."""
    usage = turn.usage
    size = usage.input_tokens
    whole = cost.price(table, turn.model_name, usage, turn.at)
    if whole.basis is Basis.UNPRICED or (whole.cost == 0 and turn.cost > 0):
        return None
    if size == 0 or turn.cost == 0:
        return Rates(0.0, 0.0, 0.0, 0.0)
    none = usage._replace(
        uncached_input_tokens=0, output_tokens=0, cache_read_tokens=0, cache_write_5m_tokens=0,
        cache_write_1h_tokens=0, web_searches=0, advisor=(),
    )  # fmt: skip
    # All of the prompt as one kind of token: so the tier of its length stays.
    kinds = (
        none._replace(uncached_input_tokens=size), none._replace(cache_read_tokens=size),
        none._replace(cache_write_5m_tokens=size), none._replace(cache_write_1h_tokens=size),
    )  # fmt: skip
    scale = turn.cost / whole.cost / size
    return Rates(*(cost.price(table, turn.model_name, kind, turn.at).cost * scale for kind in kinds))


class _Wanted:
    """Which responses are of the days, sessions, folders and models asked for."""

    def __init__(self, asker: Asker, start: float) -> None:
        self.asker, self.start = asker, start
        self.places = spans.places(asker.db)

    def __call__(self, facts: SessionFacts, turn: Turn) -> bool:
        models = self.asker.only.models
        if turn.at < self.start or facts.id not in self.asker.allowed:
            return False
        if models is not None and turn.model not in models:
            return False
        place = self.places.get(turn.place)
        return self.asker.is_in_project(place.cwd if place else facts.cwd)


def _puts(thread: Thread, contents: Known) -> list[Put]:
    """What entered a thread's context, in order: what its calls brought, and servers' instructions."""
    puts = [
        Put(one.at, {Part("mcp", one.server): 1.0}, -(-one.characters // CHARACTERS_A_TOKEN))
        for one in contents.instructions.get(thread.agent or "", ())
    ]
    for call in thread.calls:
        caller = _part(call, contents)
        puts.append(Put(call.at, _brought(call, caller, contents), None, caller))
    return sorted(puts, key=lambda put: put.at)


def _part(call: Call, contents: Known) -> Part:
    """What a call belongs to: its server, the skill it ran, or its tool."""
    if call.name == context_records.SKILL:
        return Part("skill", contents.skills.get(call.key, context_records.SKILL))
    server = _server(call.name)
    return Part("mcp", server) if server else Part("tool", call.name)


def _server(tool: str) -> str | None:
    """The server of a tool that is called `mcp__SERVER__TOOL`."""
    parts = tool.split("__", 2)
    return parts[1] if tool.startswith(MCP) and len(parts) == 3 and parts[1] else None


def _brought(call: Call, caller: Part, contents: Known) -> dict[Part, float]:
    """A search for tools brings their descriptions: they are their servers', each tool an even share."""
    tools = contents.loaded.get(call.key, ())
    if not tools:
        return {caller: 1.0}
    shares: dict[Part, float] = {}
    for tool in tools:
        server = _server(tool)
        part = Part("mcp", server) if server else caller
        shares[part] = shares.get(part, 0.0) + 1 / len(tools)
    return shares


def _known(db: sqlite3.Connection, facts: SessionFacts, named: bool) -> Known:
    """What the session's transcripts name. `named`: a call in it needs its record, so they are read as a whole."""
    contents = Known({}, {}, {})
    if facts.provider != CLIENT:
        return contents
    for file in threads.files(db, facts.provider, facts.name):
        read = context_records.read(_bytes(file.path, None if named else HEAD))
        contents.skills.update({keys.key("t", name): skill for name, skill in read.skills.items()})
        contents.loaded.update({keys.key("t", name): tools for name, tools in read.loaded.items()})
        contents.instructions.setdefault(file.agent or "", []).extend(read.instructions)
    return contents


def _bytes(path: str, most: int | None) -> bytes:
    """A transcript's beginning, or all of it; nothing where it is gone."""
    try:
        with open(path, "rb") as file:
            return file.read(-1 if most is None else most)
    except OSError:
        return b""


def _row(part: Part, share: Share, spent: int) -> Row:
    cost_usd = usd(share.cost)
    return {
        "part": part.name,
        "kind": part.kind,
        "of": KINDS[part.kind],
        "calls": share.calls if part.kind in CALLED else None,
        "tokens": round(share.tokens),
        "sent_again": round(share.again / share.tokens, 3)
        if share.tokens and part.kind != "output"
        else None,
        "cost_usd": cost_usd,
        "spent_usd": cost_usd,
        "cost_share": share.cost / spent if spent else None,
        **share.doubts._asdict(),
        "estimated": part.kind not in ("output", "unattributed"),
    }
