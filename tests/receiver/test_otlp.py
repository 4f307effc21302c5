"""OTLP's two forms say the same; what is damaged, hostile or somebody's text goes no further."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import otlp_bodies as bodies

from aitop import otlp
from aitop.otlp import JSON, PROTOBUF, Malformed

TREES = {
    "logs": bodies.logs(bodies.request(), service__version="2.1.330"),
    "traces": bodies.traces(
        bodies.span(
            1, 10, 12.5,
            {"gen_ai.usage.input_tokens": 9000, "gen_ai.response.finish_reasons": ["stop"], "stream": True, "t": 0.25},
            parent=7, code=2,
        )  # fmt: skip
    ),
    "metrics": bodies.metrics(
        bodies.histogram(
            "gen_ai.client.token.usage", [(10, 70, {"gen_ai.token.type": "input"}, 18500.0, 2)], temporality=2
        ),
        {
            "name": "a.sum",
            "sum": {
                "aggregationTemporality": 1,
                "dataPoints": [
                    {"timeUnixNano": "5000000000", "asInt": "7"}, {"timeUnixNano": "6000000000", "asDouble": 1.5},
                ],
            },
        },
        {
            "name": "an.exponential",
            "exponentialHistogram": {
                "aggregationTemporality": 2,
                "dataPoints": [{"timeUnixNano": "5000000000", "sum": 3.5, "count": "2", "attributes": []}],
            },
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("signal", otlp.SIGNALS)
def test_both_forms_of_a_body_give_the_same_records(signal):
    tree = TREES[signal]
    found = otlp.decode(signal, bodies.as_json(tree), JSON)
    assert found == otlp.decode(signal, bodies.as_protobuf(signal, tree), PROTOBUF)
    assert found


def test_a_log_record_has_its_name_time_attributes_and_service():
    (record,) = otlp.decode("logs", bodies.as_json(TREES["logs"]), JSON)
    assert (record.kind, record.name, record.at) == ("log", "api_request", bodies.START)
    assert (record.service, record.number("cost_usd"), record.text("model")) == (
        "claude-code", 0.024252, "claude-opus-5-5",
    )  # fmt: skip


def test_a_span_has_its_times_its_place_and_whether_it_failed():
    (record,) = otlp.decode("traces", bodies.as_json(TREES["traces"]), JSON)
    assert (record.started_at, record.at, record.failed) == (10, 12.5, True)
    assert (record.span, record.parent) == (f"{1:016x}", f"{7:016x}")
    assert record.attributes["gen_ai.response.finish_reasons"] == ["stop"]


def test_a_metric_is_one_record_for_each_data_point():
    found = otlp.decode("metrics", bodies.as_json(TREES["metrics"]), JSON)
    assert [(one.name, one.value, one.measured, one.cumulative) for one in found] == [
        ("gen_ai.client.token.usage", 18500.0, 2, True), ("a.sum", 7.0, 1, False), ("a.sum", 1.5, 1, False),
        ("an.exponential", 3.5, 2, True),
    ]  # fmt: skip


def test_numbers_are_read_as_numbers_or_as_texts():
    tree = bodies.logs(bodies.log("x", 1, a="41", b=41, c=41.0, d="many", e=-1, f=True))
    tree["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"].append(
        {"key": "g", "value": {"intValue": 41}}  # not as the specification has it, and sent all the same
    )
    (record,) = otlp.decode("logs", bodies.as_json(tree), JSON)
    assert [record.number(name) for name in "abcdefgh"] == [41, 41, 41, None, None, None, 41, None]


SECRETS = {
    "prompt": "secret", "user.email": "secret", "gen_ai.input.messages": "secret", "gen_ai.prompt.0.content": "secret",
    "tool_parameters": "secret", "long": "secret" * 100, "nested": {"text": "secret"},
}  # fmt: skip


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
def test_contents_and_identities_are_dropped(media):
    tree = bodies.logs(bodies.log("user_prompt", 1, kept="yes", **SECRETS))
    tree["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"] = {"stringValue": "secret"}
    body = bodies.as_json(tree) if media == JSON else bodies.as_protobuf("logs", tree)
    found = otlp.decode("logs", body, media)
    assert "secret" not in repr(found)
    assert found[0].attributes["kept"] == "yes"


def test_half_a_character_costs_no_record():
    body = bodies.as_json(bodies.logs(bodies.log("x", 1, cut="HALF", whole="yes"))).replace(
        b"HALF", rb"\ud83d"
    )
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)
    (record,) = otlp.decode("logs", body, JSON)
    assert record.text("whole") == "yes"
    assert record.text("cut").encode() == b"?"


@pytest.mark.parametrize(
    ("media", "body"),
    [
        (JSON, b""), (JSON, b"{"), (JSON, b"[]"), (JSON, b"\xff"), (JSON, b'"\\ud83d'), (JSON, b"[" * 100_000),
        (JSON, b'{"a":"\\ud83d","b":' + b"[" * 100_000),
        (PROTOBUF, b"\x0a"), (PROTOBUF, b"\x0a\x05ab"), (PROTOBUF, b"\x0b"), (PROTOBUF, b"\xff" * 11),
        (PROTOBUF, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    ],
)  # fmt: skip
def test_a_body_that_is_not_what_it_says_is_malformed(media, body):
    with pytest.raises(Malformed):
        otlp.decode("logs", body, media)


def test_an_empty_protobuf_body_is_an_empty_batch():
    assert otlp.decode("logs", b"", PROTOBUF) == []


@pytest.mark.parametrize(
    ("media", "body"),
    [
        (JSON, b'{"a":[' + b"{}," * 500_000 + b"{}]}"),
        (JSON, b'{"a":[' + b"1.5," * 500_000 + b"1]}"),
        (JSON, b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * 10_000 + b"{}]}]}]}"),
        (PROTOBUF, b"\x0a\x00" * 500_000),
    ],
)
def test_more_objects_than_any_batch_has_are_refused(media, body):
    with pytest.raises(Malformed, match="too many"):
        otlp.decode("logs", body, media)


def test_fields_that_nobody_wants_are_passed_over_whatever_their_kind():
    unknown = b"\x98\x06\x01" + b"\x91\x06" + b"x" * 8 + b"\x95\x06" + b"x" * 4 + b"\x9a\x06\x03abc"
    known = bodies.as_protobuf("logs", TREES["logs"])
    expected = otlp.decode("logs", known, PROTOBUF)
    assert otlp.decode("logs", unknown + known + unknown, PROTOBUF) == expected


@given(st.sampled_from(otlp.SIGNALS), st.binary(max_size=400))
def test_no_bytes_do_more_than_be_malformed_as_protobuf(signal, body):
    try:
        otlp.decode(signal, body, PROTOBUF)
    except Malformed:
        pass


@given(st.sampled_from(otlp.SIGNALS), st.data())
def test_a_damaged_protobuf_does_no_more_than_be_malformed(signal, data):
    body = bytearray(bodies.as_protobuf(signal, TREES[signal]))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        otlp.decode(signal, bytes(body), PROTOBUF)
    except Malformed:
        pass


NAMES = sorted(set(json.dumps(list(TREES.values())).replace("{", '"').split('"')[1::2]) | {"value", "key"})
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=30,
)


@given(st.sampled_from(otlp.SIGNALS), st.data())
def test_anything_may_stand_anywhere_in_a_json_body(signal, data):
    tree = json.loads(json.dumps(TREES[signal]))
    node = tree
    for _ in range(data.draw(st.integers(0, 9))):
        where = sorted(node) if isinstance(node, dict) else range(len(node))
        inner = [key for key in where if isinstance(node[key], dict | list) and node[key]]
        if not inner:
            break
        node = node[data.draw(st.sampled_from(inner))]
    key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else list(range(len(node)))))
    node[key] = data.draw(ANYTHING)
    for record in otlp.decode(signal, bodies.as_json(tree), JSON):
        assert all(isinstance(one, str | int | float | list) for one in record.attributes.values())
        assert record.at >= 0
