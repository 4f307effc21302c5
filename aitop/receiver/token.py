"""The token of the telemetry receiver. It is needed because every user of the machine reaches loopback.

One line in `$AITOP_HOME/otel.token`. Settings of clients hold a copy, so it stays the same until
`aitop uninstall`.
"""

import functools
import os

from aitop import paths
from aitop.system import installation
from aitop.system.loopback import secret_file

MISSING = "telemetry needs h11"
HEADER = "x-aitop-token"


@functools.cache
def missing() -> str:
    """What to say where the receiver's HTTP library is not installed: `MISSING` and the command that adds it."""
    return f"{MISSING}: {installation.add_extra('otel')}"


def read_or_make(home: str) -> str:
    """The token, made at the first call. Raises OSError, also for a file that others may read."""
    return secret_file.read_or_make(os.path.join(home, paths.OTEL))


def read(home: str) -> str | None:
    """The token, None where there is none. Raises OSError."""
    return secret_file.read(os.path.join(home, paths.OTEL))
