"""The configuration: its keys, the reader, and what the reader returns.

An unknown key or a wrong type is an error that names the dotted path, and the line where a plain
search finds it; the caller decides what to do (the listener keeps the last good configuration).
Reads one file; must not write anything, or look at the environment but through `paths`. Read first: `keys.py`, the one
table of keys; the reader (`read.py`), the printed defaults and the JSON Schema (`schema.py`) are made from it.
"""

from aitop.config.defaults import defaults_toml
from aitop.config.keys import BY_PATH, KEYS, Key
from aitop.config.read import load, parse
from aitop.config.values import Config, ConfigError, ProviderChoice, Segment

__all__ = [
    "BY_PATH",
    "KEYS",
    "Config",
    "ConfigError",
    "Key",
    "ProviderChoice",
    "Segment",
    "defaults_toml",
    "load",
    "parse",
]
