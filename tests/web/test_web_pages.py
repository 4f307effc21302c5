"""The pages in a real browser: their numbers are the published ones, and they follow them."""

import json
import subprocess
import sys
import time

import pytest
from golden import states
from support.lines import append, assistant, compact, result, transcript, usage, use
from support.web_site import answers, until

from aitop.live.alerts import Alert
from aitop.publish import alert_journal
from aitop.publish.alert_journal import AlertJournal
from aitop.segments import humanize

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

FORMAT = "import('/static/js/format.js')"


def aitop(*words):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "aitop", *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(text, money):
    """As the pages write an amount."""
    from aitop.segments.money import Currency
    from aitop.segments.money import text as write_

    return write_(text, Currency(), money)


@pytest.fixture
def claude(tmp_path):
    return str(tmp_path / "user" / ".claude")


PLACE = {"cwd": "/work/shop", "gitBranch": "main"}  # as every record of the client has it
METRICS = {
    "Requests": "requests", "Input": "input_tokens", "Output": "output_tokens", "Cache read": "cache_read_tokens",
    "Tool calls": "tool_calls", "Errors": "errors",
}  # fmt: skip


def test_the_numbers_of_now_are_those_that_top_prints(site, listener, claude, browser):
    now = time.time()
    transcript(claude, answers(7, now), session="s1")
    transcript(claude, answers(3, now, "s2", "attic", "claude-haiku-4-5"), session="s2")
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 10)
    page = browser(site().link)
    page.wait_for_selector("tr.is-working, tr.is-idle")
    rows = page.locator("section:has(> h2:has-text('Windows')) tbody tr")
    told = aitop("top", "--once", "--json")
    shown = {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows.all()}
    for label, metric in METRICS.items():
        (wanted,) = (row for row in told["rows"] if row["metric"] == metric)
        known = page.evaluate(f"(v) => {FORMAT}.then(f => v.map(f.count))", [wanted["15m"]])
        assert shown[label][2] == known[0]
    today = told["state"]["today"]
    tile = page.locator(".tile", has_text="Today").first
    assert tile.locator(".value").inner_text() == write(today["spent_usd"], today)
    assert tile.locator(".note").inner_text() == f"{today['requests']} requests"
    listed = page.locator("section:has(> h2:has-text('Sessions')) tbody tr")
    sessions = {one["project"]: one for one in told["state"]["sessions"]}
    assert listed.count() == len(sessions) == 2
    for row in listed.all():
        one = sessions[row.locator("th a").first.inner_text()]
        cells = row.locator("td").all_inner_texts()
        assert cells[1] == f"${one['spent_usd']:,.4f}"
        assert cells[2] == str(one["requests"])


def streams(page):
    """The documents, streams and answers that a page has asked for."""
    return [url for url in page.asked if url.endswith(("/now", "/events")) or "/api/" in url]


def test_a_new_record_is_on_the_page_without_a_reload(site, listener, claude, browser):
    now = time.time()
    path = transcript(claude, answers(3, now), session="s1")
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 3)
    page = browser(site().link)
    note = page.locator(".tile", has_text="Today").first.locator(".note")
    until(lambda: note.inner_text() == "3 requests")
    loads = streams(page)
    append(path, *answers(1, time.time(), "new"))
    assert until(lambda: note.inner_text() == "4 requests", 15)
    assert streams(page) == loads  # it came by the stream that was open


def test_a_number_leads_to_the_rows_it_was_added_from(site, listener, claude, browser):
    now = time.time()
    transcript(claude, [*answers(7, now), *answers(1, now - 5, "s1x", stop=None)], session="s1")
    transcript(claude, answers(130, now, "s2", "attic", "claude-haiku-4-5", step=10), session="s2")
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 138)
    page = browser(site().link)
    page.locator(".tile", has_text="Today").first.locator(".value a").click()
    page.wait_for_selector(".rows tbody tr")
    assert page.url.endswith("/rows?since=today")
    assert page.locator(".choices [aria-current]").inner_text().split() == ["Responses", "138"]
    assert page.locator(".rows tbody tr").count() == 100
    page.locator(".pager a", has_text="Older").click()
    until(lambda: page.locator(".rows tbody tr").count() == 38)
    page.go_back()
    page.go_back()
    row = page.locator("tbody tr", has_text="attic").first
    row.locator("td").nth(2).locator("a").click()
    until(lambda: "session=s2" in page.url)
    until(lambda: page.locator(".choices [aria-current]").inner_text().split() == ["Responses", "130"])


def test_the_numbers_of_history_are_those_of_the_report(site, listener, claude, browser):
    now = time.time()
    for number in range(4):
        at = now - number * 86_400
        transcript(
            claude,
            answers(5 + number, at, f"d{number}", f"p{number % 2}", "claude-opus-4-6"),
            session=f"d{number}",
        )
    listener.start()
    listener.wait_for(lambda state: state["scan"]["complete"] and state["today"]["requests"] >= 5)
    one = site()
    page = browser(one.link)
    for by, word in (("project", "projects"), ("model", "models"), ("branch", "branches")):
        page.goto(f"{one.base}/history?by={by}&since=30d")
        page.wait_for_selector(".history:not([aria-busy]) table")
        rows = aitop("report", word, "--json", "--last", "30")
        table = page.locator("section:has(> h2:has-text('By ')) table").first
        assert table.locator("tbody tr").count() == len(rows)
        for row, shown in zip(rows, table.locator("tbody tr").all(), strict=True):
            cells = shown.locator("td").all_inner_texts()
            assert cells[0] == str(row["requests"])
            assert cells[5] == write(row["spent_usd"], row)
    days = aitop("report", "daily", "--json", "--last", "30")
    table = page.locator("section:has(> h2:has-text('By day')) table").first
    assert table.locator("tbody th").all_inner_texts() == [row["day"] for row in reversed(days)]
    total = page.locator(".tile", has_text="Spent").first.locator(".value").inner_text()
    assert total == write(sum(row["spent_usd"] for row in days), days[0])


def test_a_span_is_picked_from_the_heat_map_and_everything_follows(site, listener, claude, browser):
    now = time.time()
    for number in range(3):
        transcript(claude, answers(4, now - number * 86_400, f"d{number}"), session=f"d{number}")
    listener.start()
    listener.wait_for(lambda state: state["scan"]["complete"] and state["today"]["requests"] >= 4)
    one = site()
    page = browser(one.link)
    page.goto(f"{one.base}/history")
    page.wait_for_selector(".history:not([aria-busy]) .calendar")
    yesterday = time.strftime("%Y-%m-%d", time.localtime(now - 86_400))
    page.locator(f".calendar a[data-day='{yesterday}']").click()
    until(lambda: f"since={yesterday}" in page.url)
    page.wait_for_selector(".history:not([aria-busy]) .tile")
    until(lambda: page.locator(".tile", has_text="Requests").locator(".value").inner_text() == "4")
    page.keyboard.press("Tab")
    page.locator(f".calendar a[data-day='{yesterday}']").focus()
    page.keyboard.press(
        "ArrowUp"
        if page.evaluate("document.activeElement.previousElementSibling?.dataset.day")
        else "ArrowDown"
    )
    assert page.evaluate("document.activeElement.dataset.day") != yesterday
    first = page.locator(f".calendar a[data-day='{yesterday}']").bounding_box()
    today = time.strftime("%Y-%m-%d", time.localtime(now))
    last = page.locator(f".calendar a[data-day='{today}']").bounding_box()
    page.mouse.move(first["x"] + 4, first["y"] + 4)
    page.mouse.down()
    page.mouse.move(last["x"] + 4, last["y"] + 4, steps=4)
    page.mouse.up()
    until(lambda: f"since={yesterday}" in page.url and f"until={today}" in page.url)
    until(lambda: page.locator(".tile", has_text="Requests").first.locator(".value").inner_text() == "8")


def test_a_session_shows_its_turns_context_tools_and_agents(site, listener, claude, browser):
    now = time.time()
    records = [*answers(6, now), compact(at=now - 100, session="s1") | PLACE]
    records.append(
        assistant(
            "t",
            now - 50,
            request_id="t",
            session="s1",
            content=[use("toolu_9", "Bash")],
            cwd="/work/shop",
            stop="tool_use",
        )
    )
    records.append(result("toolu_9", now - 48, session="s1", failed=True))
    transcript(claude, records, session="s1")
    transcript(
        claude,
        answers(2, now, "s1", "shop", "claude-haiku-4-5", isSidechain=True, agentId="scout"),
        session="s1",
        agent="scout",
    )
    listener.start()
    listener.wait_for(lambda state: any(one["requests"] >= 7 for one in state["sessions"]))
    one = site()
    page = browser(one.link)
    page.wait_for_selector("tbody tr")
    page.locator("section:has(> h2:has-text('Sessions')) tbody th a").first.click()
    page.wait_for_selector(".session:not([aria-busy]) .u-wrap")
    assert page.url == f"{one.base}/session/claude-code/s1"
    assert "1 compaction" in page.locator("figure", has_text="Context").inner_text()
    tools = page.locator("section", has_text="Tools").first.locator("tbody tr").first.inner_text().split()
    assert tools[:3] == ["Bash", "1", "1"]
    page.reload()
    page.wait_for_selector(".session:not([aria-busy]) .u-wrap")


def test_when_the_listener_dies_the_page_says_how_old_its_numbers_are_and_recovers(
    site, listener, claude, browser
):
    transcript(claude, answers(3, time.time()), session="s1")
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 3)
    page = browser(site().link)
    page.wait_for_selector(".condition.live")
    listener.end(9)
    page.wait_for_selector(".stale")
    assert "seconds old" not in page.locator(".stale").inner_text()
    assert "old: the listener has stopped" in page.locator(".stale").inner_text()
    first = page.locator(".condition").inner_text()
    assert until(lambda: page.locator(".condition").inner_text() != first)  # it goes on counting
    listener.start()
    page.wait_for_selector(".condition.live")
    assert page.locator(".stale").count() == 0


SEEN = """(how) => {
  Object.defineProperty(document, 'visibilityState', { value: how, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def test_a_tab_that_cannot_be_seen_gives_its_connection_up_and_comes_back_to_the_present(site, live, browser):
    """A browser opens six connections to a server: seven tabs would wait for each other."""
    live(states.api())
    page = browser(site().link)
    page.wait_for_selector(".condition.live")
    page.evaluate(SEEN, "hidden")
    live(states.api() | {"active_sessions": 7})
    note = page.locator("h2", has_text="Sessions")
    page.wait_for_timeout(1500)  # it would have come by now
    assert "7 active" not in note.inner_text()
    page.evaluate(SEEN, "visible")
    assert until(lambda: "7 active" in note.inner_text())
    page.wait_for_selector(".condition.live")
    assert len([url for url in page.asked if url.endswith("/events")]) == 2


def test_when_the_server_ends_the_page_says_so_and_recovers(site, live, browser):
    live(states.api())
    one = site()
    page = browser(one.link)
    page.expects = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE")
    page.wait_for_selector(".condition.live")
    one.end()
    page.wait_for_selector(".stale:has-text('aitop web')")
    again = site("--port", str(one.port))
    assert again.port == one.port
    page.wait_for_selector(".condition.live")


@pytest.mark.parametrize("many", [0, 1, 50])
def test_any_number_of_sessions_is_shown(site, live, browser, many):
    state = states.api()
    state["sessions"] = [
        states.session(number, project=f"p{number}", last_activity_at=time.time() - number)
        for number in range(many)
    ]
    state["active_sessions"] = many
    live(state)
    page = browser(site().link)
    if many:
        page.wait_for_selector("section:has(> h2:has-text('Sessions')) tbody tr")
        assert page.locator("section:has(> h2:has-text('Sessions')) tbody tr").count() == many
    else:
        page.wait_for_selector("text=No session is known")
    assert f"{many} active" in page.locator("h2", has_text="Sessions").inner_text()


def test_a_session_that_waits_is_marked_and_stands_first(site, live, browser):
    state = states.api()
    state["sessions"] = [
        states.session(1, project="busy"),
        states.session(2, project="waits", status="waiting", last_activity_at=1.0),
    ]
    state["waiting_sessions"] = 1
    live(state)
    page = browser(site().link)
    page.wait_for_selector("tr.is-waiting")
    rows = page.locator("section:has(> h2:has-text('Sessions')) tbody th a").all_inner_texts()
    assert rows[0] == "waits"
    assert page.locator(".badge").inner_text() == "1"


HOSTILE = [
    "<script>alert(1)</script>", '" onload="alert(1)', "<img src=x onerror=alert(1)>", "javascript:alert(1)",
    "a\u202eb\u0007\u001b[31m", "{{constructor}}", "../../etc/passwd", "%00%0a", "</textarea><svg onload=alert(1)>",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_text_everywhere(site, live, listener, claude, browser, name):
    now = time.time()
    records = answers(3, now, model=name, folder=name, gitBranch=name)
    records.append(
        assistant(
            "t",
            now - 2,
            request_id="t",
            session="s1",
            model=name,
            content=[use("u1", name)],
            cwd=f"/work/{name}",
            gitBranch=name,
        )
    )
    transcript(claude, records, session="s1")
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] >= 3)
    one = site()
    page = browser(one.link)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.wait_for_selector("tbody tr")
    for path in (
        "/now",
        "/history?by=project",
        "/history?by=branch",
        "/rows?since=today",
        "/rows?of=calls",
        "/session/claude-code/s1",
        "/timeline",
        "/limits",
        "/compare?kind=branch",
        "/advice",
    ):
        page.goto(one.base + path)
        page.wait_for_selector("main [aria-busy]", state="detached")
        page.wait_for_selector("main table tbody tr, main .lanes a, main .empty")
        assert (
            page.locator(
                "main script, main img, main [onload], main [onerror], a[href^='javascript']"
            ).count()
            == 0
        )
        assert not any(char in page.locator("main").inner_text() for char in "\u202e\u0007\u001b")
    assert dialogs == []
    assert all(url.startswith(one.base) for url in page.asked)


def test_keys_walk_through_rows_find_and_explain(site, live, browser):
    state = states.api()
    state["sessions"] = [states.session(1, project="apple"), states.session(2, project="pear")]
    live(state)
    page = browser(site().link)
    page.wait_for_selector("tbody tr")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") in ("apple", "pear")
    second = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") != second
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    until(lambda: page.locator("dialog").count() == 0)
    page.keyboard.press("/")
    page.keyboard.type("pear")
    rows = page.locator("section:has(> h2:has-text('Sessions')) tbody tr:visible")
    until(lambda: rows.count() == 1)
    page.keyboard.press("Escape")
    until(lambda: rows.count() == 2)
    page.keyboard.press("2")
    until(lambda: page.url.endswith("/history"))
    page.expects = ("503",)  # there is no history here


def test_a_focused_row_keeps_its_focus_while_the_numbers_move(site, live, browser):
    state = states.api()
    state["sessions"] = [states.session(1, project="apple"), states.session(2, project="pear")]
    live(state)
    page = browser(site().link)
    page.wait_for_selector("tbody tr")
    page.keyboard.press("j")
    held = page.evaluate("document.activeElement.textContent")
    requests = (
        page.locator("section:has(> h2:has-text('Sessions')) tbody tr", has_text=held).locator("td").nth(2)
    )
    live(state | {"sessions": [one | {"requests": 777} for one in state["sessions"]]})
    assert until(lambda: requests.inner_text() == "777")
    assert page.evaluate("document.activeElement.textContent") == held


def test_the_order_that_a_reader_chose_stays_while_the_numbers_move(site, live, browser):
    state = states.api()
    state["sessions"] = [
        states.session(number, project=f"p{number}", requests=number, last_activity_at=time.time() - number)
        for number in (3, 1, 2)
    ]
    live(state)
    page = browser(site().link)
    table = page.locator("section:has(> h2:has-text('Sessions'))")
    names = table.locator("tbody th a")
    table.get_by_role("button", name="Requests").click()
    assert names.all_inner_texts() == ["p3", "p2", "p1"]
    moved = [one | {"requests": 10 - one["requests"]} for one in state["sessions"]]
    live(state | {"sessions": moved})
    assert until(lambda: names.all_inner_texts() == ["p1", "p2", "p3"])
    assert table.locator("th[aria-sort='descending']").inner_text().startswith("Requests")
    table.get_by_role("button", name="Requests").click()
    assert until(lambda: names.all_inner_texts() == ["p3", "p2", "p1"])
    assert (
        table.locator("tbody tr").nth(0).locator("td").nth(2).inner_text() == "7"
    )  # of now, not of the first draw


VALUES = [
    None, 0, 0.4, 0.005, 1, 9.95, 99.99, 999.4, 999.5, 999.994, 1000, 12345, 99_999.4, 99_999.6, 999_499, 999_500, 1e6,
    3.25e9, 1e15, 1e18, -0.001, -12.5, -1234.5, 59, 60, 3599, 3600, 86_399, 86_400, 9949, 9950, 59_499, 59_500, 1e9,
]  # fmt: skip
WRITTEN = {
    "count": humanize.count, "size": humanize.size, "rate": humanize.rate, "percent": humanize.percent,
    "share": humanize.share, "duration": humanize.duration, "took": humanize.took, "age": humanize.age,
    "amount": humanize.money, "exactAmount": humanize.exact_money,
}  # fmt: skip


def test_amounts_and_counts_are_written_as_in_the_terminal(site, live, browser):
    live(states.api())
    page = browser(site().link)
    page.wait_for_selector("main *")
    for script, python in WRITTEN.items():
        values = VALUES
        shown = page.evaluate(f"(values) => {FORMAT}.then(f => values.map(v => f.{script}(v)))", values)
        assert dict(zip(map(str, values), shown, strict=True)) == {str(v): python(v) for v in values}, script


COLOURS = ("ground", "text", "frame", "title", "accent", "good", "warning", "critical", "money", "tokens", "fresh",
           "written", "read", "context", "cursor", "header")  # fmt: skip


def test_the_pages_have_the_colours_of_the_full_table():
    pytest.importorskip("textual")
    from aitop.top.themes import PALETTES
    from aitop.web import assets

    style = assets.FILES["style.css"].data.decode()
    light, dark = style.index(":root {"), style.index(':root[data-theme="dark"]')
    for name, part in (("light", style[light:dark]), ("dark", style[dark : style.index("@media (prefers")])):
        for colour in COLOURS:
            assert f"--{colour}: {getattr(PALETTES[name], colour)};" in part, (name, colour)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_screen_reader_finds_nothing_serious(site, listener, claude, browser, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    now = time.time()
    transcript(claude, answers(30, now), session="s1")
    transcript(claude, answers(5, now - 86_400, "s2", "attic"), session="s2")
    listener.start()
    listener.wait_for(lambda state: state["scan"]["complete"] and state["month"]["requests"] >= 1)
    one = site()
    page = browser(one.link, bypass_csp=True, color_scheme=scheme)
    for path in PAGES:
        page.goto(one.base + path)
        page.wait_for_selector("main [aria-busy]", state="detached")
        page.wait_for_selector("main table, main .empty, main figure")
        found = axe.run(page).response["violations"]
        serious = [
            (one_["id"], [node["html"][:160] for node in one_["nodes"]][:3])
            for one_ in found
            if one_["impact"] in ("serious", "critical")
        ]
        assert serious == [], path


PAGES = [
    "/now",
    "/timeline",
    "/history",
    "/limits",
    "/compare",
    "/advice",
    "/rows?since=today",
    "/session/claude-code/s1",
]


def test_on_paper_there_is_no_navigation(site, live, browser):
    live(states.api())
    page = browser(site().link)
    page.wait_for_selector(".tiles")
    page.emulate_media(media="print")
    assert not page.locator("#top nav").is_visible()
    assert page.locator(".tiles").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_day_is_drawn_and_looked_at_closer(site, listener, claude, browser):
    now = time.time()
    transcript(
        claude, [*answers(20, now, step=30.0), compact(at=now - 100, session="s1") | PLACE], session="s1"
    )
    transcript(claude, answers(3, now - 1000, "s2", "attic"), session="s2")
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 23)
    one = site()
    page = browser(one.link)
    page.goto(f"{one.base}/timeline")
    lanes = page.locator(".lanes a.lane")
    shop = page.locator(".lanes a.lane[aria-label^='shop,']")
    assert until(lambda: lanes.count() == 2)
    assert "20 responses" in shop.get_attribute("aria-label")
    assert page.locator(".lanes .compaction").count() == 1
    wide = page.locator(".lanes .run").first.bounding_box()["width"]
    page.get_by_role("button", name="Zoom in").click()
    until(lambda: "from=" in page.url)
    kept = page.url
    page.reload()
    until(lambda: lanes.count() == 2)
    assert page.url == kept
    box = page.locator(".lanes svg").bounding_box()
    run = page.locator(".lanes .run").first.bounding_box()
    assert run["width"] > wide
    page.mouse.move(max(box["x"] + 260, run["x"] - 30), box["y"] + 30)
    page.mouse.down()
    page.mouse.move(run["x"] + run["width"] + 30, box["y"] + 30, steps=5)
    page.mouse.up()
    assert until(lambda: page.locator(".lanes .run").first.bounding_box()["width"] > run["width"])
    shop.click(position={"x": 20, "y": 10})
    assert until(lambda: page.url == f"{one.base}/session/claude-code/s1")


def test_the_alerts_of_the_past_are_on_the_day_they_stood(site, listener, claude, browser, tmp_path):
    """Raised by a real listener, kept by its journal; a past day shows what stood then."""
    now = time.time()
    transcript(claude, answers(5, now, step=5.0), session="s1")
    config = tmp_path / "budget.toml"
    config.write_text('[budgets.tiny]\nperiod = "day"\nlimit_usd = 0.0001\n')
    yesterday = now - 86_400
    past = AlertJournal(listener.home)
    past.note([Alert("errors", "warning", "<b>9 of 9</b> failed", yesterday, "", "gone", "codex")], yesterday)
    past.note([], yesterday + 60)
    listener.start(AITOP_CONFIG=str(config))
    listener.wait_for(lambda state: state["alerts"] and state["scan"]["complete"])
    (one,) = [alert for alert in listener.state()["alerts"] if alert["id"].startswith("budget")]
    until(lambda: alert_journal.read(listener.home, now - 60, time.time() + 60))
    place = site()
    page = browser(place.link)
    page.goto(f"{place.base}/timeline")
    page.wait_for_selector(".timeline:not([aria-busy]) .lanes svg")
    rows = page.locator("section:has(> h2:has-text('Alerts')) tbody tr")
    assert rows.count() == 1
    assert one["text"] in rows.first.inner_text()
    assert page.locator(".lanes .alertmark").count() == 1
    page.goto(f"{place.base}/timeline?day={time.strftime('%Y-%m-%d', time.localtime(yesterday))}")
    page.wait_for_selector("text=<b>9 of 9</b> failed")
    assert rows.locator("a").get_attribute("href") == "/session/codex/gone"


def test_the_timeline_names_each_folder_whose_commits_git_cannot_say(
    site, listener, claude, browser, tmp_path
):
    folder = tmp_path / "<b>shop"
    folder.mkdir()
    (folder / ".git").write_text("gitdir: /nowhere/at all\n")  # a work tree that was moved away
    transcript(claude, answers(3, time.time(), "s1", step=5.0, cwd=str(folder)), session="s1")
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 3)
    one = site()
    page = browser(one.link)
    page.goto(f"{one.base}/timeline")
    page.wait_for_selector("[aria-label='Folders without commits'] li")
    (text,) = page.locator("[aria-label='Folders without commits'] li").all_inner_texts()
    assert text.startswith("Commits are missing: <b>shop: ")
    assert "/nowhere/at all" in text


def test_the_share_of_a_budget_is_a_lower_bound_where_its_amount_is(site, live, browser):
    state = states.subscription()
    state["budgets"] = [
        {"name": name, "scope": "all", "match": None, "period": "day", "limit_usd": 20.0, "used_usd": 15.0,
         "left_usd": 5.0, "percent": 75.0, "level": "warning", "over": False, "resets_at": time.time() + 7200,
         "session": None, "session_ids": None, "unpriced_requests": 0, "estimated_requests": 0,
         "understated_requests": understated} for name, understated in (("sure", 0), ("least", 2))
    ]  # fmt: skip
    live(state)
    one = site()
    page = browser(one.link)
    page.expects = ("503",)  # there is no past to test the forecasts on
    page.wait_for_selector(".gauges")
    sure, least = (page.locator(f".gauges li:has-text('{name}')") for name in ("sure", "least"))
    assert (sure.locator("b").inner_text(), least.locator("b").inner_text()) == ("75%", "≥75%")
    page.goto(f"{one.base}/limits")
    page.wait_for_selector(".gauges.big")
    assert "75% used, ≈$5.00 left" in sure.inner_text()
    assert "≥75% used, ≤≈$5.00 left" in least.inner_text()
    labels = [row.locator(".gauge").get_attribute("aria-label") for row in (sure, least)]
    assert labels == ["75% used", "≥75% used"]


def test_limits_budgets_and_forecasts_are_those_of_the_state(site, live, browser, home):
    state = states.subscription()
    now = time.time()
    state["limits"] = [{"provider": "claude-code", "account": None, "name": "five_hour", "window_minutes": 300,
                        "used_percent": 82.0, "resets_at": now + 3600, "source": "client", "seen_at": now - 60,
                        "age_seconds": 60, "estimated": False, "elapsed_percent": 70.0, "pace_points": 12.0,
                        "exhausts_at": now + 1800}]  # fmt: skip
    state["budgets"] = [
        {"name": "mine", "scope": "all", "match": None, "period": "day", "limit_usd": 20.0, "used_usd": 15.0,
         "left_usd": 5.0, "percent": 75.0, "level": "warning", "over": False, "resets_at": now + 7200, "session": None,
         "session_ids": None, "unpriced_requests": 0, "estimated_requests": 0}
    ]  # fmt: skip
    state["forecast"] = {
        "day": {"usd": 30.0, "low_usd": 22.0, "high_usd": 41.0, "method": "usual_rest", "error_percent": 12.0,
                "tested": 40, "ends_at": now + 7200}
    }  # fmt: skip
    state["plan"] = {"name": "max20", "usd_a_month": 200.0, "days": 30, "until": "2026-11-28", "value_usd": 610.0,
                     "factor": 3.1}  # fmt: skip
    live(state)
    one = site()
    page = browser(one.link)
    page.expects = ("503",)  # there is no past to test the forecasts on
    page.goto(f"{one.base}/limits")
    page.wait_for_selector(".gauges.big")
    text = page.locator("main").inner_text()
    assert (
        "Claude Code in 30 days until 2026-11-28: ≈$610.00 at API prices, 3.1 times what max20 costs" in text
    )
    given = page.locator("[data-key=plan] a.num").get_attribute("href")
    assert "since=2026-10-30" in given
    assert "until=2026-11-28" in given
    assert "82% used" in text
    assert "70% of its 5h00 has passed" in text
    assert "used up at" in text
    assert "$15.00 of ≈$20.00" in text
    assert "Between ≈$22.00 and ≈$41.00" in text
    assert "off by 12% in 40 tests" in text
    until(lambda: "no history yet" in page.locator("main").inner_text())


def test_the_backtest_is_that_of_the_forecast(site, listener, claude, browser):
    now = time.time()
    for number in range(12):
        transcript(claude, answers(5, now - number * 86_400, f"d{number}"), session=f"d{number}")
    listener.start()
    listener.wait_for(lambda state: state["scan"]["complete"] and state["today"]["requests"] >= 5)
    one = site()
    page = browser(one.link)
    page.goto(f"{one.base}/limits")
    rows = page.locator("section:has(> h2:has-text('How well')) tbody tr")
    until(lambda: rows.count() > 0)
    wanted = aitop("forecast", "--backtest", "--json")
    assert rows.count() == len(wanted)
    shown = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert [cells[2] for cells in shown] == [str(row["tested"]) for row in wanted]
    assert [cells[1] for cells in shown] == [
        f"{row['error_percent']:.1f}%" if row["tested"] else "-" for row in wanted
    ]


def test_two_models_are_compared_by_the_reports_numbers(site, listener, claude, browser):
    now = time.time()
    transcript(claude, answers(9, now), session="s1")
    transcript(claude, answers(4, now, "s2", "attic", "claude-haiku-4-5"), session="s2")
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 13)
    one = site()
    page = browser(one.link)
    page.goto(f"{one.base}/compare")
    page.wait_for_selector(".compare:not([aria-busy]) table")
    wanted = aitop("report", "models", "--json")
    line = page.locator("tbody tr", has_text="Requests").first.locator("td").all_inner_texts()
    assert line[:2] == [str(row["requests"]) for row in wanted]
    spent = page.locator("tbody tr", has_text="Spent").first.locator("td").all_inner_texts()
    assert spent[:2] == [write(row["spent_usd"], row) for row in wanted]
    page.locator("select").first.select_option(index=1)
    until(lambda: "a=claude-haiku" in page.url)
    page.wait_for_selector(".compare:not([aria-busy]) table")
    until(lambda: page.locator("tbody tr", has_text="Requests").first.locator("td").first.inner_text() == "4")
    page.locator("tbody tr", has_text="Requests").first.locator("td a").first.click()
    until(lambda: page.locator(".choices [aria-current]").inner_text().split() == ["Responses", "4"])


def test_advice_is_that_of_the_command(site, listener, claude, browser):
    now = time.time()
    records = answers(40, now, model="claude-sonnet-4-5-20250929", step=5.0)
    for record in records:
        record["message"]["usage"] = usage(3000, 10, 150_000, 5000)
    transcript(claude, records, session="s1")
    listener.start()
    listener.wait_for(lambda state: state["today"]["requests"] == 40)
    wanted = aitop("advise", "--json")
    assert wanted
    one = site()
    page = browser(one.link)
    page.goto(f"{one.base}/advice")
    page.wait_for_selector(".finding")
    assert page.locator(".finding").count() == len(wanted)
    assert wanted[0]["evidence"] in page.locator(".finding").first.inner_text()
    page.locator("summary").first.click()
    page.locator("details a").first.click()
    assert until(lambda: page.url == f"{one.base}/session/claude-code/s1")


def test_a_link_within_a_page_does_not_open_it_again(site, live, browser):
    live(states.api())
    page = browser(site().link)
    page.wait_for_selector("h2:has-text('Sessions')")
    page.evaluate("document.querySelector('main .page').dataset.same = 'yes'")
    page.evaluate("document.querySelector('.skip').click()")
    assert until(lambda: page.url.endswith("/now#main"))
    assert page.evaluate("document.querySelector('main .page').dataset.same") == "yes"
