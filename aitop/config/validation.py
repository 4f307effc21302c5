"""Whether a value is of its key's type, and which known name a misspelt one is near. Pure."""

from typing import Any


def mismatch(kind: str, value: Any) -> str | None:
    """What is wrong with a value, or None."""
    if kind == "number or auto":
        problem = mismatch("number", value)
        return (
            None if value == "auto" or problem is None else problem.replace("a number", "a number or auto", 1)
        )
    if "|" in kind:
        choices = kind.split("|")
        return None if value in choices else f"must be one of {', '.join(choices)}, not {value!r}"
    if kind == "bool":
        return None if isinstance(value, bool) else f"must be true or false, not {value!r}"
    if kind in ("number", "positive"):
        right = isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124
        if not right or abs(value) >= 1e15:
            return f"must be a number, not {value!r}"
        if value < 0 or (kind == "positive" and value == 0):
            return f"must be {'more than 0' if kind == 'positive' else '0 or more'}, not {value!r}"
        return None
    if kind == "port":
        right = type(value) is int and 0 < value < 65_536
        return None if right else f"must be a port number, 1 to 65535, not {value!r}"
    if kind == "strings":
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return None if right else f"must be a list of strings, not {value!r}"
    return None if isinstance(value, str) else f"must be a string, not {value!r}"


def nearest(name: str, names: Any) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(names), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
