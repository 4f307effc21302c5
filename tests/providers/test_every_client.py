"""What holds for every client with a recorded sample: golden totals, growth, restarts, bad values, no content kept."""

import copy
import importlib
import json
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT
from support import clients
from support.client_samples import SAMPLES, Documents, Lines, Store, Total, Writing
from support.desk import Desk

from aitop.history import schema
from aitop.history.store import History
from aitop.ingest.queue import Ingest
from aitop.model.sums import ZERO, Sum
from aitop.providers import pi
from aitop.providers.declaration import Client
from aitop.providers.load import BUILTIN

NAMES = sorted(SAMPLES)
WITHOUT_LINES = [name for name in NAMES if not isinstance(SAMPLES[name][0], Lines)]
ODD = (None, -1, 1e99, True, [], {}, "x" * 400, "\ud800", 1 << 62, "1", [None], {"a": []}, 0.5)
# Texts of a document or a row that may be kept: which session, where, by which model and tool, how it ended.
KEPT = {
    "cline": {"modelInfo.modelId"},
    "roo": set(),
    "bob": set(),
    "cline-cli": {"messages.id", "messages.modelInfo.id", "messages.content.name", "messages.content.id"},
    "hermes": {"id", "model", "cwd", "session_id"},
    "goose": {"model", "session_id"},
    "crush": {"id", "model"},
    "droid": {"model"},
    "vibe": {"session_id", "git_branch", "environment.working_directory", "config.models.name", "config.active_model"},
    "kiro": {"session_id", "cwd", "session_state.rts_model_state.model_info.model_id",
             "session_state.conversation_metadata.user_turn_metadatas.model"},
    "amp": {"id", "usageLedger.events.id", "usageLedger.events.model"},
    "zed": {"id", "model.model", "initial_project_snapshot.worktree_snapshots.worktree_path"},
}  # fmt: skip
SECRET = "zq000000qz"


def provider(name):
    module, _, attribute = BUILTIN[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def folders(name, home):
    """Where its records are; Crush's list of projects names the sample's."""
    if name == "crush":
        listed = home / ".local" / "share" / "crush" / "projects.json"
        listed.parent.mkdir(parents=True, exist_ok=True)
        project = {"path": str(home / "work" / "shop"), "data_dir": ".crush"}
        listed.write_text(json.dumps({"projects": [project]}))
    return provider(name).folders([], {"HOME": str(home)})


def told(desk):
    """The sum over all sessions."""
    total = ZERO
    for one in desk.totals().values():
        total = Sum(*(a + b for a, b in zip(total, one, strict=True)))
    return Total(
        total.requests, total.uncached_input_tokens, total.cache_read_tokens, total.cache_write_tokens,
        total.output_tokens,
    )  # fmt: skip


class Restarting(Desk):
    """A desk with its history in a file, which can lose what was not committed."""

    def __init__(self, path, one, *places):
        super().__init__(one, *places)
        self.path, self.places = str(path), [str(place) for place in places]
        self.restart()

    def restart(self):
        from support.desk import PRICES

        self.db.close()
        self.db = schema.connect(self.path)
        self.history = History(self.db, PRICES)
        self.ingest = Ingest(self.history, [self.provider], {self.provider.name: self.places}, 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_comes_to_its_golden_totals_in_one_read_and_in_another(tmp_path, name):
    sample, total = SAMPLES[name]
    writing = Writing(sample, tmp_path)
    writing.all()
    desk = Desk(provider(name), *folders(name, tmp_path)).read()
    writing.close()
    assert told(desk)[1:] == total[1:]
    assert desk.ingest.unreadable == {}
    assert told(desk.read()) == told(desk)
    assert desk.ingest.coverage()[name]["counted"]


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_that_grows_in_unaligned_steps_with_restarts_comes_to_the_same(tmp_path, name):
    sample, total = SAMPLES[name]
    writing = Writing(sample, tmp_path)
    desk = Restarting(tmp_path / "history.db", provider(name), *folders(name, tmp_path))
    for number, _ in enumerate(writing.steps()):
        desk.read()
        if number % 3 == 2:
            desk.restart()
    desk.read()
    writing.close()
    assert told(desk)[1:] == total[1:]
    # A cost that Crush adds up without tokens is a request of its own.
    assert told(desk).requests == total.requests + (name == "crush")
    assert desk.ingest.unreadable == {}


def test_the_documented_declaration_is_a_real_one_of_at_most_fifteen_lines():
    with open(os.path.join(ROOT, "docs", "providers.md"), encoding="utf-8") as file:
        (code,) = re.findall(r"```py\n(.*?)```", file.read(), re.DOTALL)
    names = {"Client": Client}
    exec(code, names)
    assert names["omp"] == pi.omp
    assert len(code.splitlines()) <= 15


def test_no_parser_is_loaded_for_a_client_that_is_not_here(tmp_path):
    parsers = {provider(name).parser for name in NAMES}
    code = (
        "import sys; from aitop.providers import load, selection; from aitop.config import Config; "
        f"found = selection.folders(load.load()[0], Config(), {{'HOME': {str(tmp_path)!r}}}); "
        f"print(sorted({parsers!r} & set(sys.modules)), len(found) > 30)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[] True\n"


def test_ci_installs_the_packages_of_the_pinned_clients_and_nothing_else():
    with open(os.path.join(ROOT, ".ci", "run"), encoding="utf-8") as file:
        (pattern,) = re.findall(r"sed -n 's/(\^.*)/\\1/p' tests/support/clients.py", file.read())
    with open(clients.__file__, encoding="utf-8") as file:
        picked = [re.search(pattern.replace(r"\(", "(").replace(r"\)", ")"), line) for line in file]
    assert [one[1] for one in picked if one] == list(clients.PACKAGES.values())


def test_each_sample_is_of_a_built_in_provider_and_each_new_provider_has_one():
    declared = {name for name in BUILTIN if type(provider(name)).__name__ == "Client"}
    assert declared - {"qoder"} == set(NAMES)


# -- hostile values and private text ----------------------------


def leaves(value, path=""):
    """(container, key, dotted path) of every value inside."""
    for key, one in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        dotted = f"{path}.{key}".lstrip(".") if isinstance(value, dict) else path
        yield value, key, dotted
        if isinstance(one, dict | list):
            yield from leaves(one, dotted)


def variants(name, replace):
    """(dotted path, a sample) for each value of the last step, replaced by what `replace` makes of it."""
    sample, _ = SAMPLES[name]
    if isinstance(sample, Documents):
        newest = sample.versions[-1]
        for number, (_, _, dotted) in enumerate(leaves(newest)):
            for other in replace(list(leaves(newest))[number]):
                changed = copy.deepcopy(newest)
                container, key, _ = list(leaves(changed))[number]
                container[key] = other
                yield dotted, sample._replace(versions=[changed])
    elif isinstance(sample, Store):
        yield from rows_replaced(sample, replace)


def rows_replaced(sample, replace):
    """One value of one statement at a time; a document in a row counts as its values."""
    flat = [one for step in sample.steps for one in step]
    for number, (sql, values) in enumerate(flat):
        names = columns(sql, sample.schema)
        for place, value in enumerate(values):
            document = json.loads(value) if isinstance(value, bytes) else None
            wanted = (
                [(dotted, key) for _, key, dotted in leaves(document)] if document else [(names[place], None)]
            )
            for at, (dotted, _) in enumerate(wanted):
                held = list(leaves(document))[at] if document else ({"": value}, "", dotted)
                for other in replace(held):
                    new = list(values)
                    new[place] = other
                    if document:
                        changed = copy.deepcopy(document)
                        container, key, _ = list(leaves(changed))[at]
                        container[key] = other
                        new[place] = json.dumps(changed).encode()
                    elif isinstance(other, list | dict) or (isinstance(other, int) and abs(other) > 1 << 62):
                        continue
                    elif other == "\ud800":
                        continue  # no text of SQLite's
                    steps = [[*flat[:number], (sql, tuple(new)), *flat[number + 1 :]]]
                    yield dotted, sample._replace(steps=steps)


def columns(sql, tables):
    """The columns that a statement's marks stand for."""
    named = re.search(r"\((\w[\w, ]*)\)\s*VALUES", sql)
    if named:
        return [one.strip() for one in named[1].split(",")]
    if sql.startswith("UPDATE"):
        return re.findall(r"(\w+) = \?", sql)
    table = re.search(r"INTO (\w+) VALUES \((.*)\)", sql)
    body = re.search(rf"CREATE TABLE {table[1]} \((.*?)\);", tables, re.DOTALL)[1]
    names = [part.split()[0] for part in re.split(r",(?![^(]*\))", body)]
    marks = [part.strip() for part in table[2].split(",")]
    return [name for name, mark in zip(names, marks, strict=False) if mark == "?"]


def read_once(name, home, sample):
    """What a provider makes of a sample, without a history."""
    writing = Writing(sample, home)
    try:
        writing.all()
    except Exception as error:  # what SQLite itself refuses is no record
        if "constraint" in str(error) or "datatype" in str(error):
            return []
        raise
    finally:
        writing.close()
    one = provider(name)
    return list(one.read(writing.path, one.identify(writing.path)))


@pytest.mark.parametrize("name", WITHOUT_LINES)
@pytest.mark.slow
def test_no_value_whatsoever_breaks_it(tmp_path, name):
    def odd(held):
        return [
            one for one in ODD if not isinstance(held[0][held[1]], dict | list) or not isinstance(one, str)
        ]

    for number, (dotted, sample) in enumerate(variants(name, odd)):
        home = tmp_path / str(number)
        for parsed in read_once(name, home, sample):
            for event in parsed.events:
                usage = getattr(event, "usage", None)
                assert usage is None or all(0 <= count < 1 << 26 for count in usage[:6]), dotted


@pytest.mark.parametrize("name", WITHOUT_LINES)
def test_no_content_is_taken(tmp_path, name):
    def secret(held):
        value = held[0][held[1]]
        return [SECRET] if isinstance(value, str) else []

    found = set()
    for number, (dotted, sample) in enumerate(variants(name, secret)):
        parsed = read_once(name, tmp_path / str(number), sample)
        if any(SECRET in repr(one.events) for one in parsed):
            found.add(dotted)
    assert found == KEPT[name]
