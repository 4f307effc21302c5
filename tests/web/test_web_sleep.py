"""A laptop that sleeps, a server that hangs, a network that goes: the page says its age, and recovers by itself."""

import signal

import pytest
from golden import states
from support.web_site import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

REFUSED = ("ERR_INTERNET_DISCONNECTED", "ERR_NETWORK_CHANGED", "ERR_INCOMPLETE_CHUNKED_ENCODING")
DEAF = """() => {
  // The stream that is open hears nothing any more, as over a connection that is dead at its other end.
  window.opened = [];
  const Real = EventSource;
  window.EventSource = class extends Real {
    constructor(...words) {
      super(...words);
      this.number = window.opened.push(this);
    }
    addEventListener(name, listener) {
      super.addEventListener(name, (event) => this.deaf || listener(event));
    }
  };
}"""


def active(page):
    return page.locator("h2", has_text="Sessions").inner_text()


def is_asked(page, name):
    page.evaluate("0")  # hear what the browser has done
    return sum(url.endswith(name) for url in page.asked)


def test_while_the_server_hangs_the_page_says_its_age_and_it_recovers(site, live, browser):
    live(states.api() | {"active_sessions": 3})
    one = site()
    page = browser(one.link)
    page.wait_for_selector(".condition.live")
    one.process.send_signal(signal.SIGSTOP)
    try:
        page.wait_for_selector(".stale:has-text('does not answer')")
        first = page.locator(".condition").inner_text()
        assert first.endswith("s old")
        assert until(lambda: page.locator(".condition").inner_text() != first)  # it goes on counting
        live(states.api() | {"active_sessions": 7})
    finally:
        one.process.send_signal(signal.SIGCONT)
    page.wait_for_selector(".condition.live")
    assert page.locator(".stale").count() == 0
    assert until(lambda: "7 active" in active(page))


def test_without_a_network_the_page_says_its_age_and_shows_what_was_asked_once_it_is_back(
    site, live, browser, home
):
    live(states.api())
    page = browser(site().link)
    page.expects = (*REFUSED, "503")  # there is no history to ask
    page.wait_for_selector(".condition.live")
    page.context.set_offline(True)
    page.locator("nav a", has_text="History").click()
    page.wait_for_selector(".history .empty:has-text('does not answer')")
    page.wait_for_selector(".stale:has-text('old')")
    page.context.set_offline(False)
    page.wait_for_selector(".condition.live")
    page.wait_for_selector(".history .empty:has-text('There is no history yet')")


def test_a_stream_that_is_dead_is_opened_again_when_the_numbers_have_moved(site, live, browser):
    live(states.api() | {"active_sessions": 3})
    one = site()
    page = browser(one.link)
    page.context.add_init_script(f"({DEAF})()")
    page.goto(f"{one.base}/now")
    page.wait_for_selector(".condition.live")
    assert page.evaluate("opened.length") == 1
    page.evaluate("opened[0].deaf = true")
    live(states.api() | {"active_sessions": 7})
    assert until(lambda: "7 active" in active(page))
    assert page.evaluate("opened.length") == 2


ASKED_WHEN_TOLD = """() => import('/static/js/live.js').then(({ ensure, watch }) => new Promise((found) => {
  const real = window.fetch;
  let asked = 0;
  window.fetch = (...words) => { asked += 1; return real(...words); };
  const stop = watch(() => {
    ensure();
    stop();
    window.fetch = real;
    found(asked);
  });
}))"""


def test_a_page_asks_for_the_age_only_when_it_has_heard_nothing(site, live, browser):
    live(states.api())
    page = browser(site().link)
    page.wait_for_selector(".condition.live")
    assert until(lambda: is_asked(page, "/present"))  # the numbers rest: after some seconds it makes sure
    assert page.evaluate("import('/static/js/live.js').then(({ live }) => live.why)") == ""
    assert is_asked(page, "/events") == 1  # the stream was sound and stays
    live(states.api() | {"active_sessions": 7})
    assert page.evaluate(ASKED_WHEN_TOLD) == 0
