"""Every number of *Now* and *History* is that of `top --once --json` and `report --json` in the same second."""

import json
import subprocess
import sys
import time

import pytest
from support.lines import append, assistant, result, transcript, use
from support.web_site import answers, until

from aitop.segments import humanize
from aitop.segments.money import Currency
from aitop.segments.money import text as amount

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MODELS = ("claude-opus-4-6", "claude-haiku-4-5", "claude-sonnet-4-5-20250929")
WRITERS = {
    "requests": humanize.count, "requests_per_minute": humanize.rate, "errors": humanize.count,
    "error_rate": humanize.share, "input_tokens": humanize.count, "output_tokens": humanize.count,
    "tokens_per_minute": humanize.count, "cache_read_tokens": humanize.count, "cache_write_tokens": humanize.count,
    "cache_hit_rate": humanize.share, "tool_calls": humanize.count, "tool_failures": humanize.count,
    "duration_p50_ms": humanize.took, "duration_p95_ms": humanize.took, "ttft_p50_ms": humanize.took,
    "output_tokens_per_second_p50": humanize.rate,
}  # fmt: skip
LABELS = {
    "Requests": "requests", "Requests a minute": "requests_per_minute", "Errors": "errors", "Error rate": "error_rate",
    "Input": "input_tokens", "Output": "output_tokens", "Tokens a minute": "tokens_per_minute",
    "Cache read": "cache_read_tokens", "Cache write": "cache_write_tokens", "Cache hits": "cache_hit_rate",
    "Spent": "spent_usd", "Spent an hour": "spent_usd_per_hour", "Tool calls": "tool_calls",
    "Failed tools": "tool_failures", "Latency, median": "duration_p50_ms", "Latency, slowest 5%": "duration_p95_ms",
    "First token, median": "ttft_p50_ms", "Tokens a second": "output_tokens_per_second_p50",
}  # fmt: skip
CELLS = "(rows) => rows.map((row) => [...row.children].map((cell) => cell.innerText.trim()))"


def aitop(*words):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "aitop", *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(usd, counts=None):
    return amount(usd, Currency(), counts or {})


def fill(root, many, now):
    """So many sessions of three models in four folders, over twenty days, the first at work just now."""
    for number in range(many):
        at = now - number * 20 * 86_400 / max(1, many) - 3
        name, folder, model = f"s{number:02}", f"p{number % 4}", MODELS[number % 3]
        path = transcript(root, answers(2 + number % 3, at, name, folder, model, step=20.0), session=name)
        place = {"cwd": f"/work/{folder}", "gitBranch": f"b{number % 2}", "session": name}
        append(path, assistant(f"t{name}", at, request_id=f"t{name}", model=model, stop="tool_use",
                               content=[use(f"toolu_{name}", "Bash")], **place))  # fmt: skip
        append(path, result(f"toolu_{name}", at + 1, session=name, failed=number % 5 == 0))


@pytest.mark.parametrize("many", [0, 1, 50])
def test_every_number_of_now_is_the_one_of_top(site, listener, live, browser, tmp_path, many):
    fill(str(tmp_path / "user" / ".claude"), many, time.time())
    listener.start()
    listener.wait_for(lambda state: state["scan"]["complete"] and len(state["sessions"]) == many)
    state = listener.state()
    listener.end()
    live(state)  # the same second for both
    told = aitop("top", "--once", "--json")
    state, rows = told["state"], {row["metric"]: row for row in told["rows"]}
    page = browser(site().link)
    page.wait_for_selector(".tiles")
    if page.locator(".fold").count():
        page.locator(".fold").click()
    until(lambda: page.locator("section:has(> h2:has-text('Sessions')) tbody tr").count() == many)

    def tile(label):
        found = page.locator(".tile", has=page.locator(f".label:text-is('{label}')"))
        return found.locator(".value").inner_text(), found.locator(".note").inner_text()

    def cells(section):
        return page.locator(f"section:has(> h2:has-text('{section}')) tbody tr").evaluate_all(CELLS)

    for label, period in (("Today", "today"), ("This week", "week"), ("This month", "month")):
        sums = state[period]
        assert tile(label) == (write(sums["spent_usd"], sums), f"{humanize.count(sums['requests'])} requests")
    assert tile("An hour, at this rate")[0] == write(state["burn"]["usd_per_hour"])
    shown = {row[0]: row[1:] for row in cells("Windows")}
    for label, metric in LABELS.items():
        for at, window in enumerate(("1m", "5m", "15m")):
            sums = state["windows"][window]
            value = rows.get(metric, {}).get(window, sums.get(metric))
            if metric == "spent_usd":
                wanted = humanize.exact_money(value)
            elif metric == "spent_usd_per_hour":
                wanted = write(value, sums)
            else:
                wanted = WRITERS[metric](value)
            if label in shown:
                assert shown[label][at] == wanted, (label, window)
            else:
                assert value is None, label
    sessions = {one["id"]: one for one in state["sessions"]}
    keys = page.locator("section:has(> h2:has-text('Sessions')) tbody tr").evaluate_all(
        "(rows) => rows.map((row) => row.dataset.key.split(' ')[1])"
    )
    assert sorted(keys) == sorted(sessions)
    for key, row in zip(keys, cells("Sessions") if many else (), strict=True):
        one = sessions[key]
        wanted = [humanize.exact_money(one["spent_usd"]), *(humanize.count(one[name]) for name in (
            "requests", "input_tokens", "output_tokens")), humanize.percent(one["context_percent"]),
            humanize.count(one["tool_calls"]), humanize.count(one["errors"])]  # fmt: skip
        assert row[2:9] == wanted
    for row in cells("Tools today") if state["tools"] else ():
        one = state["tools"][row[0]]
        assert [row[1], row[3], row[4], row[5]] == [
            humanize.count(one["calls"]), humanize.count(one["failures"]), humanize.took(one["p50_ms"]),
            humanize.took(one["p95_ms"]),
        ]  # fmt: skip
    listed = page.locator("section:has(> h2:has-text('Projects today')) li")
    assert [row.locator("b").inner_text() for row in listed.all()] == [
        write(one["spent_usd"], one) for one in state["projects_today"][:8]
    ]
    hour = sum(state["sparklines"].get("spent_usd", state["sparklines"]["cost_usd"]))
    assert page.locator("figure figcaption a").first.inner_text() == write(hour)


GROUPS = {"model": "models", "project": "projects", "branch": "branches"}
PERIODS = {"day": "daily", "week": "weekly", "month": "monthly"}
FIGURES = ("requests", "input_tokens", "cache_write_tokens", "cache_read_tokens", "output_tokens")


@pytest.mark.parametrize("many", [0, 1, 50])
def test_every_number_of_history_is_the_one_of_report(site, listener, browser, tmp_path, many):
    fill(str(tmp_path / "user" / ".claude"), many, time.time())
    listener.start()
    listener.wait_for(lambda state: state["scan"]["complete"] and len(state["sessions"]) == many)
    one = site()
    page = browser(one.link)

    def figures(row):
        return [humanize.count(row[name]) for name in FIGURES] + [write(row["spent_usd"], row)]

    def table(section):
        return page.locator(f"section:has(> h2:has-text('{section}')) tbody tr").evaluate_all(CELLS)

    def show(path):
        page.goto(f"{one.base}/history?since=30d&{path}")
        page.wait_for_selector(".history:not([aria-busy])")
        page.wait_for_selector(".history section:has(> h2:has-text('Dearest'))")

    for by, word in GROUPS.items():
        show(f"by={by}")
        rows = aitop("report", word, "--json", "--last", "30")
        assert [row[1:7] for row in table("By " + by)] == [figures(row) for row in rows]
    for unit, word in PERIODS.items():
        show(f"unit={unit}")
        rows = [row for row in aitop("report", word, "--json", "--last", "30") if row["requests"]]
        assert [row[1:7] for row in table("By " + unit)] == [figures(row) for row in reversed(rows)]
    days = aitop("report", "daily", "--json", "--last", "30")
    totals = {
        name: sum(row[name] for row in days)
        for name in (*FIGURES, "spent_usd", "tool_calls", "tool_failures")
    }
    if not many:
        assert page.locator(".empty:has-text('holds nothing')").count() == 1
        return
    shown = {row[0].lower(): row[1] for row in page.locator(".tile").evaluate_all(CELLS)}
    assert shown == {
        "spent": write(totals["spent_usd"]), "requests": f"{totals['requests']:,}",
        "input": humanize.count(totals["input_tokens"]), "output": humanize.count(totals["output_tokens"]),
        "tool calls": f"{totals['tool_calls']:,}",
    }  # fmt: skip
    heat = dict(
        page.locator(".calendar a").evaluate_all(
            "(days) => days.map((day) => [day.dataset.day, day.getAttribute('aria-label')])"
        )
    )
    for row in days:
        assert write(row["spent_usd"], row) in heat[row["day"]]
    sessions = aitop("report", "sessions", "--json", "--last", "30")
    ours = {row["session"]: figures(row) for row in sessions}
    links = page.locator("section:has(> h2:has-text('Dearest')) tbody tr th a").evaluate_all(
        "(links) => links.map((link) => link.getAttribute('href').split('/').pop())"
    )
    for name, row in zip(links, table("Dearest"), strict=True):
        assert row[3:9] == ours[name]
    assert len(links) == min(50, len(ours)) == many
