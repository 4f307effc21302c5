"""Who is let in: only the user's own browser, with its cookie."""

import pytest

from aitop.system.loopback.peer_owner import End
from aitop.web import admission
from aitop.web.admission import Facts, Rules, Tickets

RULES = Rules(4331, 1000, "s" * 48)
PEER, HERE = End("127.0.0.1", 50_000), End("127.0.0.1", 4331)


def facts(method="GET", cookies=None, **headers):
    named = {"Host": "127.0.0.1:4331"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Facts(method, named, cookies or {}, PEER, HERE)


def refused(asked, owner=1000):
    return admission.refusal(asked, RULES, lambda *_: owner)


def test_the_users_own_browser_is_listened_to():
    assert refused(facts()) is None
    assert (
        refused(facts(Host="localhost:4331", Origin="http://localhost:4331", Sec_Fetch_Site="same-origin"))
        is None
    )


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4331", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.nip.io:4331", "localhost.evil:4331",
     "", "[::1]:80", "0.0.0.0:4331", "host.docker.internal:4331"],
)  # fmt: skip
def test_another_name_for_this_machine_is_refused(host):
    assert refused(facts(Host=host)) == admission.FOREIGN_HOST


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:8000", "http://localhost", "https://localhost:4331",
     "http://localhost:4331.evil.example", ""],
)  # fmt: skip
def test_a_page_of_another_origin_is_refused(origin):
    assert refused(facts(Origin=origin)) == admission.FOREIGN_PAGE


@pytest.mark.parametrize("where", ["cross-site", "same-site", "anything"])
def test_a_request_that_another_site_caused_is_refused(where):
    assert refused(facts(Sec_Fetch_Site=where)) == admission.FOREIGN_PAGE


@pytest.mark.parametrize("owner", [1001, 0, None])
def test_another_user_is_refused(owner):
    assert refused(facts(), owner) == admission.FOREIGN_USER


def test_where_the_system_names_no_owner_the_cookie_alone_decides():
    assert admission.refusal(facts(), RULES._replace(uid=None), lambda *_: 7) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT"])
def test_nothing_but_reading_is_allowed(method):
    assert refused(facts(method)) == admission.WRONG_METHOD


def test_only_the_cookie_made_of_the_secret_opens():
    name = admission.cookie_name(4331)
    right = admission.cookie_value(RULES.secret)
    assert admission.has_cookie(facts(cookies={name: right}), RULES)
    for cookies in (
        {},
        {name: ""},
        {name: RULES.secret},
        {name: right[:-1]},
        {admission.cookie_name(80): right},
    ):
        assert not admission.has_cookie(facts(cookies=cookies), RULES)


def test_a_ticket_is_good_once_and_for_two_minutes():
    tickets = Tickets()
    one, other = tickets.make(0.0), tickets.make(0.0)
    assert not tickets.use("x" * 48, 1.0)
    assert tickets.use(one, 1.0)
    assert not tickets.use(one, 1.0)
    assert not tickets.use(other, admission.TICKET_SECONDS)


def test_tickets_that_are_not_used_are_bounded():
    tickets = Tickets()
    made = [tickets.make(0.0) for _ in range(100)]
    assert [ticket for ticket in made if tickets.use(ticket, 1.0)] == made[-admission.TICKETS_MAX :]
