"""LiteLLM's callback: `litellm.callbacks = [aitop.litellm.logger]`, or in a proxy's configuration
`litellm_settings: {callbacks: aitop.litellm.logger}`.

Runs inside the user's own program: it never raises, and writes only lines of the journal. It reads numbers
and names from LiteLLM's logging payload. It must not read the messages and answers that stand there too.
"""

import os
import time

from aitop.gateway import journal
from aitop.providers.gateway import litellm_payload

try:
    from litellm.integrations.custom_logger import CustomLogger  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # imported without LiteLLM
    CustomLogger = object


class Logger(CustomLogger):  # type: ignore[misc]
    """LiteLLM accepts only a subclass of its own. It passes more arguments than the first; they are ignored."""

    def log_success_event(self, kwargs: object, *_: object, **__: object) -> None:
        _keep(kwargs)

    def log_failure_event(self, kwargs: object, *_: object, **__: object) -> None:
        _keep(kwargs)

    async def async_log_success_event(self, kwargs: object, *_: object, **__: object) -> None:
        _keep(kwargs)

    async def async_log_failure_event(self, kwargs: object, *_: object, **__: object) -> None:
        _keep(kwargs)


def _keep(kwargs: object) -> None:
    if not isinstance(kwargs, dict):
        return
    try:
        now = time.time()
        entry = litellm_payload.entry(kwargs.get("standard_logging_object"), _session(now), os.getcwd())
        if entry is not None:
            journal.append("litellm", [entry], now)
    except Exception:  # the request itself succeeded; a fault here must not reach the host program
        return


def _session(now: float) -> str:
    """One program is one session a day, named after its folder."""
    return journal.session("litellm", os.path.basename(os.getcwd()) or "root", now)


logger = Logger()
