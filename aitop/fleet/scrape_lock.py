"""The lock that a scrape holds and that a fork of the listener waits for. Loaded with the first door or sender.

A child that is forked while another thread is inside SQLite could wait for ever for its locks.
"""

import os
import threading

held = threading.Lock()
os.register_at_fork(before=held.acquire, after_in_parent=held.release, after_in_child=held.release)
