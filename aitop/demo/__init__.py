"""`aitop demo`: made-up sessions through real files, socket and listener, in a throw-away home.

It must not touch the user's own `$AITOP_HOME` or a client's folder, and leaves neither file nor process behind.
Read `stage.py` first (the home and its listener), then `script.py` (what happens).
"""
