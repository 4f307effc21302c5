"""A built-in provider is complete: registered, announced, fuzzed, and searched for private text."""

import os
import re

import pytest
from conftest import ROOT
from fuzz import corpus
from fuzz.targets import all_targets
from support.client_samples import SAMPLES, Lines
from support.kept_fields import KEPT
from support.planted_places import PLACES

from aitop.providers.load import BUILTIN
from aitop.top.processes import CLIENTS

FOLDER = os.path.join(ROOT, "aitop", "providers")
# provider → its name among the fuzz targets and the privacy examples, where that is another one
KNOWN_AS = {
    "judge": "gateway", "openai": "gateway", "ollama": "gateway", "otel": "otlp-json",
    "kilo": "opencode", "mimo": "opencode", "openclaude": "claude-code", "trae": "codex",
    "omp": "pi", "openclaw": "pi", "qoder": "claude-code",
}  # fmt: skip


def agree(table, file, names):
    return f"`{table}` of {file} and the providers differ in: {', '.join(sorted(names))}"


def test_every_provider_folder_is_registered():
    folders = {
        entry.name for entry in os.scandir(FOLDER) if os.path.isfile(os.path.join(entry.path, "__init__.py"))
    }
    registered = {target.partition(":")[0].split(".")[2] for target in BUILTIN.values()}
    assert folders == registered, agree("BUILTIN", "aitop/providers/load.py", folders ^ registered)


def test_every_built_in_provider_has_a_row_in_its_page():
    with open(os.path.join(ROOT, "docs", "providers.md"), encoding="utf-8") as file:
        rows = set(re.findall(r"^\| `([a-z-]+)` \|", file.read(), re.MULTILINE))
    assert set(BUILTIN) - rows == set(), "needs a row `| `NAME` | …` in docs/providers.md"


# A provider that reads documents or a database by itself has both in a file of tests: hostile values, private text.
BOTH = ("test_no_value_whatsoever_breaks_it", "test_no_content_is_taken")
OWN_TESTS = {
    "copilot-chat": ("test_copilot_chat.py", *BOTH),
    **{
        name: ("test_every_client.py", *BOTH)
        for name, (sample, _) in SAMPLES.items()
        if not isinstance(sample, Lines)
    },
}
BY_CORPUS = [name for name in BUILTIN if name not in OWN_TESTS]


@pytest.mark.parametrize("name", OWN_TESTS)
def test_a_provider_outside_the_corpus_has_both_in_its_own_tests(name):
    file, *wanted = OWN_TESTS[name]
    with open(os.path.join(ROOT, "tests", "providers", file)) as opened:
        tests = opened.read()
    assert all(f"\ndef {test}(" in tests for test in wanted)


@pytest.mark.parametrize("name", BY_CORPUS)
def test_every_provider_has_a_fuzz_target_with_a_corpus(name):
    known_as = KNOWN_AS.get(name, name)
    assert known_as in all_targets(), (
        f"`{known_as}` needs a target in tests/fuzz/targets/__init__.py, or `{name}` its family's name in `KNOWN_AS`"
    )
    assert os.path.isdir(os.path.join(corpus.FOLDER, known_as)), (
        f"needs records in tests/fuzz/corpus/{known_as}/"
    )
    assert corpus.raw(known_as)


@pytest.mark.parametrize("name", BY_CORPUS)
def test_every_provider_has_an_example_that_is_searched_for_private_text(name):
    assert KNOWN_AS.get(name, name) in KEPT, (
        f"`{name}` needs an entry in `KEPT` of tests/support/kept_fields.py"
    )


# They write no file of a client's: the journal is our own, and what a socket brings is planted by itself.
NO_PLACE = {"gateway", "litellm", "otlp-json"}
# No process of its own to end: an extension of an editor, or what passes through the gateway or telemetry.
NO_PROCESS = {"bob", "cline", "copilot-chat", "judge", "litellm", "ollama", "openai", "otel", "roo", "zed"}


def test_the_search_through_the_listener_s_own_files_has_a_record_of_every_client_with_a_corpus():
    clients = {KNOWN_AS.get(name, name) for name in BY_CORPUS} - NO_PLACE
    assert set(PLACES) == clients, agree("PLACES", "tests/support/planted_places.py", set(PLACES) ^ clients)


def test_every_client_with_a_process_of_its_own_can_be_ended():
    clients = set(BUILTIN) - NO_PROCESS
    assert set(CLIENTS) == clients, agree("CLIENTS", "aitop/top/processes.py", set(CLIENTS) ^ clients)
    assert all(CLIENTS.values())
