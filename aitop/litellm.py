"""LiteLLM's callback: `litellm.callbacks = [aitop.litellm.logger]`, or in a proxy's configuration
`litellm_settings: {callbacks: aitop.litellm.logger}`.

Runs in somebody else's program, so it never raises and writes nothing but lines of the journal. It reads
numbers and names of LiteLLM's logging payload; messages and answers are in there too, and are not looked at.
"""

import os
import time
from typing import Any

from aitop.gateway import journal
from aitop.providers.gateway import litellm_payload

try:
    from litellm.integrations.custom_logger import CustomLogger  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # looked at outside LiteLLM
    CustomLogger = object


class Logger(CustomLogger):  # type: ignore[misc]
    """LiteLLM takes nothing but a child of its own class. It hands over more than the first argument."""

    def log_success_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
        _keep(kwargs)

    def log_failure_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
        _keep(kwargs)

    async def async_log_success_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
        _keep(kwargs)

    async def async_log_failure_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
        _keep(kwargs)


def _keep(kwargs: Any) -> None:
    try:
        now = time.time()
        entry = litellm_payload.entry(kwargs.get("standard_logging_object"), _session(now), os.getcwd())
        if entry is not None:
            journal.append("litellm", [entry], now)
    except Exception:  # the host's request has been answered; its program must not hear of us
        return


def _session(now: float) -> str:
    """One program is one session a day, named after its folder."""
    return journal.session("litellm", os.path.basename(os.getcwd()) or "root", now)


logger = Logger()
