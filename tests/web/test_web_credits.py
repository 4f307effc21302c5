"""Clients that are billed in credits: the pages show them as reports and state do, and sum them over nothing."""

import json
import os
import subprocess
import sys
import time

import pytest
from golden import states
from support import client_samples as made
from support.lines import START, stamp, transcript
from support.web_site import answers, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def report(*words):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "aitop", "report", *words, "--json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(value):
    """As the tables of the terminal write it."""
    return "" if value is None else f"{value:,.1f}"


def column(page, section):
    """What stands in the column of credits, a row each; None where the table has no such column."""
    table = page.locator(f"section:has(> h2:has-text('{section}')) table").first
    heads = table.locator("thead th").all_inner_texts()
    if "Credits" not in heads:
        return None
    return [
        row.locator("th, td").nth(heads.index("Credits")).inner_text()
        for row in table.locator("tbody tr").all()
    ]


@pytest.fixture
def worked(tmp_path, listener):
    """An hour of Kiro, which records credits, and of Claude Code, which is billed in none."""
    user = tmp_path / "user"
    now = time.time()
    document = made.kiro(*made.KIRO)
    text = json.dumps(document)
    for at in (0, 5, 9):
        text = text.replace(stamp(START + at)[:-1], stamp(now - 600 + at)[:-1])
    path = user / ".kiro" / "sessions" / "cli" / f"{made.KIRO_SESSION}.json"
    os.makedirs(path.parent)
    path.write_text(text)
    transcript(str(user / ".claude"), answers(4, now), session="s1")
    listener.start()
    return listener.wait_for(lambda state: state["scan"]["complete"] and len(state["sessions"]) == 2)


def test_credits_are_those_of_the_report_and_of_the_state(site, worked, browser):
    one = site()
    page = browser(one.link)
    rows = page.locator("[data-key=credits] tbody tr")
    assert until(lambda: rows.count() == 1)
    told = worked["by_provider"]["kiro"]["credits"]
    assert told["unit"] in rows.first.inner_text()
    assert rows.first.locator("td").all_inner_texts() == [
        write(told[key]) for key in ("today", "week", "month")
    ]
    for by, word in (("model", "models"), ("project", None), ("branch", None)):
        page.goto(f"{one.base}/history?by={by}&since=30d")
        page.wait_for_selector("section:has(> h2:has-text('Dearest')) table")
        wanted = [write(row["credits"]) for row in report(word, "--last", "30")] if word else None
        assert column(page, f"By {by}") == wanted
        assert column(page, "By day") is None  # a day has several clients
    page.goto(f"{one.base}/history?by=provider&since=30d")
    page.wait_for_selector("section:has(> h2:has-text('Dearest')) table")
    by_client = {}
    for row in report("models", "--last", "30"):
        by_client.setdefault(row["provider"], []).append(row["credits"])
    assert sorted(column(page, "By client")) == sorted(
        write(None if None in parts else sum(parts)) for parts in by_client.values()
    )
    sessions = {row["session"]: write(row["credits"]) for row in report("sessions", "--last", "30")}
    assert sorted(column(page, "Dearest")) == sorted(sessions.values()) == ["", "1.8"]
    totals = page.locator("section:has(> h2:has-text('By client')) tfoot")
    assert "1.8" not in totals.inner_text()
    page.goto(f"{one.base}/session/kiro/{made.KIRO_SESSION}")
    tile = page.locator(".tile", has=page.locator(".label:text-is('Credits')"))
    assert tile.locator(".value").inner_text() == sessions[made.KIRO_SESSION]
    page.goto(f"{one.base}/session/claude-code/s1")
    page.wait_for_selector(".session:not([aria-busy]) .tile")
    assert tile.count() == 0


def test_without_credits_no_page_names_them(site, live, browser):
    state = states.api()
    empty = {"unit": "Kiro credits", "per_usd": None, "today": None, "week": 0.0, "month": None}
    state["by_provider"] = {"claude-code": {"credits": None}, "kiro": {"credits": empty}}
    live(state)
    page = browser(site().link)
    page.wait_for_selector("section:has(> h2:has-text('Windows'))")
    assert page.locator("[data-key=credits]").count() == 0
    used = {**empty, "month": 2.25}
    live(state | {"by_provider": {"kiro": {"credits": used}}})
    row = page.locator("[data-key=credits] tbody tr")
    assert until(lambda: row.count() == 1)
    assert row.locator("td").all_inner_texts() == ["-", "0.0", write(2.25)]  # unknown is not 0
