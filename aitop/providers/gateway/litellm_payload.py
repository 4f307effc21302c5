"""LiteLLM's `StandardLoggingPayload` → an entry of the journal. Pure.

The same object reaches LiteLLM's callbacks in its own process and its `generic_api` callback's endpoint.
It holds messages and answers too; only the fields named here are looked at. Fields: LiteLLM 1.108,
`litellm/types/utils.py`.
"""

from typing import Any

from aitop.providers.gateway.entry import Entry, Tokens, name, word
from aitop.providers.gateway.usage import of_openai
from aitop.providers.lenient import count, epoch, milliseconds

LOCAL = (
    "ollama",
    "ollama_chat",
    "lm_studio",
    "llamafile",
)  # providers that run where the user says, for nothing
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


def entry(payload: Any, session: str, cwd: str | None = None) -> Entry | None:
    """What a payload tells of one call; None for what is no call to a model, or was answered from a cache.

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
    told = Entry(
        call, ended, f"litellm/{own}" if own else session, name(payload.get("model")),
        local=payload.get("custom_llm_provider") in LOCAL,
        duration_ms=milliseconds((ended - began) * 1000) if began else None,
        cwd=cwd,
    )  # fmt: skip
    if payload.get("status") != "success":
        return told._replace(
            id=f"{call}:{began or ended:.3f}", error=_error(payload)
        )  # a retry keeps its call's id
    return told._replace(
        tokens=_tokens(payload),
        stop_reason=_reason(payload.get("response")),
        response_id=name(payload.get("id")),
        ttft_ms=_ttft(payload, began),
        billed_usd=_billed(payload.get("response_cost")),
    )


def _tokens(payload: dict[str, Any]) -> Tokens | None:
    usage = _table(_table(payload.get("metadata")).get("usage_object"))
    if not usage:
        given, made = count(payload.get("prompt_tokens")), count(payload.get("completion_tokens"))
        return Tokens(given, made) if given or made else None
    tokens = of_openai(usage)
    if tokens is None:
        return None
    written = min(tokens.input - tokens.cache_read, count(usage.get("cache_creation_input_tokens")))
    return tokens._replace(cache_write=tokens.cache_write or written)


def _billed(cost: Any) -> float | None:
    """LiteLLM says 0 for a model whose price it does not know; what is really free is known as local."""
    return float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) and cost > 0 else None


def _ttft(payload: dict[str, Any], began: float | None) -> float | None:
    first = epoch(payload.get("completionStartTime"))
    if payload.get("stream") is not True or first is None or began is None or first < began:
        return None
    return milliseconds((first - began) * 1000)


def _reason(response: Any) -> str:
    choices = _table(response).get("choices")
    first = _table(choices[0]) if isinstance(choices, list) and choices else {}
    return word(first.get("finish_reason")) or "stop"


def _error(payload: dict[str, Any]) -> str:
    information = _table(payload.get("error_information"))
    code = information.get("error_code")
    if isinstance(code, str) and code.isdecimal() and len(code) == 3:
        return f"http_{code}"
    return word(information.get("error_class")) or "error"


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
