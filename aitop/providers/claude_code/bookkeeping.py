"""The client's own records between the messages: running totals, compactions, retries. Pure."""

import re
from typing import Any

from aitop.model.events import ApiError, ClientTotals, Compaction, PullRequest
from aitop.model.json_types import JsonObject
from aitop.providers.lenient import text, word

MAX_USD = 1e9
MAX_MODELS = 64
REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}(/[A-Za-z0-9_.-]{1,100}){1,4}")
MAX_NUMBER = 1 << 31


def totals(record: JsonObject, session: str) -> ClientTotals | None:
    """What the client says the session cost so far, as a whole and by model (`cost-state`)."""
    cost = _usd(record.get("totalCostUSD"))
    if cost is None:
        return None
    api_ms = record.get("totalAPIDuration")
    has_api_time = isinstance(api_ms, int | float) and not isinstance(api_ms, bool) and 0 <= api_ms < 1e12
    return ClientTotals(
        session, None, cost, float(api_ms) if has_api_time and api_ms is not None else None,
        by_model=_by_model(record.get("modelUsage")),
    )  # fmt: skip


def _by_model(usage: object) -> tuple[tuple[str, float], ...]:
    if not isinstance(usage, dict):
        return ()
    costs = [
        (model, cost)
        for name, one in list(usage.items())[:MAX_MODELS]
        if (model := text(name)) and isinstance(one, dict) and (cost := _usd(one.get("costUSD"))) is not None
    ]
    return tuple(costs)


def _usd(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MAX_USD
    return float(value) if is_number else None


def compaction(record: JsonObject, session: str, at: float, agent: str | None) -> Compaction:
    """A `compact_boundary` line: the context was summarised."""
    details = record.get("compactMetadata")
    trigger = word(details.get("trigger")) if isinstance(details, dict) else None
    return Compaction(session, at, _key(record, session, at), trigger or "", agent)


def pull_request(record: JsonObject, session: str, at: float) -> list[PullRequest]:
    """A `pr-link` line: the session works on a pull request. The address it also holds is not kept."""
    repository, number = record.get("prRepository"), record.get("prNumber")
    if not isinstance(repository, str) or not REPOSITORY.fullmatch(repository):
        return []
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < MAX_NUMBER:
        return []
    return [PullRequest(session, at, repository, number)]


def retried(record: JsonObject, session: str, at: float) -> ApiError:
    """An `api_error` line: a request failed and is tried again."""
    return ApiError(session, at, _key(record, session, at), "retried", final=False)


def _key(record: JsonObject, session: str, at: float) -> str:
    return text(record.get("uuid")) or f"{session}:{at}"
