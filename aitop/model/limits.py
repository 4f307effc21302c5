"""Which of two reports of one usage limit counts. Pure."""

from aitop.model.events import Limit

SAME_RESET = 60.0  # seconds: two reports of one reset may differ by their rounding


def supersedes(new: Limit, old: Limit) -> bool:
    """Whether a report of a limit counts in place of the one that is known.

    Use does not fall within one window, so an idle session that repeats an old percentage is outranked. A window
    that ends later is the newer one, also after an early reset. Of two equal reports the later one stays.
    """
    if abs(new.resets_at - old.resets_at) > SAME_RESET:
        return new.resets_at > old.resets_at
    return (new.used_percent, new.seen_at) >= (old.used_percent, old.seen_at)
