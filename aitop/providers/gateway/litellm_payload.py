"""LiteLLM's `StandardLoggingPayload` → an entry of the journal. Pure.

LiteLLM hands the same object to callbacks in its own process and to the endpoint of its `generic_api`
callback. It also holds messages and answers, which must not be read. Fields: LiteLLM 1.110,
`litellm/types/utils.py`.
"""

from aitop.providers.gateway.entry import Entry, Tokens, name, word
from aitop.providers.gateway.usage import billed_usd, of_openai
from aitop.providers.lenient import count, epoch, milliseconds
from aitop.providers.local_models import is_local

KINDS = (
    "completion",
    "embedding",
    "responses",
    "generation",
    "transcription",
    "speech",
    "rerank",
    "messages",
)


def entry(payload: object, session: str, cwd: str | None = None) -> Entry | None:
    """The entry of one call; None for a payload that is no call to a model or was answered from a cache.

    `session` is used where the program names none of its own (`litellm_session_id`).
    """
    if not isinstance(payload, dict) or payload.get("cache_hit") is True:
        return None
    began, ended = epoch(payload.get("startTime")), epoch(payload.get("endTime"))
    call = name(payload.get("litellm_call_id")) or name(payload.get("id"))
    kind = payload.get("call_type")
    if call is None or ended is None or not (isinstance(kind, str) and kind.endswith(KINDS)):
        return None
    own = name(payload.get("session_id"))
    call_entry = Entry(
        call, ended, f"litellm/{own}" if own else session, name(payload.get("model")),
        local=is_local(payload.get("custom_llm_provider"), name(payload.get("model"))),
        duration_ms=milliseconds((ended - began) * 1000) if began else None,
        cwd=cwd,
    )  # fmt: skip
    if payload.get("status") != "success":
        return call_entry._replace(
            id=f"{call}:{began or ended:.3f}", error=_error(payload)
        )  # a retry keeps its call's id
    return call_entry._replace(
        tokens=_tokens(payload),
        stop_reason=_reason(payload.get("response")),
        response_id=name(payload.get("id")),
        ttft_ms=_ttft(payload, began),
        billed_usd=_billed(payload.get("response_cost")) or billed_usd(_usage(payload)),
    )


def _tokens(payload: dict[str, object]) -> Tokens | None:
    usage = _usage(payload)
    if not usage:
        given, made = count(payload.get("prompt_tokens")), count(payload.get("completion_tokens"))
        return Tokens(given, made) if given or made else None
    return of_openai(usage, _table(payload.get("response")).get("service_tier"))


def _usage(payload: dict[str, object]) -> dict[str, object]:
    logged = _table(_table(payload.get("metadata")).get("usage_object"))
    return logged or _table(_table(payload.get("response")).get("usage"))


def _billed(cost: object) -> float | None:
    """LiteLLM writes 0 for a model without a known price. Models that are really free are known as local."""
    return float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) and cost > 0 else None


def _ttft(payload: dict[str, object], began: float | None) -> float | None:
    first = epoch(payload.get("completionStartTime"))
    if payload.get("stream") is not True or first is None or began is None or first < began:
        return None
    return milliseconds((first - began) * 1000)


def _reason(response: object) -> str:
    choices = _table(response).get("choices")
    first = _table(choices[0]) if isinstance(choices, list) and choices else {}
    return word(first.get("finish_reason")) or "stop"


def _error(payload: dict[str, object]) -> str:
    information = _table(payload.get("error_information"))
    code = information.get("error_code")
    if isinstance(code, str) and code.isdecimal() and len(code) == 3:
        return f"http_{code}"
    return word(information.get("error_class")) or "error"


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
