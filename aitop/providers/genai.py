"""OpenTelemetry's GenAI conventions: one span of an inference → one response. Pure; keeps no text.

Source: the semantic conventions for generative AI (in development); names that they had before, and
those of OpenLLMetry, are read too, since libraries follow late. `input_tokens` is all input there.
"""

from aitop.model.events import Response, Usage
from aitop.otlp import Record
from aitop.providers.lenient import count, milliseconds, word

# What is no call to a model: these hold the sums of the calls inside them.
AROUND = ("invoke_agent", "create_agent", "execute_tool", "invoke_workflow")
INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens")
OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens")
READ = (
    "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached", "gen_ai.usage.details.cache_read_tokens",
)  # fmt: skip
WRITTEN = (
    "gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.details.cache_write_tokens",
)  # fmt: skip
REASONING = ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.details.reasoning_tokens")
FIRST = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")  # seconds
COST = ("gen_ai.usage.cost", "operation.cost")  # USD, where a gateway or library adds it


def is_call(record: Record) -> bool:
    """Whether a span or event is one call to a model, with its usage."""
    if record.kind == "point" or record.text("gen_ai.operation.name") in AROUND:
        return False
    return bool(record.count_of(*INPUT) or record.count_of(*OUTPUT))


def outermost(records: list[Record]) -> list[Record]:
    """The calls, each once: one library wraps another, and the inner one is nearer to the model."""
    calls = [record for record in records if is_call(record)]
    wrapped = {(record.trace, record.parent) for record in calls if record.parent}
    return [record for record in calls if not (record.span and (record.trace, record.span) in wrapped)]


def response(record: Record, session: str) -> Response | None:
    """One call; None where it used nothing."""
    usage = _usage(record)
    if not (usage.input_tokens or usage.output_tokens):
        return None
    at = record.at or record.started_at
    took = (record.at - record.started_at) * 1000 if record.kind == "span" and record.started_at else None
    first = record.number(*FIRST)
    reasons = record.attributes.get("gen_ai.response.finish_reasons")
    reason = word(reasons[0]) if isinstance(reasons, list) and reasons else None
    return Response(
        session, at, record.text("gen_ai.response.model", "gen_ai.request.model") or "unknown", usage,
        message_id=record.text("gen_ai.response.id"),
        record_id=f"{record.trace}:{record.span}" if record.span else f"{session}:{at:.6f}:{usage.input_tokens}",
        stop_reason=reason or "", duration_ms=milliseconds(took),
        ttft_ms=None if first is None else milliseconds(first * 1000), billed_usd=record.number(*COST),
    )  # fmt: skip


def _usage(record: Record) -> Usage:
    whole, output = count(record.count_of(*INPUT)), count(record.count_of(*OUTPUT))
    read = count(record.count_of(*READ))
    written = count(record.count_of(*WRITTEN))
    # The conventions' input holds the cache; some libraries hand on Anthropic's own, which does not.
    uncached = whole - read - written if whole >= read + written else whole
    return Usage(uncached, output, read, written, 0, min(output, count(record.count_of(*REASONING))))
