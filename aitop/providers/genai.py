"""OpenTelemetry's GenAI conventions: one span of an inference → one response. Pure; keeps no text.

Source: the semantic conventions for generative AI (in development). Their older names and those of OpenLLMetry
are read too, because libraries follow late. `input_tokens` is all input there.
"""

from aitop.model.events import Response, Usage
from aitop.otlp import Record
from aitop.providers import local_models
from aitop.providers.lenient import count, milliseconds, word

# Operations that hold the sums of the calls inside them and are no call themselves.
AROUND = ("invoke_agent", "create_agent", "execute_tool", "invoke_workflow")
INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens")
OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens")
READ = (
    "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached", "gen_ai.usage.details.cache_read_tokens",
)  # fmt: skip
WRITTEN = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_write_input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "gen_ai.usage.details.cache_creation_input_tokens",
)
WRITTEN_1H = (
    "gen_ai.usage.cache_write.1h.input_tokens",
    "gen_ai.usage.details.ephemeral_1h_input_tokens",
    "gen_ai.usage.details.cache_write_1h_tokens",
)
PROVIDER = ("gen_ai.provider.name", "gen_ai.system")
TIER = ("openai.response.service_tier", "gen_ai.openai.response.service_tier")
TIERS = ("flex", "priority", "batch")  # fmt: skip
REASONING = ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.details.reasoning_tokens")
FIRST = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")  # seconds
COST = ("gen_ai.usage.cost", "operation.cost")  # USD, added by a gateway or library


def is_call(record: Record) -> bool:
    """Whether a span or event is one call to a model and has its usage."""
    if record.kind == "point" or record.text("gen_ai.operation.name") in AROUND:
        return False
    return bool(record.count_of(*INPUT) or record.count_of(*OUTPUT))


def outermost(records: list[Record]) -> list[Record]:
    """The calls, each once. Where one library wraps another, the inner span counts: it is nearer to the model."""
    calls = [record for record in records if is_call(record)]
    wrapped = {(record.trace, record.parent) for record in calls if record.parent}
    return [record for record in calls if not (record.span and (record.trace, record.span) in wrapped)]


def response(record: Record, session: str) -> Response | None:
    """One call; None where it used nothing."""
    usage = _usage(record)
    model = record.text("gen_ai.response.model", "gen_ai.request.model") or "unknown"
    if not (usage.input_tokens or usage.output_tokens):
        return None
    at = record.at or record.started_at
    took = (record.at - record.started_at) * 1000 if record.kind == "span" and record.started_at else None
    first = record.number(*FIRST)
    reasons = record.attributes.get("gen_ai.response.finish_reasons")
    reason = word(reasons[0]) if isinstance(reasons, list) and reasons else None
    return Response(
        session, at, model, usage,
        message_id=record.text("gen_ai.response.id"),
        record_id=f"{record.trace}:{record.span}" if record.span else f"{session}:{at:.6f}:{usage.input_tokens}",
        stop_reason=reason or "", duration_ms=milliseconds(took),
        ttft_ms=None if first is None else milliseconds(first * 1000), billed_usd=_billed(record, model),
    )  # fmt: skip


def is_local(record: Record, model: str) -> bool:
    """Whether the model ran on a machine of the user's, by the name of its provider."""
    return local_models.is_local(record.text(*PROVIDER), model)


def _billed(record: Record, model: str) -> float | None:
    """A model on the user's own machine costs nothing. A reported cost of 0 is an unknown price."""
    return 0.0 if is_local(record, model) else record.number(*COST) or None


def _usage(record: Record) -> Usage:
    whole, output = count(record.count_of(*INPUT)), count(record.count_of(*OUTPUT))
    read = count(record.count_of(*READ))
    written = count(record.count_of(*WRITTEN))
    # The conventions' input includes the cache. Some libraries pass on Anthropic's own, which does not.
    uncached = whole - read - written if whole >= read + written else whole
    long_lived, tier = min(written, count(record.count_of(*WRITTEN_1H))), record.text(*TIER) or ""
    return Usage(
        uncached, output, read, written - long_lived, long_lived,
        min(output, count(record.count_of(*REASONING))), tier=tier if tier in TIERS else "",
    )  # fmt: skip
