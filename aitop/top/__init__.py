"""The full picture on a terminal."""
