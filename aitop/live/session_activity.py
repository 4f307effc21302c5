"""Whether a session is at work: the one rule for its status, for "active", and so for gauge and freshness. Pure."""

from collections.abc import Callable

from aitop.history.rows import Session

RESTING = 600.0  # seconds without activity after which a session is not taken to be working or attended
GRACE = 15.0  # seconds: a session that still writes after its known process ended was resumed without hooks
OVER = 3600.0  # seconds without activity after which a session without a living process has ended


def status(session: Session, alive: Callable[[int], bool | None], now: float) -> str:
    """Working, waiting, idle or ended: the last word on it, weighed by its process and the clock.

    `alive`: whether a process lives; None where nothing is known of it, which proves nothing.
    """
    quiet = now - session.last_at
    is_alive = None if session.pid is None else alive(session.pid)
    living = is_alive is True
    gone = is_alive is False and quiet > GRACE
    if session.status == "ended" or gone:
        return "ended"
    if session.status in ("working", "waiting") and (quiet < RESTING or (living and quiet < OVER)):
        return session.status
    return "idle" if living or quiet < OVER else "ended"


def is_active(status: str, last_at: float, now: float) -> bool:
    """Working or waiting, or at rest for so short a time that its user is still there."""
    return status in ("working", "waiting") or (status == "idle" and now - last_at < RESTING)
