"""What is kept of a client's records, field by field: a secret of its own in each, and a search for it.

Every text of every kind of record in the fuzzer's corpus is replaced once, alone, so that the record is
still understood; so is every name of a field. What a provider makes of it is searched, and then every
file that the real listener leaves behind, with its log at its most talkative. KEPT is the whole list of
what may be found; all of it is found, so the search does search.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys

import pytest
from conftest import ROOT
from fuzz import corpus, mutate
from fuzz.targets import databases
from support.kept_fields import KEPT
from support.lines import START
from support.opencode_records import TABLES, ms
from support.planted_places import PLACES

from aitop import otlp
from aitop.providers.gateway import litellm_payload
from aitop.providers.load import load

pytestmark = pytest.mark.timeout(120)

SECRET = re.compile(rb"zq\d{6}qz")
IN_FILES = ("opencode", "opencode database", "environment")  # seen in what the listener leaves behind only


def leaves(value, path=""):
    """(container, key, dotted path) of every text inside, and of every name with `#` before it."""
    inside = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    if isinstance(value, dict) and {"key", "value"} <= set(value):  # an attribute
        path = f"{path.removesuffix('.attributes')}[{value['key']}]"
    for key, one in inside:
        dotted = f"{path}.{key}".lstrip(".") if isinstance(value, dict) else path
        if isinstance(value, dict):
            yield value, key, f"#{dotted}"
        if isinstance(one, str):
            yield value, key, dotted
        elif isinstance(one, dict | list):
            yield from leaves(one, dotted)


# client → those of the fields above that say how something ended
WORDS = {
    "claude-code": {"trigger", "error", "stop_reason"},
    "codex": {"codex_error_info", "http"},
    "copilot": {"errorType", "finishReason"},
    "pi": {"stopReason"},
    "grok": {"stop_reason", "title"},
    "gateway": {"error", "stop_reason"},
    "qwen": {"error_type"},
    "socket": {"error", "reason", "trigger"},
    "litellm": {"error_class", "finish_reason"},
    "otlp-json": {"log[status_code]", "span[gen_ai.response.finish_reasons]"},
}


SHORT = {
    "resourceLogs.scopeLogs.logRecords": "log", "resourceSpans.scopeSpans.spans": "span",
    "resourceSpans.resource": "resource", "resourceLogs.resource": "resource",
    ".value.stringValue": "", ".value.arrayValue.values.stringValue": "",
}  # fmt: skip


class Planted:
    """Secret → the client and the field it stands in."""

    form = "{}"

    def __init__(self):
        self.fields = {}

    def secret(self, client, field):
        for long, brief in SHORT.items():
            field = field.replace(long, brief)
        name = f"zq{len(self.fields):06d}qz"
        self.fields[name] = (client, field)
        return self.form.format(name)

    def variants(self, client, seed):
        """Copies of a seed (a document, or lines), each with one secret in it."""
        places = len(list(leaves(seed)))
        for number in range(places):
            copied = mutate._copy(seed)
            container, key, field = list(leaves(copied))[number]
            secret = self.secret(client, field)
            if field.startswith("#"):
                container[secret] = container.pop(key)
            else:
                container[key] = secret
            yield copied

    def found(self, data):
        """(client, field) of every secret in some bytes."""
        return {self.fields[name.decode()] for name in SECRET.findall(data)}


@pytest.mark.parametrize("client", sorted(WORDS))
def test_how_something_ended_is_kept_as_a_word_and_never_as_a_sentence(client, monkeypatch):
    monkeypatch.setattr(Planted, "form", "the user said {} and more")
    planted, found = Planted(), set()
    for more, seed in seeds_of(client):
        for variant in planted.variants(client, seed):
            found |= {field for _, field in planted.found(understood(client, more, variant).encode())}
    assert found
    assert [field for field in found if {field, field.rpartition(".")[2]} & WORDS[client]] == []


def files_of(folder):
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    yield path, file.read()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def lines(records):
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)


ROWS = ("opencode-database", "copilot-chat")  # clients of databases: a seed says the rows of each table


def understood(client, seed, variant):
    """What a provider makes of a variant, as text."""
    if client in ROWS:
        fed = databases.Rows(client)
        try:
            fed.write(json.dumps(variant).encode())
            return repr(list(fed.provider.read(fed.path, fed.source)))
        finally:
            fed.close()
    providers = {one.name: one for one in load()[0]}
    if client in ("socket", "status-line"):
        feeds = (
            [one.feed({}, variant, START) for one in providers.values()] if isinstance(variant, dict) else []
        )
        return repr([(feed.events, feed.session, feed.event, feed.tool_use_id) for feed in feeds if feed])
    if client == "litellm":
        return repr(litellm_payload.entry(variant, "litellm/proxy"))
    if client == "otlp-json":
        records = otlp.decode(seed, json.dumps(variant).encode(), otlp.JSON)
        told = [one.telemetry(records, START) for one in providers.values() if hasattr(one, "telemetry")]
        return repr(told)
    provider = providers["openai" if client == "gateway" else client]
    return repr(provider.parse(lines(variant), 0, provider.identify("/h/chats/x.jsonl")))


def seeds_of(client):
    """(what else is to be known of it, a document or lines)."""
    if client == "otlp-json":
        for data in corpus.raw(client):
            signal, _, body = data.partition(b"\n")
            yield signal.decode(), json.loads(body)
    elif client in ("socket", "status-line", "litellm", *ROWS):
        yield from ((None, seed) for seed in corpus.documents(client))
    else:
        yield from ((None, seed) for seed in corpus.lines(client))


@pytest.mark.parametrize("client", sorted(set(KEPT) - set(IN_FILES)))
def test_a_provider_takes_only_the_fields_on_the_list(client):
    planted, found = Planted(), set()
    for more, seed in seeds_of(client):
        for variant in planted.variants(client, seed):
            found |= {field for _, field in planted.found(understood(client, more, variant).encode())}
    assert found == KEPT[client]


def plant_files(planted, user):
    """Every client's records where the client would have written them; how many."""
    number = 0
    for client, place in PLACES.items():
        seeds = corpus.documents(client) if client == "opencode" else corpus.lines(client)
        for seed in seeds:
            for found in planted.variants(client, seed):
                number += 1
                if client == "opencode":
                    for key in ("id", "sessionID"):  # else one would take another's place
                        if isinstance(found.get(key), str) and not SECRET.match(found[key].encode()):
                            found[key] += f"_{number}"
                data = json.dumps(found).encode() if client == "opencode" else lines(found)
                write(os.path.join(user, place.format(number)), data)
    plant_database(planted, os.path.join(user, ".local", "share", "opencode", "opencode.db"))
    return number


def plant_database(planted, path):
    """OpenCode's newer records: a session, its messages and their parts."""
    db = sqlite3.connect(path)
    db.executescript(TABLES)
    seed = {
        "session": {"directory": "/work/shop"},
        "message": {**corpus.documents("opencode")[2], "error": {"name": "APIError", "data": {"message": "x"}}},
        "part": {"type": "step-finish", "reason": "stop", "tokens": {"input": 5, "output": 6}, "snapshot": "x"},
        "tool": {"type": "tool", "tool": "bash", "callID": "c", "state": {"status": "completed", "title": "t",
                 "input": {"command": "ls"}, "output": "o", "time": {"start": ms(1), "end": ms(2)}}},
    }  # fmt: skip
    for number, found in enumerate(planted.variants("opencode database", seed)):
        if set(found) != set(seed):
            continue
        session, message = f"ses_db{number}", f"msg_db{number}"
        row = (session, None, found["session"].get("directory"), 0, ms(9), ms(0))
        db.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)", row)
        db.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)",
                   (message, session, ms(0), ms(4), json.dumps(found["message"])))  # fmt: skip
        found["tool"].setdefault("callID", "")
        found["tool"]["callID"] += str(number)  # else one would take another's place
        for part in ("part", "tool"):
            db.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?)",
                       (f"{part}{number}", message, session, 0, json.dumps(found[part])))  # fmt: skip
    db.commit()
    db.close()


def plant_payloads(planted, listener):
    """Hooks and status lines to the socket; how many were sent."""
    sent = 0
    for client in ("socket", "status-line"):
        for seed in corpus.documents(client):
            for found in planted.variants(client, seed):
                listener.send(found)
                sent += 1
    for data in (b"garbage %s", b'{"session_id":"%s', b"aitop/1\tkey=%s\n{}", b"aitop/1\tevent=%s\n{}",
                 b'aitop/1\tprovider=%s\n{"session_id":"s","hook_event_name":"Stop"}'):  # fmt: skip
        listener.send(data % planted.secret("garbage", data.decode()).encode())
        sent += 1
    return sent


def plant_environment(planted, home):
    """The real forwarder, in an environment full of secrets."""
    names = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SSH_AUTH_SOCK",
             "OPENAI_API_KEY", "AITOP_TAG", "CLAUDE_CONFIG_DIR", "TMUX", "OLDPWD", "ANYTHING")  # fmt: skip
    environ = os.environ | {name: planted.secret("environment", name) for name in names}
    payload = json.dumps({"session_id": "environment", "hook_event_name": "Stop"}).encode()
    done = subprocess.run([sys.executable, "-m", "aitop", "hook", "Stop"], env=environ | {"PYTHONPATH": ROOT},
                          input=payload, capture_output=True, timeout=30)  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return 1


def test_of_all_that_clients_write_and_say_only_the_fields_on_the_list_are_kept(
    listener, tmp_path, monkeypatch
):
    planted = Planted()
    user = str(tmp_path / "user")
    many = plant_files(planted, user)
    assert many > 500
    monkeypatch.setenv("XDG_CONFIG_HOME", os.path.join(user, ".config"))
    listener.start(
        AITOP_LOG_LEVEL="debug", ANTHROPIC_API_KEY=planted.secret("environment", "of the listener")
    )
    sent = plant_payloads(planted, listener) + plant_environment(planted, listener.home)
    listener.wait_for(
        lambda s: s["scan"]["complete"] and s["hooks"]["received"] + s["hooks"]["rejected"] > sent - 200
        and any(session["id"] == "environment" for session in s["sessions"]),
        seconds=60,
    )  # fmt: skip
    report = subprocess.run(
        [sys.executable, "-m", "aitop", "doctor", "--report"], env=os.environ | {"PYTHONPATH": ROOT},
        capture_output=True, timeout=60,
    ).stdout  # fmt: skip
    found, seen = set(), set()
    for again in (False, True):  # the write-ahead log while it runs, and what stays at its end
        for path, data in files_of(listener.home):
            found |= planted.found(data)
            seen.add(os.path.basename(path))
        if not again:
            listener.end()
    assert {"history.db", "history.db-wal", "state.json", "aitop.log", "tmux", "waybar", "swiftbar"} <= seen
    assert sorted(one for one in found if one[1] not in KEPT.get(one[0], ())) == []
    for client in IN_FILES:
        # Ids of responses are kept as digests.
        assert {field for of, field in found if of == client} == KEPT[client] - {"id"}
    assert json.loads(report)["aitop"]
    assert [field for _, field in planted.found(report) if "model" not in field.lower()] == []
