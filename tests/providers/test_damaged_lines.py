"""Damage between whole records costs none of them, for every client with a corpus of lines.

The records are those that the fuzzer mutates: a real one of each kind, texts made up.
"""

import os
import sys

import pytest
from conftest import ROOT
from support.desk import Desk

from aitop.providers.load import load

sys.path.insert(0, os.path.join(ROOT, "tests"))
from fuzz import corpus

THREAD = "01990000-aaaa-7000-8000-000000000001"
FILES = {
    "claude-code": "projects/-shop/11111111-2222-4333-8444-555555555555.jsonl",
    "codex": f"sessions/2026/09/21/rollout-2026-09-21T12-00-00-{THREAD}.jsonl",
    "copilot": "session-state/983c1524-b9f7-40a9-930c-000000000001/events.jsonl",
    "gemini": "tmp/shop/chats/session-2026-09-21T12-00-00000001.jsonl",
    "qwen": "projects/shop/chats/85c0792e-f721-41e7-bef5-000000000001.jsonl",
    "openai": "openai/2026-09-21.jsonl",
    "pi": "sessions/--shop--/2026-09-21T14-13-20-000Z_01a22592-abea-722d-828d-ec3536626904.jsonl",
    "kimi": "sessions/wd_shop_1c89ce7306c3/session_1/agents/main/wire.jsonl",
    "grok": "sessions/%2Fwork%2Fshop/01a22595-bdb5-7ec0-be4e-000000000001/updates.jsonl",
}
DAMAGES = {
    "a cut-off record in front of each": lambda lines: [line[: len(line) // 3] + line for line in lines],
    "a cut-off record behind each": lambda lines: [line + line[: len(line) // 2] for line in lines],
    "zeros in front of each": lambda lines: [b"\0" * 512 + line for line in lines],
    "zeros behind each": lambda lines: [line + b"\0" * 4096 for line in lines],
    "a byte order mark": lambda lines: [b"\xef\xbb\xbf" + lines[0], *lines[1:]],
    "two records on each line": lambda lines: [b"".join(lines[n : n + 2]) for n in range(0, len(lines), 2)],
    "all records on one line": lambda lines: [b"".join(lines)],
    "lines of no JSON between": lambda lines: [part for line in lines for part in (b"no json", line)],
    "line ends of Windows": lambda lines: [line + b"\r" for line in lines],
}  # fmt: skip
CLIENTS = pytest.mark.parametrize("name", list(FILES))


CORPUS_OF = {"openai": "gateway"}  # where the folder has another name


def test_every_client_with_a_corpus_of_lines_is_damaged_here():
    folders = {
        entry.name
        for entry in os.scandir(corpus.FOLDER)
        if entry.is_dir() and any(file.endswith(".jsonl") for file in os.listdir(entry.path))
    }
    assert folders - {CORPUS_OF.get(name, name) for name in FILES} == set(), (
        "needs the path of its file in `FILES` of tests/providers/test_damaged_lines.py"
    )


def provider(name):
    return next(one._provider for one in load()[0] if one.name == name)  # noqa: SLF001 - without its guard


def lines_of(name):
    """Every record of the client's sound seeds, one after the other."""
    folder = CORPUS_OF.get(name, name)
    seeds = [
        os.path.join(corpus.FOLDER, folder, file)
        for file in sorted(os.listdir(os.path.join(corpus.FOLDER, folder)))
        if file.endswith(".jsonl") and not file.startswith(("broke-", "damaged", "half"))
    ]
    assert seeds, f"no .jsonl seed in tests/fuzz/corpus/{folder}"
    runs = []
    for seed in seeds:
        with open(seed, "rb") as file:
            runs.append([line for line in file.read().splitlines() if line.strip()])
    return runs


def counted(folder, name, data, *, rested=True):
    """What a history holds that read this file: sums and tool calls by session."""
    path = os.path.join(folder, FILES[name])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    if rested:
        os.utime(path, (1_795_000_000, 1_795_000_000))
    found = Desk(provider(name), os.path.join(folder, FILES[name].partition("/")[0])).read(1_795_000_100.0)
    return found.totals(), found.tools()


def text(lines):
    return b"".join(line + b"\n" for line in lines)


@CLIENTS
@pytest.mark.parametrize("damage", list(DAMAGES))
def test_no_record_is_lost_or_counted_twice(tmp_path, name, damage):
    for number, lines in enumerate(lines_of(name)):
        whole = counted(tmp_path / f"{number}-whole", name, text(lines))
        assert counted(tmp_path / f"{number}-damaged", name, text(DAMAGES[damage](lines))) == whole


@CLIENTS
def test_the_seeds_hold_something_to_lose(tmp_path, name):
    totals, _ = counted(tmp_path, name, text(lines_of(name)[0]))
    assert sum(total.requests for total in totals.values()) > 0


@CLIENTS
def test_a_last_line_without_its_newline_counts_at_rest_and_once_with_it(tmp_path, name):
    for number, lines in enumerate(lines_of(name)):
        folder = tmp_path / str(number)
        whole = counted(folder / "whole", name, text(lines))
        assert counted(folder / "cut", name, text(lines)[:-1]) == whole
        path = folder / "grown" / FILES[name]
        os.makedirs(path.parent)
        path.write_bytes(text(lines)[:-1])
        os.utime(path, (1_795_000_000, 1_795_000_000))
        desk = Desk(provider(name), folder / "grown" / FILES[name].partition("/")[0]).read(1_795_000_100.0)
        with open(path, "ab") as file:
            file.write(b"\n")
        os.utime(path, (1_795_000_200, 1_795_000_200))
        desk.read(1_795_000_300.0)
        assert (desk.totals(), desk.tools()) == whole


@CLIENTS
def test_a_cut_off_last_line_counts_nothing_and_takes_nothing_along(tmp_path, name):
    for number, lines in enumerate(lines_of(name)):
        folder = tmp_path / str(number)
        before = counted(folder / "before", name, text(lines[:-1]))
        for cut in (1, len(lines[-1]) // 2, len(lines[-1]) - 1):
            torn = text(lines[:-1]) + lines[-1][:cut]
            assert counted(folder / f"cut{cut}", name, torn) == before
