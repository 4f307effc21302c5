"""What AI coding costs, while it happens.

This file is read on every hot path: it holds the version and imports nothing.
"""

__version__ = "0.1.0"
