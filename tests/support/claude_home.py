"""A user's home in which Claude Code answered once."""

import time

from support.lines import assistant, encode


def claude(user):
    folder = user / ".claude" / "projects" / "shop"
    folder.mkdir(parents=True)

    (folder / "s.jsonl").write_bytes(encode([assistant(at=time.time())]))
