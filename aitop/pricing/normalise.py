"""One name for one model, however a client, cloud or gateway spells it.

Pure text: it knows no table. The caller looks the results up exactly, one after the other, and never
by prefix: `claude-opus-5` is a prefix of `claude-opus-5-5` at another price.
"""

import re

FAMILIES = ("opus", "sonnet", "haiku", "fable", "mythos")

_BRACKET = re.compile(r"\[[^\]]*\]$")
_REGION = re.compile(r"^(?:global|us-gov|us|eu|apac|ap|jp|au|ca|sa|in|uk|regional)\.(?=[a-z])")
_VENDOR = re.compile(
    r"^(?:anthropic|openai|google|meta|mistral|deepseek|qwen|moonshotai|moonshot|zai|minimax|xai|cohere)\."
)
_AT = re.compile(r"@[^@]*$")
_BEDROCK = re.compile(r"-v\d+:\d+$")
_CLAUDE_VERSION = re.compile(r"-v\d+$")
_COMPACT_DATE = re.compile(r"-20\d{6}$")
_LONG_DATE = re.compile(r"-20\d{2}-\d{2}-\d{2}$")
_CLAUDE_EXTRA = re.compile(r"-(?:latest|thinking|fast)$")
_NUMBER_FIRST = re.compile(r"^claude-([4-9](?:-\d{1,2})?)-(opus|sonnet|haiku|fable|mythos)$")
_PREVIEW = re.compile(r"-(?:preview|exp)(?:-\d{2}-\d{2}(?:\d{2})?|-\d{4})?$|-00\d$")


def spellings(model: str) -> tuple[str, ...]:
    """The ids to look up, most exact first: without region and vendor, without date, without `-preview`."""
    bare = _bare(model)
    plain = _undated(bare)
    if plain.startswith("gemini-"):
        general = _PREVIEW.sub("", plain)
        return tuple(dict.fromkeys((bare, plain, general)))
    return (bare,) if bare == plain else (bare, plain)


def normalise(model: str) -> str:
    """The plainest spelling of a model's id."""
    return spellings(model)[-1]


def is_claude(model: str) -> bool:
    return "claude" in normalise(model).split("-")


def family(model: str) -> str | None:
    """The family word of a Claude id (a whole word of it, not a part of one), else None."""
    words = normalise(model).split("-")
    if "claude" not in words:
        return None
    return next((word for word in FAMILIES if word in words), None)


def says_fast(model: str) -> bool:
    """Whether a gateway put Claude's fast mode into the id (`claude-opus-4.8-fast`)."""
    return is_claude(model) and _bare(model).endswith("-fast")


def _bare(model: str) -> str:
    name = _BRACKET.sub("", model.strip().lower())
    name = name.rpartition("/")[2]
    name = _VENDOR.sub("", _REGION.sub("", name))
    name = _AT.sub("", name)
    name = _BEDROCK.sub("", name)
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
