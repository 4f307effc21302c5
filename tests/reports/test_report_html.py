"""The report as one file: it is whole, makes no request, hides names on demand, and runs no name."""

import json
import os
import re
import subprocess
import sys
import time

import pytest
from support.lines import assistant, transcript
from support.web_site import Browser, until

pytestmark = pytest.mark.slow  # the command as a process, some times in each test

HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture
def claude(tmp_path):
    return str(tmp_path / "user" / ".claude")


def report(*words, code=0):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "aitop", "report", *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def write(claude, folder="/work/shop", branch="main", session="s1", days=3):
    now = time.time()
    records = [
        assistant(
            f"{session}{n}",
            now - n * 86_400 - 60,
            request_id=f"{session}{n}",
            session=session,
            cwd=folder,
            gitBranch=branch,
        )
        for n in range(days)
    ]
    transcript(claude, records, session=session)


def inside(path):
    """The rows that stand in the file."""
    with open(path, encoding="utf-8") as file:
        return json.loads(
            re.search(r'<script type="application/json" id="data">(.*?)</script>', file.read(), re.DOTALL)[1]
        )


def test_its_numbers_are_those_of_the_report(home, claude, tmp_path):
    write(claude)
    write(claude, "/work/attic", "fix", "s2", 2)
    path = str(tmp_path / "r.html")
    assert "wrote" in report("--html", path)
    data = inside(path)
    for by, word in (("model", "models"), ("project", "projects"), ("branch", "branches")):
        assert data["views"][by]["groups"] == json.loads(report(word, "--json"))
    days = json.loads(report("daily", "--json"))
    assert [(row["label"], row["spent_usd"]) for row in data["periods"]] == [
        (row["day"], row["spent_usd"]) for row in days
    ]
    wanted = report("projects", "--csv").splitlines()
    assert data["csv"]["by-project"].splitlines() == wanted
    assert os.stat(path).st_mode & 0o077 == 0


def test_only_the_days_and_the_part_asked_for_are_in_it(home, claude, tmp_path):
    write(claude)
    write(claude, "/work/attic", "fix", "s2", 2)
    path = str(tmp_path / "r.html")
    report("projects", "--html", path, "--last", "1", "--project", "attic")
    data = inside(path)
    assert data["first"] == "project"
    assert [row["project"] for row in data["views"]["project"]["groups"]] == ["attic"]
    assert data["total"]["requests"] == 1
    assert data["filters"] == ["project attic"]


def test_names_are_hidden_the_same_everywhere(home, claude, tmp_path):
    write(claude, "/work/secret-shop", "secret-branch", "secret-session")
    write(claude, "/work/attic", "main", "other")
    path = str(tmp_path / "r.html")
    report("--html", path, "--hide-names", "--project", "*secret*")
    with open(path, encoding="utf-8") as file:
        assert "secret" not in file.read()
    report("--html", path, "--hide-names")
    data = inside(path)
    assert {row["project"] for row in data["views"]["project"]["groups"]} == {"project 1", "project 2"}
    assert {one["label"] for one in data["views"]["project"]["stack"]["names"]} == {"project 1", "project 2"}
    whole = {row["cwd"]: row["spent_usd"] for row in data["views"]["project"]["groups"]}
    assert all(row["cwd"] in whole for row in data["sessions"]["rows"])
    assert "attic" not in json.dumps(data)


@pytest.mark.parametrize(
    "words",
    [
        ["--hide-names"],
        ["--html", "x", "--json"],
        ["--html", "x", "--plot"],
        ["daily", "--html", "x", "--breakdown"],
    ],
)
def test_options_that_say_two_things_are_refused(home, words):
    assert "--html" in report(*words, code=2)


def test_a_file_that_cannot_be_written_is_named(home, tmp_path):
    assert "nowhere" in report("--html", str(tmp_path / "nowhere" / "r.html"), code=1)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "name", [HOSTILE, '" onload="alert(1)', "<img src=x onerror=alert(1)>", "a\u202eb\u0007"]
)
def test_opened_from_disk_it_makes_no_request_and_runs_no_name(home, claude, tmp_path, name):
    write(claude, f"/work/{name}", name)
    path = str(tmp_path / "r.html")
    report("--html", path)
    chromium = Browser()
    try:
        page = chromium.page(f"file://{path}")
        page.wait_for_selector(".u-wrap")
        for by in ("Project", "Branch", "Client"):
            page.locator(".choices button", has_text=by).click()
            page.wait_for_selector(f"h2:has-text('By {by.lower()}')")
            assert page.locator("main script, main img, main [onload]").count() == 0
            assert not any(char in page.locator("main").inner_text() for char in "\u202e\u0007")
        with page.expect_download() as download:
            page.locator(".downloads button", has_text="by-project").click()
        with open(download.value.path(), encoding="utf-8") as file:
            assert file.read().splitlines() == inside(path)["csv"]["by-project"].splitlines()
        assert page.problems == []
        assert page.evaluate("window.violations") == []
        assert [url for url in page.asked if not url.startswith("blob:")] == [f"file://{path}"]
    finally:
        chromium.end()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_empty_history_makes_a_file_that_says_so(home, tmp_path):
    path = str(tmp_path / "r.html")
    report("--html", path)
    chromium = Browser()
    try:
        page = chromium.page(f"file://{path}")
        assert until(lambda: "Nothing was spent" in page.locator("main").inner_text())
        assert page.problems == []
    finally:
        chromium.end()
