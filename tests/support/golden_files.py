"""Files that hold what a display shows. One switch writes them all anew: AITOP_GOLDEN=write."""

import os

SWITCH = "AITOP_GOLDEN"


def compare(path, shown):
    """Assert that a file holds this text; with AITOP_GOLDEN=write, write it there first."""
    if os.environ.get(SWITCH) == "write":
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(shown)
    with open(path, encoding="utf-8", newline="") as file:
        assert shown == file.read()
