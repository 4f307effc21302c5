"""Requests of web pages: which are foreign, by the headers that a page cannot forge."""

import pytest

from aitop.system.loopback.web_origin import is_foreign_page, is_local_host


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("https://evil.example", "cross-site"),
        ("https://evil.example", None),
        ("http://localhost.evil.example", "cross-site"),
        ("http://127.0.0.1.evil.example:4330", None),
        ("http://[2001:db8::1]:4330", None),
        ("null", "cross-site"),
        ("", None),
        (None, "cross-site"),
        ("chrome-extension://abc", "cross-site"),
    ],
)
def test_a_page_of_another_site_is_foreign(origin, site):
    assert is_foreign_page(origin, site)


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        (None, None),
        (None, "none"),
        (None, "same-origin"),
        ("http://localhost:3000", "same-site"),
        ("http://127.0.0.1:4330", "same-origin"),
        ("http://[::1]:8080", "cross-site"),
        ("app://obsidian.md", "cross-site"),
        ("vscode-webview://1f2e", "cross-site"),
    ],
)
def test_programs_and_pages_of_this_machine_are_not(origin, site):
    assert not is_foreign_page(origin, site)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:4330", "[::1]:4330", "x.localhost.", "127.9.9.9"])
def test_names_of_this_machine(host):
    assert is_local_host(host)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "", "1270.0.0.1"])
def test_names_that_may_lead_here_from_elsewhere(host):
    assert not is_local_host(host)
