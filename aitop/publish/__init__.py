"""What leaves the listener: `state.json`, segments, tmux variables, notifications.

Files are replaced whole by a rename. This room must not compute a number that the snapshot does not hold.
Read `state_json.py` first.
"""
