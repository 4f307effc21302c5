"""The live line that ends `aitop setup`: what the displays show once the first reading is done."""

import json
import os
import time

import pytest

from aitop.install import setup


@pytest.fixture
def publish(tmp_path, monkeypatch):
    monkeypatch.setenv("AITOP_HOME", str(tmp_path))
    (tmp_path / "segments").mkdir()

    def write(text, *, complete):
        state = {"written_at": time.time(), "scan": {"complete": complete}}
        (tmp_path / "state.json").write_text(json.dumps(state))
        segment = tmp_path / "segments" / "plain"
        segment.write_text(f"1 0 {text}\n")
        os.utime(segment, (time.time(), time.time() + 10))

    return write


@pytest.fixture
def looks(monkeypatch):
    """What happens between one look and the next, instead of a tenth of a second; the rest of it is no event."""
    steps = []
    monkeypatch.setattr(setup.time, "sleep", lambda seconds: steps.pop(0)() if steps else None)
    return steps


def test_the_live_line_waits_until_the_first_reading_is_done(publish, looks):
    publish("≥$0.00", complete=False)
    looks += [
        lambda: publish("≥$0.10", complete=False),
        lambda: publish("≥$0.30", complete=True),  # its segment follows the state
        lambda: publish("$0.30", complete=True),
    ]
    assert setup._live_line() == "$0.30"


def test_a_long_first_reading_shows_its_lower_bound(publish, looks, monkeypatch):
    monkeypatch.setattr(setup, "FIRST_READING", 0.0)
    publish("≥$0.10", complete=False)
    assert setup._live_line() == "≥$0.10"


def test_a_listener_that_publishes_nothing_has_no_live_line(publish, looks, monkeypatch):
    monkeypatch.setattr(setup, "PATIENCE", 0.01)
    assert setup._live_line() == ""
