"""The middle of some values. The standard library's module for it costs a listener two megabytes. Pure."""

from collections.abc import Iterable


def median(values: Iterable[float]) -> float:
    """The middle one, or halfway between the two in the middle. Raises IndexError for no values."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
