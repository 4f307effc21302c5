"""A real listener beside every client's files: what is there is counted, what comes is noticed, a gap is named."""

import json
import time

import pytest
from support import client_samples as made
from support.client_samples import SAMPLES, Writing, write_document

NEW = 7777  # tokens of input that come while the listener runs


@pytest.fixture
def clients(tmp_path):
    """Every sample in one home, each still open."""
    home = tmp_path / "user"
    writings = {name: Writing(sample, home) for name, (sample, _) in SAMPLES.items()}
    for one in writings.values():
        one.all()
    listed = home / ".local" / "share" / "crush" / "projects.json"
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text(json.dumps({"projects": [{"path": str(home / "work" / "shop"), "data_dir": ".crush"}]}))
    (home / ".cursor" / "chats").mkdir(parents=True)
    yield writings
    for one in writings.values():
        one.close()


def appended(*records):
    def do(writing, at):
        with open(writing.path, "ab") as file:
            file.writelines(json.dumps(one(at)).encode() + b"\n" for one in records)

    return do


def run(statement):
    return lambda writing, at: writing.db.execute(*statement(at))


def cline_task(writing, at):
    request = made.cline_request(0, tokensIn=NEW, tokensOut=5)
    write_document(writing.path, [*made.CLINE, request | {"ts": int((made.START + at) * 1000)}])


def cline_session(writing, at):
    message = made.cline_message(0, NEW, 5) | {"ts": int((made.START + at) * 1000), "id": "new"}
    write_document(writing.path, {"messages": [*made.CLINE_CLI, message]})


# client → how it writes one more call, `at` seconds after the samples' beginning
GROWS = {
    "pi": appended(lambda at: made.pi_answer(99, at, NEW)),
    "kimi": appended(made.kimi_request, lambda at: made.kimi_usage(at, NEW)),
    "grok": appended(lambda at: made.grok_turn(at, "new", 1, NEW, 0, 5)),
    "goose": run(lambda at: made.goose_row(at, NEW, 5, 0)),
    "hermes": run(lambda at: made.hermes_used(9, 3600 + NEW, 200, 14_900, at)),
    "crush": run(lambda at: made.crush_session(18_500 + NEW, 200, 0.9, at)),
    "zed": run(lambda at: made.zed_thread(at, {}, made.zed_usage(5000 + NEW, 300, 14_900))),
    "droid": lambda writing, _: write_document(
        writing.path, made.droid(3600 + NEW, 200, 14_900, 20, 50, 2000)
    ),
    "kiro": lambda writing, at: write_document(
        writing.path, made.kiro(*made.KIRO, made.kiro_turn(99, at, [0.125], NEW, 5))
    ),
    "vibe": lambda writing, _: write_document(writing.path, made.vibe(18_500 + NEW, 200, 0.9)),
    "cline": cline_task,
    "cline-cli": cline_session,
    "amp": lambda writing, at: write_document(
        writing.path, made.amp([(1, 3000, 50, 25), (2, 600, 70, 12.5), (at, NEW, 5, 1)])
    ),
}


def fresh_input(state, name):
    part = state["by_provider"].get(name, {}).get("since_start", {})
    return part.get("input_tokens", 0) - part.get("cache_read_tokens", 0)


def test_a_new_record_of_every_client_reaches_the_state_while_its_client_writes(clients, listener):
    listener.start(AITOP_PROVIDERS="builtin")
    state = listener.wait_for(
        lambda s: s["scan"]["complete"] and len(s["coverage"]["clients"]) > len(SAMPLES)
    )
    found = {name for name, one in state["coverage"]["clients"].items() if one["found"] and one["counted"]}
    assert set(SAMPLES) <= found
    assert state["coverage"]["clients"]["cursor"]["counted"] is False
    for name, grow in GROWS.items():
        grow(clients[name], time.time() - made.START + 1)  # some write whole seconds: not before the start
    state = listener.wait_for(lambda s: all(fresh_input(s, name) >= NEW for name in GROWS))
    assert {name: fresh_input(state, name) for name in GROWS} == dict.fromkeys(GROWS, NEW)
    assert state["by_provider"]["amp"]["credits"]["today"] == pytest.approx(1.0)
    assert state["by_provider"]["pi"]["credits"] is None
    assert state["by_provider"]["droid"]["credits"]["today"] == pytest.approx(2000.0)
    assert state["by_provider"]["droid"]["credits"]["per_usd"] is None
    assert state["by_provider"]["kiro"]["credits"]["today"] == pytest.approx(0.125)
    assert {name for name in state["today"] if "credit" in name} == set()
