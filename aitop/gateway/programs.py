"""Which program asked, by its `User-Agent`: one of a closed list, so that no header is ever kept. Pure."""

# What a User-Agent has in it → the name shown. The first that fits.
PROGRAMS = (
    ("codex_", "codex"),
    ("opencode/", "opencode"),
    ("claude-cli/", "claude-code"),
    ("GeminiCLI", "gemini-cli"),
    ("AsyncOpenAI/Python", "openai-python"),
    ("OpenAI/Python", "openai-python"),
    ("OpenAI/JS", "openai-js"),
    ("OpenAI/", "openai-sdk"),
    ("ollama-python", "ollama-python"),
    ("ollama-js", "ollama-js"),
    ("ollama/", "ollama-cli"),
    ("litellm", "litellm"),
    ("langchain", "langchain"),
    ("ai-sdk/", "ai-sdk"),
    ("aider", "aider"),
    ("OpenWebUI", "open-webui"),
    ("python-httpx", "httpx"),
    ("python-requests", "requests"),
    ("aiohttp", "aiohttp"),
    ("Go-http-client", "go"),
    ("curl/", "curl"),
    ("node", "node"),
    ("Mozilla/", "browser"),
)
# Clients with records of their own, which are counted: through the gateway they would be counted twice.
RECORDED = ("codex", "opencode", "claude-code", "gemini-cli")


def program(user_agent: str) -> str:
    """`OpenAI/Python 3.57.0` → `openai-python`; `other` for what is not on the list."""
    said = user_agent.lower()
    return next((name for mark, name in PROGRAMS if mark.lower() in said), "other")
