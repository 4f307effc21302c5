"""Connecting aitop to its hosts and taking it out again: settings, scripts, prompts, bars, services, checks.

Other people's files are planned first, written all or none, and come back byte for byte. This room must
never run on a hot path, change a file that it cannot read for certain, or start a listener by itself but
where the user asks for it. Read first: `setup.py` (the command), `parts.py` (what can be set up),
`files.py` (how a file is written), `record.py` and `written.py` (what is remembered), `checks.py` (doctor).
"""
