"""One name for one model, however a client, cloud or gateway spells it.

Pure text: it knows no table. The caller looks the results up exactly, one after the other, and never
by prefix: `claude-opus-5` is a prefix of `claude-opus-5-5` at another price.
"""

import re
from typing import NamedTuple

FAMILIES = ("opus", "sonnet", "haiku", "fable", "mythos")
# The first part of an id, or its provider, where a program on the user's own machine answers.
LOCAL = frozenset(("ollama", "ollama_chat", "lmstudio", "lm_studio", "lm-studio", "llamacpp", "llama.cpp", "llamafile",
                   "mlx", "local", "localhost"))  # fmt: skip

_BRACKET = re.compile(r"\[[^\]]*\]$")
_REGION = re.compile(r"^(?:global|us-gov|us|eu|apac|ap|jp|au|ca|sa|in|uk|regional)\.(?=[a-z])")
_VENDOR = re.compile(
    r"^(?:anthropic|openai|google|meta|mistral|deepseek|qwen|moonshotai|moonshot|zai|minimax|xai|cohere)\."
)
_RESELLER = re.compile(
    r"^(?:databricks|bedrock|vertex|azure|openrouter|copilot|github|anthropic|openai|google)-"
    r"(?=(?:claude|gpt|gemini|o\d|grok|llama|qwen|deepseek|kimi|glm)\b)"
)
_AT = re.compile(r"@[^@]*$")
_BEDROCK = re.compile(r"-v\d+:\d+$")
_SIZE = re.compile(r":(\d+(?:\.\d+)?[bm](?:-[\w.]+)?)$")  # a tag as Ollama has it
_SUFFIX = re.compile(r":[a-z0-9_-]+$")  # :thinking, :free, :200k, as gateways have them
_FAMILY_FIRST = re.compile(rf"^(?=(?:{'|'.join(FAMILIES)})-\d)")
_CLAUDE_VERSION = re.compile(r"-v\d+$")
_COMPACT_DATE = re.compile(r"-20\d{6}$")
_LONG_DATE = re.compile(r"-20\d{2}-\d{2}-\d{2}$")
_EFFORT = re.compile(r"-(?:thinking|reasoning|minimal|low|medium|high|xhigh|max|none)$")
_CLAUDE_EXTRA = re.compile(r"-(?:latest|fast|thinking|reasoning|minimal|low|medium|high|xhigh|max|none)$")
_NUMBER_FIRST = re.compile(r"^claude-([4-9](?:-\d{1,2})?)-(opus|sonnet|haiku|fable|mythos)$")
_PREVIEW = re.compile(r"-(?:preview|exp)(?:-\d{2}-\d{2}(?:\d{2})?|-\d{4})?$|-00\d$")
_VERSION = re.compile(r"\d+(?:\.\d+)*(?![\d.]*[bm]\b)")  # but not a number of parameters: 20b


def spellings(model: str) -> tuple[str, ...]:
    """The ids to look up, most exact first: without region and vendor, without date, without `-preview`."""
    bare = _bare(model)
    plain = _undated(bare)
    if plain.startswith("gemini-"):
        return tuple(dict.fromkeys((bare, plain, _PREVIEW.sub("", plain))))
    return (bare,) if bare == plain else (bare, plain)


def looser_spellings(model: str) -> tuple[str, ...]:
    """The ids to look up where none of `spellings` is known: without `:suffix` and words of effort."""
    spellings_so_far = [_undated(_bare(_SUFFIX.sub("", _SIZE.sub(r"-\1", model.strip().lower()))))]
    while (less := _undated(_EFFORT.sub("", spellings_so_far[-1]))) != spellings_so_far[-1]:
        spellings_so_far.append(less)
    return tuple(spellings_so_far)


def normalise(model: str) -> str:
    """The plainest spelling of a model's id."""
    return spellings(model)[-1]


def is_claude(model: str) -> bool:
    """Whether an id names a Claude model."""
    return "claude" in normalise(model).split("-")


def is_local(model: str) -> bool:
    """Whether an id says that the model runs on the user's own machine (`lmstudio/…`, `ollama/…`)."""
    provider, slash, _ = model.strip().lower().partition("/")
    return bool(slash) and provider in LOCAL


def is_free(model: str) -> bool:
    """Whether an id says that its provider gives the answers away (`…:free`)."""
    return model.strip().lower().endswith(":free")


class Family(NamedTuple):
    """What the models of one family share, and where one stands in it."""

    name: str
    version: tuple[int, ...] = ()  # () for Claude: its families are ordered by release


def family(model: str) -> str | None:
    """The family word of a Claude id (a whole word of it, not a part of one), else None."""
    words = looser_spellings(model)[-1].split("-")
    if "claude" not in words:
        return None
    return next((word for word in FAMILIES if word in words), None)


def versioned_family(model: str) -> Family | None:
    """The family of another vendor's id: the id with its first version left open (`gpt-6.2-sol` → `gpt-*-sol`)."""
    name = looser_spellings(model)[-1]
    match = _VERSION.search(name)
    if match is None or "claude" in name.split("-"):
        return None
    version = tuple(int(part) for part in match[0].split("."))
    return Family(f"{name[: match.start()]}*{name[match.end() :]}", version)


def says_fast(model: str) -> bool:
    """Whether a gateway put Claude's fast mode into the id (`claude-opus-4.8-fast`)."""
    return is_claude(model) and _bare(model).endswith("-fast")


def _bare(model: str) -> str:
    name = _BRACKET.sub("", model.strip().lower())
    name = name.rpartition("/")[2]
    name = _VENDOR.sub("", _REGION.sub("", name))
    name = _RESELLER.sub("", name)
    name = _AT.sub("", name)
    name = _BEDROCK.sub("", name)
    name = _FAMILY_FIRST.sub("claude-", name)
    if name.startswith("claude-"):
        name = name.replace(".", "-")
        name = _CLAUDE_VERSION.sub("", name) if name.count("-") > 1 else name  # `claude-v1` is a model
    return name


def _undated(bare: str) -> str:
    if not bare.startswith("claude"):
        return _LONG_DATE.sub("", _COMPACT_DATE.sub("", bare)).removesuffix("-latest")
    name, before = bare, ""
    while name != before:  # dates and words come in any order: -20251101-thinking, -fast-20260723
        before = name
        name = _COMPACT_DATE.sub("", _CLAUDE_EXTRA.sub("", _LONG_DATE.sub("", name)))
    return _NUMBER_FIRST.sub(r"claude-\2-\1", name)
