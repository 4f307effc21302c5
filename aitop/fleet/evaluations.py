"""Scores of judged turns as OpenTelemetry's event `gen_ai.evaluation.result`, to the receiver that gets the metrics.

The event and its attributes are those of the GenAI conventions (model/gen-ai/events.yaml). OTLP over HTTP in its JSON
form, by the standard library: the SDK's part for events is not settled. No text, session or response id is in it, and
names are shaped as every label is.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from typing import NamedTuple

from aitop import __version__
from aitop.fleet.labels import Shape
from aitop.model.json_types import JsonObject

EVENT = "gen_ai.evaluation.result"
NAME, VALUE, LABEL = (f"gen_ai.evaluation.{part}" for part in ("name", "score.value", "score.label"))
MODEL, PROVIDER = "gen_ai.response.model", "gen_ai.provider.name"
METRICS_PATH, LOGS_PATH = "/v1/metrics", "/v1/logs"
INFO = 9  # the severity
SECONDS = 10.0


class Evaluation(NamedTuple):
    """One score of one turn, 0 to 1; `at`: when it was judged, epoch seconds."""

    at: float
    model: str
    project: str
    metric: str
    score: float
    is_good: bool
    confidence: float
    judge: str
    prompt: int


def endpoint(metrics: str) -> str | None:
    """Where events go beside metrics; None for an address that is not OTLP's usual one."""
    base = metrics.rstrip("/")
    return base.removesuffix(METRICS_PATH) + LOGS_PATH if base.endswith(METRICS_PATH) else None


def body(
    found: Iterable[Evaluation], shape: Shape, origin: tuple[str, str], instance: str, step: float
) -> bytes:
    """An OTLP request. `origin`: user and host as labels; `step`: seconds to which times are cut off, 0: none."""
    records = [
        {
            "timeUnixNano": str(round((one.at - one.at % step if step else one.at) * 1e9)),
            "severityNumber": INFO,
            "eventName": EVENT,
            "attributes": _attributes(_facts(one, shape, origin)),
        }
        for one in found
    ]
    scope = {"scope": {"name": "aitop", "version": __version__}, "logRecords": records}
    resource = {"attributes": _attributes({"service.name": "aitop", "service.instance.id": instance})}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}).encode()


def _facts(one: Evaluation, shape: Shape, origin: tuple[str, str]) -> dict[str, str | float]:
    return {
        NAME: one.metric,
        VALUE: one.score,
        LABEL: "good" if one.is_good else "low",
        MODEL: shape.value("model", one.model),
        PROVIDER: "anthropic",
        "aitop.project": shape.value("project", one.project),
        "aitop.user": origin[0],
        "aitop.host": origin[1],
        "aitop.evaluation.confidence": one.confidence,
        "aitop.evaluation.judge": one.judge,
        "aitop.evaluation.prompt_version": float(one.prompt),
    }


def _attributes(facts: JsonObject) -> list[JsonObject]:
    """As OTLP has them; an empty text is left out."""
    return [
        {"key": key, "value": {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}}
        for key, value in facts.items()
        if value != ""
    ]


def send(url: str, headers: dict[str, str], data: bytes) -> str | None:
    """Send once; None, or why it did not arrive."""
    if not url.startswith(("http://", "https://")):
        return f"{url} is no address of HTTP"
    request = urllib.request.Request(  # noqa: S310 - only http and https pass
        url, data, {"Content-Type": "application/json", "User-Agent": "aitop", **headers}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return f"{url} did not take the scores ({error.code}); they are sent again"
    except (OSError, HTTPException, ValueError) as error:
        return f"{url} cannot be reached ({type(error).__name__}); the scores are sent again"
