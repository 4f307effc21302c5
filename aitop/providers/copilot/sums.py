"""Copilot's usage → ours: one call's, and a shutdown's sums spread over the requests that made them. Pure.

Copilot's `inputTokens` include the cache. Prices go by the size of one request, so sums are spread evenly.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aitop.model.events import Usage
from aitop.providers.lenient import MAX_TOKENS, count

MAX_REQUESTS = 10_000  # of one shutdown
MAX_SUM = 1 << 36  # tokens of one model in one run of the program
LEAVES = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens")


class ModelSums(NamedTuple):
    """What one shutdown reports of one model."""

    model: str
    requests: int
    tokens: list[int]  # in the order of LEAVES


def call_usage(raw: Mapping[str, object]) -> Usage:
    """The usage of one API call."""
    return _usage([count(raw.get(leaf)) for leaf in LEAVES])


def read(metrics: Mapping[str, object]) -> list[ModelSums]:
    """`modelMetrics` of a shutdown, without models that used nothing."""
    sums = []
    for model, raw in metrics.items():
        usage, requests = _table(_table(raw).get("usage")), _table(_table(raw).get("requests"))
        tokens = [
            value if type(value := usage.get(leaf)) is int and 0 < value < MAX_SUM else 0 for leaf in LEAVES
        ]
        if model and any(tokens):
            sums.append(ModelSums(model[:256], max(1, count(requests.get("count"))), tokens))
    return sums


def spread(sums: ModelSums, at_least: int, at_most: int) -> Iterator[Usage]:
    """As many equal usages as there were requests; the remainder goes to the first."""
    number = min(max(sums.requests, at_least), MAX_REQUESTS, at_most)
    number = max(number, 1 + max(sums.tokens) // (MAX_TOKENS // 2))
    for one in range(number):
        yield _usage([total // number + (total % number if one == 0 else 0) for total in sums.tokens])


def _usage(leaves: list[int]) -> Usage:
    whole, output, cached, written, reasoning = leaves
    cached = min(cached, whole)
    written = min(written, whole - cached)
    return Usage(whole - cached - written, output, cached, written, 0, min(reasoning, output))


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
