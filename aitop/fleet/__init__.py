"""More than one machine: our numbers for engines that already run, and theirs read back.

For: the names under which numbers leave (`names.py`), the exposition that Prometheus scrapes, the push by
OTLP, the questions to a Prometheus-compatible API, and the responses of one's other machines over ssh.

It must not count or price anything, must not be loaded by a hot path, and loads its libraries (the extra
`fleet`) only when one of its commands or switches asks for it. Read `names.py` first, then `exporter.py`.
"""
