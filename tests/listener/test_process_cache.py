"""Which processes live: a number that was never found alive here proves nothing."""

import subprocess
import sys

from aitop.listener.process_cache import RECHECK_SECONDS, ProcessCache

NOW = 1_790_000_000.0
NOBODY = 4_194_303  # above any process number that Linux gives


def test_a_process_that_was_never_found_alive_is_unknown():
    assert ProcessCache().lives(NOBODY, NOW) is None


def test_a_process_that_ended_after_it_was_found_alive_is_gone():
    cache = ProcessCache()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert cache.lives(process.pid, NOW) is True
        process.communicate(b"\n")
    assert cache.lives(process.pid, NOW + RECHECK_SECONDS) is False
