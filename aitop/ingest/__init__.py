"""From files that changed to events: client folders, change notices, tailing, worker processes, the queue.

Only new bytes are read, and offsets move in the transaction that stores what was read. This room must not
interpret a record (a provider does) and must not publish. Read `queue.py` first.
"""
