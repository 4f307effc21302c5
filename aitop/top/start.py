"""Start the listener where the table finds none."""

import os

from aitop import paths
from aitop.system import installation


def start_listener(*, unless_stopped: bool) -> str:
    """Start one in the background where none runs; what to tell the user, with commands that work for this copy."""
    return installation.in_hint(_started(unless_stopped=unless_stopped))


def _started(*, unless_stopped: bool) -> str:
    if unless_stopped and os.path.exists(paths.in_home(paths.STOPPED)):
        return "The listener was stopped with `aitop stop`; `aitop start` starts it again."
    try:
        from aitop.listener import lifecycle

        if lifecycle.is_locked(paths.home()):
            return "The listener runs; waiting for its numbers."
        runs = lifecycle.start_detached()
    except Exception as error:
        return f"The listener could not be started ({error}); try: aitop start"
    if not runs:
        return "The listener did not start; `aitop doctor` says why."
    return "Started the listener in the background; `aitop stop` ends it."
