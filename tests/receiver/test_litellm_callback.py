"""LiteLLM's callback at the receiver: kept before it is counted, once, with nothing of its contents."""

import json
import os

import pytest
from support.desk import Desk
from support.litellm_payload import SECRET, payload
from support.telemetry_desk import Desk as Receiver

from aitop.providers.gateway import litellm


@pytest.fixture
def receiver(home):
    made = Receiver(home)
    yield made
    made.telemetry.close()
    made.selector.close()


def total(home):
    totals = Desk(litellm, *litellm.folders([], {"AITOP_HOME": home})).read().totals()
    return next(iter(totals.values()), None)


TWO = [payload(), payload(litellm_call_id="b", id="b")]


@pytest.mark.parametrize(
    "body", [json.dumps(TWO), "\n".join(map(json.dumps, TWO)) + "\n", json.dumps([*TWO, TWO[0], "odd", None])]
)
def test_a_list_and_lines_of_payloads_are_kept_and_count_once(receiver, home, body):
    assert receiver.ask(body.encode(), "/v1/litellm").status == 200
    assert total(home).requests == 2
    for folder, _, names in os.walk(home):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert SECRET.encode() not in file.read()


def test_a_single_payload_is_kept_too(receiver, home):
    assert receiver.ask(json.dumps(TWO[0]).encode(), "/v1/litellm").status == 200
    assert total(home).requests == 1


@pytest.mark.parametrize("body", [b"", b"{half", b"null", b"{}\n{half"])
def test_what_is_no_json_is_refused(receiver, home, body):
    assert receiver.ask(body, "/v1/litellm").status == 400
    assert total(home) is None


def test_without_the_token_nothing_is_kept(receiver, home):
    assert receiver.ask(json.dumps(TWO).encode(), "/v1/litellm", shown="wrong").status == 401
    assert total(home) is None


def test_a_home_that_cannot_be_written_is_said_so_that_it_is_sent_again(receiver, home):
    with open(os.path.join(home, "gateway"), "w"):
        pass
    assert receiver.ask(json.dumps(TWO).encode(), "/v1/litellm").status == 503
