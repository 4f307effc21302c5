"""Faults are counted: how many were injected, how many were survived, and what was lost.

`python -m tests.faults` adds the counts up in a table. A test that needs root or another program says so
where it cannot run, and fails instead with CI=true, as everywhere.
"""

import contextlib
import json
import os

import pytest
from conftest import Running

LONG = os.environ.get("AITOP_PROVE") == "long"


class Tally:
    """The counts of one test."""

    def __init__(self):
        self.injected = self.survived = self.lost = 0

    @contextlib.contextmanager
    def fault(self, many=1):
        """One fault, or several at once; survived when the block ends well."""
        self.injected += many
        yield
        self.survived += many

    def same(self, found, wanted, where=""):
        """What is there must be what a clean count gives."""
        if found != wanted:
            self.lost += 1
            wrong = {key: (found.get(key), wanted.get(key)) for key in {*found, *wanted}}
            pytest.fail(f"{where} found, wanted: {[i for i in wrong.items() if i[1][0] != i[1][1]][:5]}")


@pytest.fixture
def tally(request):
    one = Tally()
    yield one
    counts = os.environ.get("AITOP_PROVE_COUNTS")
    if counts:
        fault = request.node.path.stem.removeprefix("test_").replace("_", " ")
        line = json.dumps([fault, one.injected, one.survived, one.lost]) + "\n"
        with open(counts, "a", encoding="utf-8") as file:  # one write: tests run side by side
            file.write(line)


@pytest.fixture
def claude(tmp_path):
    """The folder that Claude Code would use: `~/.claude`."""
    return str(tmp_path / "user" / ".claude")


@pytest.fixture
def one_home(home, monkeypatch):
    """`home`, as every command of this process sees it, at noon."""
    return home


__all__ = ["LONG", "Running"]
