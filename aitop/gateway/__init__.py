"""`aitop gateway`: a relay on loopback that counts what passes. A program of its own; nothing imports it."""
