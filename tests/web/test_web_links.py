"""Every number is a link to the rows it was added from, and those rows add up to it."""

import time
from urllib.parse import urlsplit

import pytest
from support.lines import append, assistant, compact, result, transcript, use
from support.web_site import answers, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PLACE = {"cwd": "/work/shop", "gitBranch": "main"}
CONFIG = """
[budgets.day]
period = "day"
limit_usd = 50.0
[budgets.shop]
period = "month"
limit_usd = 50.0
project = "shop"
[budgets.each]
period = "session"
limit_usd = 50.0
"""
# Cells with a digit and no link. What is no sum has no rows: a moment, an age, a share of two sums shown beside it,
# the length of one call, a forecast and its miss.
BARE = """() => [...document.querySelectorAll('main td.n, main tfoot td, main .tile .value, main .gauges .line b')]
  .filter((cell) => /[0-9]/.test(cell.textContent) && !cell.querySelector('a') && !cell.closest('a'))
  .filter((cell) => !cell.matches('.quiet, .part, [data-key^="forecast "] *') && cell.textContent !== '0')
  .map((cell) => [cell.closest('table')?.caption?.textContent ?? '', cell.textContent])"""
NO_SUM = {
    "Sessions",
    "Newest tool calls",
    "Methods of the forecasts",
}  # the last column, ages; lengths; misses
PAGES = ("/now", "/history?since=7d&by=branch", "/session/claude-code/s1", "/limits", "/compare?kind=project")


@pytest.fixture
def world(listener, tmp_path):
    """Two folders, agents, tool calls, budgets."""
    claude, now = str(tmp_path / "user" / ".claude"), time.time()
    records = [*answers(6, now), compact(at=now - 100, session="s1") | PLACE]
    records.append(assistant("t", now - 50, request_id="t", session="s1", content=[use("toolu_9", "Bash")],
                             stop="tool_use", **PLACE))  # fmt: skip
    path = transcript(claude, records, session="s1")
    append(path, result("toolu_9", now - 48, session="s1", failed=True))
    transcript(claude, answers(2, now, "s1", "shop", "claude-haiku-4-5", mark="a",
               isSidechain=True, agentId="scout"), session="s1", agent="scout")  # fmt: skip
    transcript(claude, answers(4, now, "s2", "attic", "claude-haiku-4-5"), session="s2")
    config = tmp_path / "budgets.toml"
    config.write_text(CONFIG)
    listener.start(AITOP_CONFIG=str(config))
    listener.wait_for(lambda state: state["today"]["requests"] == 13 and state["tools"] and state["forecast"])
    return {"AITOP_CONFIG": str(config)}


@pytest.mark.parametrize("path", PAGES)
def test_no_sum_stands_without_its_link(site, browser, world, path):
    one = site(**world)
    page = browser(one.link)
    page.goto(one.base + path)
    page.wait_for_selector("main [aria-busy]", state="detached")
    page.wait_for_selector("main .tile, main table")
    assert [cell for cell in page.evaluate(BARE) if cell[0] not in NO_SUM] == []


def test_every_link_of_a_number_leads_to_rows_that_hold_it(site, browser, world):
    one = site(**world)
    page = browser(one.link)
    cookie = one.cookie()
    seen = set()
    for path in PAGES:
        page.goto(one.base + path)
        page.wait_for_selector("main [aria-busy]", state="detached")
        page.wait_for_selector("main .tile, main table")
        for href in page.evaluate(
            "() => [...document.querySelectorAll('main a[href^=\"/rows\"]')].map((a) => a.href)"
        ):
            seen.add(href)
    assert len(seen) > 20
    for href in seen:
        status, _, body = one.ask("/api/rows?" + urlsplit(href).query, cookie)
        assert status == 200, (href, body)


def test_a_budget_a_project_and_an_agent_lead_to_their_own_rows(site, browser, world):
    one = site(**world)
    page = browser(one.link)

    def shown():
        page.wait_for_selector(".rows:not([aria-busy]) .sumline")
        return page.locator(".sumline .money").inner_text(), page.locator(".rows tbody tr").count()

    page.goto(f"{one.base}/limits")
    budget = page.locator(".gauges li", has_text="shop")
    amount = budget.locator(".line a").inner_text()
    budget.locator(".line a").click()
    assert "budget=shop" in page.url
    spent, many = shown()
    assert (f"{float(spent.strip('$')):.2f}", many) == (amount.strip("$"), 9)
    page.goto(f"{one.base}/now")
    page.wait_for_selector("section:has(> h2:has-text('Projects')) li")
    page.locator("section:has(> h2:has-text('Projects')) li", has_text="attic").locator("b a").click()
    until(lambda: "named=attic" in page.url)
    assert shown()[1] == 4
    page.goto(f"{one.base}/session/claude-code/s1")
    page.wait_for_selector(".session:not([aria-busy])")
    page.locator("section:has(> h2:has-text('agents')) tbody tr", has_text="scout").locator("a").first.click()
    until(lambda: "agent=scout" in page.url)
    assert shown()[1] == 2
