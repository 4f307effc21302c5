"""Any JSON value, for property tests."""

from hypothesis import strategies as st

KEYS = (
    "type",
    "message",
    "usage",
    "id",
    "requestId",
    "uuid",
    "timestamp",
    "content",
    "tool_use_id",
    "is_error",
    "model",
    "stop_reason",
    "subtype",
    "input_tokens",
    "output_tokens",
    "iterations",
    "cache_creation",
    "input",
    "sessionId",
    "totalCostUSD",
    "compactMetadata",
    "isApiErrorMessage",
    "isSidechain",
    "agentId",
    "requestSessionId",
    "server_tool_use",
    "speed",
    "inference_geo",
    "service_tier",
    "cwd",
)


WORDS = ("assistant", "user", "system", "tool_use", "tool_result", "text", "cost-state", "api-request", "api_error",
         "compact_boundary", "progress", "2026-09-21T14:13:20Z", "<synthetic>", "")  # fmt: skip


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(WORDS), st.text(max_size=8),
)  # fmt: skip


values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
