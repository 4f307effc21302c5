"""What a transcript says of its context besides the usage: which skill a call ran, which tools a search brought in.

Nothing of this is kept: a report asks for it and shows names and sizes. Pure: bytes in, names and lengths out.
"""

from collections.abc import Iterator
from typing import NamedTuple

from aitop.model.json_types import JsonObject
from aitop.providers.lenient import epoch, loads, rows, table, text

SKILL = "Skill"  # the tool that runs one
_SKILL = b'"name":"Skill"'
_LOADED = b'"tool_reference"'
_INSTRUCTIONS = b'"mcp_instructions_delta"'


class Instructions(NamedTuple):
    """An MCP server's text in the context: epoch seconds, the server's name, characters."""

    at: float
    server: str
    characters: int


class ContextRecords(NamedTuple):
    """`skills`: id of a tool call → the skill it ran. `loaded`: id of a search for tools → the tools it brought in."""

    skills: dict[str, str]
    loaded: dict[str, tuple[str, ...]]
    instructions: list[Instructions]


def read(data: bytes) -> ContextRecords:
    """Of whole lines or of a part of a file: a line that is cut off is left out."""
    found = ContextRecords({}, {}, [])
    for record in _records(data, (_SKILL, _LOADED, _INSTRUCTIONS)):
        attachment = table(record.get("attachment"))
        if attachment.get("type") == "mcp_instructions_delta":
            found.instructions.extend(_instructions(record, attachment))
        for block in map(table, rows(table(record.get("message")).get("content"))):
            _take(block, found)
    return found


def _take(block: JsonObject, found: ContextRecords) -> None:
    """A block of a message: the call of a skill, or what a search for tools brought in."""
    if block.get("type") == "tool_use" and block.get("name") == SKILL:
        call, skill = text(block.get("id")), text(table(block.get("input")).get("skill"))
        if call and skill:
            found.skills[call] = skill
    elif block.get("type") == "tool_result":
        call = text(block.get("tool_use_id"))
        names = [text(table(part).get("tool_name")) for part in rows(block.get("content"))]
        loaded = tuple(name for name in names if name)
        if call and loaded:
            found.loaded[call] = loaded


def _records(data: bytes, marks: tuple[bytes, ...]) -> Iterator[JsonObject]:
    """The records of the lines that hold one of some marks, each once and in order."""
    starts = set()
    for mark in marks:
        at = data.find(mark)
        while at >= 0:
            starts.add(data.rfind(b"\n", 0, at) + 1)
            end = data.find(b"\n", at)
            at = data.find(mark, end) if end >= 0 else -1
    for start in sorted(starts):
        end = data.find(b"\n", start)
        record = loads(data[start : end if end >= 0 else len(data)])
        if isinstance(record, dict):
            yield record


def _instructions(record: JsonObject, attachment: JsonObject) -> Iterator[Instructions]:
    at = epoch(record.get("timestamp"))
    names, blocks = rows(attachment.get("addedNames")), rows(attachment.get("addedBlocks"))
    for name, block in zip(names, blocks, strict=False):
        server = text(name)
        if at is not None and server and isinstance(block, str):
            yield Instructions(at, server, len(block))
