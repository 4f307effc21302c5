"""Whether a model ran on a machine of the user's, and so cost nothing: by the name of its provider. Pure.

Only names that cannot be a remote service are listed. A server at a user's own address under another name is not
known to be local.
"""

PROVIDERS = frozenset(
    ("ollama", "ollama_chat", "lmstudio", "lm_studio", "lm-studio", "lms", "oss", "llamafile", "llamacpp", "llama.cpp",
     "llama-cpp", "mlx", "docker_model_runner", "xinference", "jan")
)  # fmt: skip
CLOUD_MARKS = ("-cloud", ":cloud")  # the ends of Ollama's names for models that run elsewhere


def is_local(provider: object, model: str | None) -> bool:
    """`provider`: as the client's record, payload or telemetry names it."""
    return (
        isinstance(provider, str)
        and provider.lower() in PROVIDERS
        and not (model or "").endswith(CLOUD_MARKS)
    )
