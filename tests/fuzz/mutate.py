"""One input out of the corpus and a random generator: the same generator state makes the same input.

Structure first (a value swapped for a hostile one, a key gone, a subtree from another seed, lines in
another order), then now and then plain bytes. Must know nothing of what is tested.
"""

import contextlib
import json
import pickle
from random import Random
from typing import Any

STRINGS = (
    "", " ", "\x00", "a\x00b", "\x1b]0;title\x07", "\x1b[2J\x1b[31m", "\x9b31m", "\x07", "\r", "\n", "\t", "\x7f",
    "\x85", "\u2028", "\u200b", "\u202eabc", "\ufeff", "\ufffe", "\U0010ffff", "\ud800", "x\udcff",
    "e\u0301\u0301\u0301",
    "漢字かな", "🤦🏽‍♂️", "\ufe0f", "#(touch owned)", "#{pane_id}", "#[fg=red]", "##", "#S", "#", "$(touch owned)",
    "`touch owned`", "${HOME}", "$HOME", "%{%F{red}", "%n", "%", "!!", "\\w", "\\u0000", "\\", "'", '"', "<b>&amp;</b>",
    "]]>", "<", "&", "| bash=/bin/sh", "|", "---", "--", "-x", ":bolt:", "; reboot", ";", "{cost_today}", "{?", "}}",
    "../../../etc/passwd", "/etc/passwd", "/dev/zero", "/proc/self/environ", "~root", "x" * 300, "é" * 300, "a/" * 3000,
    "x" * 20_000, "9" * 5000, "1e999", "nan", "null", "true", "__class__", "0", "-1", "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:59.999999+14:00", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-09-21T00:00:00",
    "2026-09-21T12:26:40.000Z", "claude-opus-4-6", "claude-" + "z" * 400, "us.anthropic.claude-opus-4-6-v1:0[1m]",
    "<synthetic>", "gpt-5.1-codex", "five_hour", "max_tokens", "working", "ended", "%0",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 7, 100, 101, 255, 256, 999, 1000, 65_535, 2**26 - 1, 2**26, 2**31 - 1, 2**31, 2**32, 2**53, 2**53 + 1,
    2**63 - 1, 2**63, 2**64, -(2**63), 10**30, 10**400, -(10**400), 0.0, -0.0, 0.1, 1e-320, 1e15, 1e16, 1e300, -1e300,
    1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), 1_790_000_000, 1_790_000_000_000,
    1_790_000_000.5, 4_102_444_800,
)  # fmt: skip
BYTES = (
    b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\\ud800", b"\\uD83D", b"\\u0000", b"\\u001b",
    b"\x1b[2J", b"\n", b"\r\n", b"\t", b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"[" * 1200, b'{"a":' * 1200,
    b"1e999", b"NaN", b"-Infinity", b"9" * 400, b"-", b"null", b"%00", b"%ZZ", b"=", b"aitop/1", b'"usage"',
    b'"tool_use_id"', b'"cost-state"', b'"type":"user"',
)  # fmt: skip
DEEP = "<deep>"  # stands for a value nested deeper than can be built here
LONGEST = 1 << 17  # bytes of one input: a large one tells no more, and takes the time of many


def hostile(random: Random) -> Any:
    """A value of any JSON type that somebody did not expect."""
    kind = random.randrange(10)
    if kind < 4:
        return random.choice(STRINGS)
    if kind < 7:
        return random.choice(NUMBERS)
    if kind == 7:
        return random.choice((None, True, False, [], {}, [[]], [None], {"": None}))
    if kind == 8:
        return [hostile(random) for _ in range(random.randrange(4))]
    return {random.choice(STRINGS): hostile(random) for _ in range(random.randrange(4))}


def mutated(value: Any, others: list[Any], random: Random, most: int = 4) -> Any:
    """A copy of a JSON value, changed in up to `most` places; `others` lend subtrees."""
    value = _copy(value)
    places = _places(value) if isinstance(value, dict | list) else []
    if not places:
        return hostile(random)
    for _ in range(random.randint(1, most)):
        with contextlib.suppress(KeyError, IndexError):  # an earlier change took the place away
            _change(random.choice(places), others, random)
    return value


def _copy(value: Any) -> Any:
    """Several times as fast as copying it object by object."""
    return pickle.loads(pickle.dumps(value))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything inside."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        inside = one.items() if isinstance(one, dict) else enumerate(one)
        for key, child in inside:
            found.append((one, key))
            if isinstance(child, dict | list):
                waiting.append(child)
    return found


def _change(place: tuple[Any, Any], others: list[Any], random: Random) -> None:
    container, key = place
    what = random.randrange(12)
    if what < 5:
        container[key] = hostile(random)
    elif what == 5:
        del container[key]
    elif what == 6:
        container[key] = _nested(container[key], random)
    elif what == 7:
        other = random.choice(others)
        places = _places(other) if isinstance(other, dict | list) else []
        if places:
            other, name = random.choice(places)
            container[key] = _copy(other[name])
    elif what == 8 and isinstance(container[key], str):
        container[key] = _spliced(container[key], random.choice(STRINGS), random)
    elif what == 9 and isinstance(container[key], int | float):
        container[key] = container[key] * random.choice((-1, 0, 2, 1000))
    elif what == 10 and isinstance(container, list):
        container.extend(_copy(container[key]) for _ in range(random.choice((1, 2, 50))))
    elif isinstance(container, dict):
        container[random.choice(STRINGS)] = hostile(random)


def _nested(value: Any, random: Random) -> Any:
    for _ in range(random.choice((1, 2, 30))):
        value = [value] if random.random() < 0.5 else {"a": value}
    return DEEP if random.random() < 0.2 else value


def _spliced(text: str, other: str, random: Random) -> str:
    at = random.randint(0, len(text))
    return text[:at] + other + text[at:]


def encoded(value: Any, random: Random) -> bytes:
    """JSON as one client or another writes it, half characters included."""
    separators = random.choice(((",", ":"), (", ", ": ")))
    text = json.dumps(value, ensure_ascii=random.random() < 0.5, separators=separators)
    if DEEP in text:
        depth = random.choice((100, 400, 900, 1000, 1020, 3000))
        opening, closing = random.choice((("[", "]"), ('{"a":', "}")))
        text = text.replace(f'"{DEEP}"', opening * depth + "1" + closing * depth)
    return text.encode("utf-8", "surrogatepass")[:LONGEST]


def battered(data: bytes, random: Random) -> bytes:
    """A few changes below the level of any format."""
    found = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(found))
        what = random.randrange(6)
        if what == 0 and found:
            found[at % len(found)] ^= 1 << random.randrange(8)
        elif what == 1:
            found[at:at] = random.choice(BYTES)
        elif what == 2:
            del found[at : at + random.choice((1, 2, 10, 1000))]
        elif what == 3:
            del found[at:]
        elif what == 4:
            found[at:at] = found[max(0, at - random.choice((1, 20, 400))) : at]
        elif found:
            found[at % len(found)] = random.randrange(256)
    return bytes(found[:LONGEST])


def document(seeds: list[Any], random: Random) -> bytes:
    """One JSON document."""
    seed = random.choice(seeds)
    data = encoded(mutated(seed, seeds, random), random)
    return battered(data, random) if random.random() < 0.25 else data


def lines(seeds: list[list[Any]], random: Random) -> bytes:
    """Some lines of JSON, each with its newline but now and then the last."""
    records = list(random.choice(seeds))
    everything = [record for seed in seeds for record in seed]
    for _ in range(random.randint(1, 3)):
        what = random.randrange(8)
        at = random.randrange(len(records)) if records else 0
        if not records or what == 0:
            records.insert(at, random.choice(everything))
        elif what == 1 and len(records) > 1:
            del records[at]
        elif what == 2:
            records.insert(random.randint(0, len(records)), records[at])
        elif what == 3:
            random.shuffle(records)
        else:
            records[at] = mutated(records[at], everything, random)
    data = b"".join(encoded(record, random) + b"\n" for record in records)[:LONGEST]
    return battered(data, random) if random.random() < 0.25 else data
