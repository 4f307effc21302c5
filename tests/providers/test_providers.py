"""The provider's door: other packages come through it, and what they do wrong stays theirs."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib

import pytest
from support.claude_home import claude
from support.desk import START, Desk, write
from support.other_provider import RECORD, documented, install

from aitop import config
from aitop.ingest.tail import Job, chunks
from aitop.model.events import Response, Usage
from aitop.providers import Feed, Parsed, Reader, Source, conformance, selection
from aitop.providers import load as room
from aitop.providers.isolation import FAULTY_FILES, Guarded, guarded

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder of other packages, which Python finds."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delenv("AITOP_PROVIDERS")
    yield folder
    for name in [name for name in sys.modules if name.startswith("other_")]:
        del sys.modules[name]


def load_tiny(packages, code=None):
    install(packages, "other_tiny", code or documented())
    found, broken = room.load()
    return {provider.name: provider for provider in found}, broken


# -- loading -----------------------------------------------------------------------------------------------------


def test_the_built_in_providers_are_this_packages_own_entry_points():
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        announced = tomllib.load(file)["project"]["entry-points"]["aitop.providers"]
    other = dict(announced.items() ^ room.BUILTIN.items())
    assert announced == room.BUILTIN, (
        f'pyproject.toml ([project.entry-points."aitop.providers"]) and `BUILTIN` of aitop/providers/load.py differ in '
        f"{', '.join(other)}: the same line stands in both"
    )


def test_the_documented_example_is_loaded_and_counts(packages, tmp_path):
    found, broken = load_tiny(packages)
    assert broken == {}
    write(
        tmp_path / "tiny" / "a.log",
        (RECORD % (1, START)).encode(),
        (RECORD % (1, START)).encode(),
        b"{broken\n",
    )
    desk = Desk(found["tiny"], tmp_path / "tiny").read()
    total = desk.total("s1")
    assert (total.requests, total.uncached_input_tokens, total.cache_read_tokens) == (1, 300, 600)
    assert desk.cost("s1") == pytest.approx((300 * 1.25 + 600 * 0.125 + 50 * 10) / 1e6)
    assert desk.history.bad_lines == 1


def test_the_documented_example_reads_whole_records_on_damaged_lines(packages, tmp_path):
    found, _ = load_tiny(packages)
    first, second = ((RECORD % (number, START)).encode() for number in (1, 2))
    write(tmp_path / "tiny" / "a.log", first[:40] + first, b"\0" * 512 + second)
    assert Desk(found["tiny"], tmp_path / "tiny").read().total("s1").requests == 2


def test_the_documented_example_is_about_as_short_as_it_says():
    assert len(documented().splitlines()) <= 75


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("other = 1", "AttributeError"),
        ("provider = 7", "it has no method folders"),
        (documented().replace('"tiny"', '"huge"'), "its `name` must be 'tiny'"),
        (documented().replace("def wants", "def wishes"), "it has no method wants"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_named_and_the_rest_go_on(packages, code, why):
    found, broken = load_tiny(packages, code)
    assert why in broken["tiny"]
    assert list(found) == list(room.BUILTIN)


def test_a_built_in_name_cannot_be_taken(packages):
    install(packages, "other_codex", documented(), provider="codex")
    found, broken = room.load()
    assert broken == {"codex of other_codex:provider": "the name is taken by a built-in provider"}
    assert [one.name for one in found] == list(room.BUILTIN)


def test_of_two_packages_with_one_name_one_is_used(packages):
    install(packages, "other_tiny", documented())
    install(packages, "other_tinier", documented())
    found, broken = room.load()
    assert [one.name for one in found].count("tiny") == 1
    assert len(broken) == 1


def test_other_packages_are_looked_up_only_where_it_is_wanted(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: pytest.fail("looked up"))
    assert [one.name for one in room.load()[0]] == list(room.BUILTIN)


# -- faults ------------------------------------------------------------------------------------------------------


class Fine:
    """A provider that does nothing wrong; tests replace a method."""

    name = "fine"

    def folders(self, configured, environ):
        return configured

    def wants(self, path):
        return path.endswith(".log")

    def identify(self, path):
        return Source("s", None)

    def parse(self, data, start, source):
        return Parsed([said()], 0, START, "s", None)

    def context_limit(self, model):
        return 1000

    def feed(self, header, payload, now):
        return Feed([], "s", "x", None, [], False)


def said(**more):
    return Response("s", START, "gpt-5", Usage(10, 5), "m1")._replace(**more)


def faulty(method, with_=None):
    """A guarded provider one of whose methods raises, or does what is given."""

    def fail(*_):
        raise ZeroDivisionError("oh")

    found = Fine()
    setattr(found, method, with_ or fail)
    return Guarded("fine", found, trusted=False)


@pytest.mark.parametrize(
    ("method", "arguments", "nothing"),
    [
        ("folders", ([], {}), []),
        ("wants", ("a.log",), False),
        ("identify", ("a.log",), Source(None, None)),
        ("context_limit", ("m",), None),
        ("feed", ({}, {}, START), None),
    ],
)
def test_a_fault_in_a_question_switches_the_provider_off(method, arguments, nothing):
    provider = faulty(method)
    assert getattr(provider, method)(*arguments) == nothing
    assert provider.problem == f"switched off, {method}(): ZeroDivisionError: oh"
    assert provider.folders(["x"], {}) == []
    assert provider.wants("a.log") is False
    assert provider.feed({}, {}, START) is None


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("folders", "x"),
        ("folders", [1]),
        ("identify", ("s", None)),
        ("feed", {}),
        ("identify", Source(7, None)),
    ],
)
def test_an_answer_of_the_wrong_type_is_a_fault(method, value):
    provider = faulty(method, lambda *_: value)
    getattr(provider, method)(
        *([{}, {}, START] if method == "feed" else ["x"] if method == "identify" else [[], {}])
    )
    assert provider.problem


def test_a_file_it_cannot_parse_is_put_aside_and_the_third_switches_it_off(tmp_path):
    provider = faulty("parse")
    for number in range(FAULTY_FILES):
        assert provider.problem is None
        write(tmp_path / "logs" / f"{number}.log", {})
        desk = Desk(provider, tmp_path / "logs").read()
    assert "ZeroDivisionError" in provider.problem
    assert all("ZeroDivisionError" in why for why in desk.ingest.unreadable.values())


@pytest.mark.parametrize(
    "event",
    [
        said(at="now"), said(at=float("nan")), said(at=-1.0), said(session=""), said(session=None), said(model=7),
        said(usage={"input": 3}), said(usage=Usage(-1)), said(usage=Usage(1.5)), said(usage=Usage(1 << 40)),
        said(message_id=7), said(also=["x"]), said(session="s" * 9000), said(stop_reason="\ud800"), {"session": "s"}, None,  # noqa: E501
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_true_never_reaches_the_history(tmp_path, event):
    provider = faulty("parse", lambda *_: Parsed([event], 0, START, "s", None))
    write(tmp_path / "logs" / "a.log", {})
    desk = Desk(provider, tmp_path / "logs").read()
    assert desk.totals() == {}
    assert len(desk.ingest.unreadable) == 1


def test_what_is_wrong_with_an_event_names_its_field():
    with pytest.raises(TypeError, match=r"Response\.at must be float, not 'now'"):
        conformance.checked_parsed(Parsed([said(at="now")], 0, None, None, None), "fine")


def test_a_right_event_passes_unchanged():
    parsed = Parsed(
        [said(also=("a",), usage=Usage(1, 2, advisor=(("m", 1, 2, 3, 4, 5),)))], 0, START, "s", "p"
    )
    assert conformance.checked_parsed(parsed, "fine") == parsed


def test_a_guard_is_put_around_once():
    provider = faulty("parse")
    assert guarded(provider) is provider


# -- reading by itself -------------------------------------------------------------------------------------------


class Reading(Fine):
    def read(self, path, source):
        if path.endswith(".jsonl"):
            return None
        return iter(
            [
                Parsed([said()], 0, None, None, source.pending),
                Parsed([said(message_id="m2")], 0, None, None, "end"),
            ]
        )


def test_a_provider_may_read_some_files_by_itself(tmp_path):
    provider = Guarded("fine", Reading(), trusted=False)
    assert isinstance(Reading(), Reader)
    assert provider.reads
    write(tmp_path / "logs" / "a.log", {})
    desk = Desk(provider, tmp_path / "logs").read()
    assert desk.total("s").requests == 2
    assert [file.pending for file in desk.history.files.values()] == ["end"]


def test_until_its_last_part_a_file_counts_as_not_looked_at(tmp_path):
    provider = guarded(Reading())
    name = write(tmp_path / "a.log", {})
    job = Job(name, "fine", 0, 0, None, Source(None, None, "begin"))
    found = list(chunks(job, provider.parse, provider.identify, provider.read))
    assert [(chunk.size, chunk.parsed.pending) for chunk in found] == [(-1, "begin"), (3, "end")]


# -- choosing ----------------------------------------------------------------------------------------------------


def configured(text):
    return config.parse(text.encode(), "/etc/x.toml")


def test_a_provider_can_be_switched_off_or_sent_elsewhere():
    providers, _ = room.load()
    found = configured('[providers.codex]\nenabled = false\n[providers.gemini]\nfolders = ["/g"]')
    used = selection.enabled(providers, found)
    assert {one.name for one in used} == set(room.BUILTIN) - {"codex"}
    assert selection.folders(used, found, {"HOME": "/h"})["gemini"] == ["/g/tmp"]


def test_the_older_key_of_claude_codes_folders_still_holds():
    providers, _ = room.load()
    found = configured('[claude]\nconfig_dirs = ["/c"]')
    assert selection.folders(providers, found, {"HOME": "/h"})["claude-code"] == ["/c/projects"]
    found = configured('[claude]\nconfig_dirs = ["/c"]\n[providers.claude-code]\nfolders = ["/d"]')
    assert selection.folders(providers, found, {"HOME": "/h"})["claude-code"] == ["/d/projects"]


def test_each_client_is_looked_for_where_it_writes():
    providers, _ = room.load()
    found = selection.folders(
        providers, config.Config(), {"HOME": "/h", "CODEX_HOME": "/x", "COPILOT_HOME": "/p"}
    )
    assert found["codex"] == ["/x/sessions", "/x/archived_sessions"]
    assert found["gemini"] == ["/h/.gemini/tmp"]
    assert found["opencode"] == [
        "/h/.local/share/opencode/opencode.db",
        "/h/.local/share/opencode/storage/message",
    ]
    assert found["copilot"] == ["/p/session-state"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("providers = 3", "providers: must be a table of tables"),
        ("[providers]\ncodex = true", "providers.codex: must be a table"),
        (
            "[providers.codex]\nenable = true",
            "/etc/x.toml:2: providers.codex.enable: unknown key (did you mean enabled?)",
        ),
        ("[providers.codex]\nfolders = '/x'", "providers.codex.folders: must be a list of strings"),
    ],
)
def test_a_wrong_choice_is_named(text, why):
    with pytest.raises(config.ConfigError, match=re.escape(why)):
        configured(text)


def test_a_configured_provider_that_nobody_has_is_told():
    providers, broken = room.load()
    (told,) = selection.problems(providers, broken, configured("[providers.codecs]\nenabled = true")).items()
    assert told == ("codecs", "is configured, but no installed package has a provider of this name")


# -- the real listener -------------------------------------------------------------------------------------------


def test_a_listener_counts_a_package_of_its_own_beside_the_rest(packages, tmp_path, listener):
    import time

    claude(tmp_path / "user")
    install(packages, "other_tiny", documented())
    log = write(tmp_path / "user" / ".tiny" / "a.log", (RECORD % (1, time.time())).encode())
    listener.start(PYTHONPATH=f"{packages}{os.pathsep}{ROOT}", AITOP_PROVIDERS="")
    state = listener.wait_for(lambda s: s["today"]["requests"] == 2)
    assert state["providers"] == ["tiny", "claude-code"] or sorted(state["providers"]) == [
        "claude-code",
        "tiny",
    ]
    assert {name: share["today"]["requests"] for name, share in state["by_provider"].items()} == {
        "claude-code": 1,
        "tiny": 1,
    }
    write(log, (RECORD % (2, time.time())).encode(), grow=True)
    listener.send({"file": log}, b"aitop/1\tprovider=tiny\n")
    listener.wait_for(lambda s: s["by_provider"]["tiny"]["windows"]["5m"]["requests"] == 2)


def test_a_broken_package_leaves_a_line_and_disturbs_nobody(packages, tmp_path, listener):
    claude(tmp_path / "user")
    install(packages, "other_tiny", documented().replace("return configured or", "return 1 / 0 or"))
    install(packages, "other_worse", "raise SystemExit(1)", provider="worse")
    listener.start(PYTHONPATH=f"{packages}{os.pathsep}{ROOT}", AITOP_PROVIDERS="")
    state = listener.wait_for(lambda s: s["today"]["requests"] == 1)
    assert state["providers"] == ["claude-code"]
    assert state["doctor"]["broken_providers"] == {
        "tiny": "switched off, folders(): ZeroDivisionError: division by zero",
        "worse": "cannot be loaded: SystemExit: 1",
    }


def test_a_report_asks_for_one_provider(packages, tmp_path, home):
    claude(tmp_path / "user")
    install(packages, "other_tiny", documented())
    write(tmp_path / "user" / ".tiny" / "a.log", (RECORD % (1, START)).encode())
    environ = os.environ | {"PYTHONPATH": f"{packages}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "aitop", "report", "models", "--json", "--provider", "tiny"]
    out = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    assert re.findall(r'"provider": "([^"]*)"', out) == ["tiny"]
