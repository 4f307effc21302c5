"""`aitop demo`: made-up sessions through real files, socket and listener, in a throw-away home."""
