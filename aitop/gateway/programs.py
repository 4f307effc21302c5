"""The program that sent a request, by its `User-Agent`. A closed list, so that no header is kept. Pure."""

# A part of the User-Agent → the name shown. The first match counts.
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
# Clients with records of their own, which are counted: counted here too, a request would count twice.
RECORDED = ("codex", "opencode", "claude-code", "gemini-cli")


def program(user_agent: str) -> str:
    """`OpenAI/Python 3.57.0` → `openai-python`; `other` for a program that is not on the list."""
    agent = user_agent.lower()
    return next((name for mark, name in PROGRAMS if mark.lower() in agent), "other")
