"""What a JSON document is in Python, for the edges where a client's, a user's or our own file is read.

Types only: nothing here runs, so the hot paths import it for the type checker alone.
"""

from typing import Any

JsonObject = dict[
    str, Any
]  # its values are unchecked: a reader takes each through `lenient` or a typed shape
