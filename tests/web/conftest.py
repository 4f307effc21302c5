"""A server for the test's own home, and one Chromium for all tests of a file."""

import pytest
from support.web_site import Browser, Site

pytest.importorskip("aiohttp", reason="needs aiohttp: pip install 'aitop-status[web]'")


@pytest.fixture
def site(home):
    """`site()` starts the server; it ends with the test."""
    started = []

    def start(*words, **more):
        started.append(Site(home, *words, **more))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture(scope="module")
def chromium():
    found = Browser()
    yield found
    found.end()


@pytest.fixture
def browser(chromium):
    """`browser(address)` opens a tab; the test fails where a page had an error or broke its policy."""
    pages = []

    def show(address, **more):
        pages.append(chromium.page(address, **more))
        return pages[-1]

    yield show
    problems = [problem for page in pages for problem in page.problems if not expected(page, problem)]
    broken = [
        one for page in pages if not page.is_closed() for one in page.evaluate("window.violations ?? []")
    ]
    for page in pages:
        page.context.close()
    assert problems == []
    assert broken == []


def expected(page, problem):
    """What the test itself brought about: it says so in `page.expects`."""
    return any(part in problem for part in getattr(page, "expects", ()))
