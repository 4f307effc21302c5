"""The engine for programs that ask: what a command spent (`aitop run`), and the numbers for agents (`aitop mcp`).

It reads the published state and the history as every report does. It must not count, price or publish anything.
Read `run_cli.py` first for `aitop run`; `processes.py` holds the evidence by which a session belongs to a command.
"""
