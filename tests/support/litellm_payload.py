"""LiteLLM's logging payload as its callback hands it over."""

from support.desk import START

SECRET = "SECRET-7f3a"


USAGE = {"prompt_tokens": 1000, "completion_tokens": 50, "prompt_tokens_details": {"cached_tokens": 600},
         "completion_tokens_details": {"reasoning_tokens": 20}, "cache_creation_input_tokens": 100}  # fmt: skip


def payload(**more):
    return {
        "id": "chatcmpl-e38782a2-a8b4-4c84-874c-f8b74bea5b83",
        "litellm_call_id": "44c63fff-5ecc-4248-a614-3b285b2fd757",
        "call_type": "acompletion", "stream": True, "status": "success", "custom_llm_provider": "openai",
        "model": "gpt-5", "response_cost": 0.0125, "startTime": START, "completionStartTime": START + 0.25,
        "endTime": START + 2, "cache_hit": None, "prompt_tokens": 1000, "completion_tokens": 50, "session_id": "",
        "metadata": {"usage_object": USAGE, "user_api_key_alias": SECRET, "user_api_key_hash": SECRET},
        "messages": [{"role": "user", "content": SECRET}], "error_information": None, "end_user": SECRET,
        "response": {"choices": [{"finish_reason": "stop", "message": {"content": SECRET}}]},
        "api_base": f"https://x/?key={SECRET}", "user_agent": SECRET, "model_parameters": {"user": SECRET}, **more,
    }  # fmt: skip
