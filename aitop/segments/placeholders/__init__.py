"""The placeholders of a template, each a row of a table: name, unit, what it says, the function that fills it.

To add one, add a row to `FIELDS` of the file of its kind; `--help`, the completion of templates and the
tests read the same table. A function takes a `View` and returns a `Value`: (text, level, quiet). The level
colours the text ("" is plain); quiet marks a value with nothing to say: zero, none, unknown. Texts are
clean (`text.clean`) and not escaped. Functions are pure, and called only for names that a template holds.
"""

from __future__ import annotations

from aitop.segments.placeholders import activity, gauges, sessions, spending
from aitop.segments.placeholders.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from aitop.model.json_types import JsonObject

    Value = tuple[str, str, bool]
    Field = tuple[str, str, str, Callable[[View], Value]]

FIELDS: tuple[Field, ...] = (*spending.FIELDS, *activity.FIELDS, *gauges.FIELDS, *sessions.FIELDS)
FUNCTIONS = {name: function for name, _, _, function in FIELDS}
NAMES = frozenset(FUNCTIONS)


class Values:
    """Every placeholder of one moment; each is worked out when it is asked for, once."""

    __slots__ = ("_known", "view")

    def __init__(
        self,
        state: JsonObject,
        now: float,
        *,
        session: JsonObject | None = None,
        payload: JsonObject | None = None,
    ) -> None:
        """`session`: the row the session's own placeholders speak of; `payload`: what its client says now."""
        self.view = View(state, now, session=session, payload=payload)
        self._known: dict[str, Value] = {}

    def get(self, name: str) -> Value | None:
        """A placeholder's value, None for a name that is none."""
        value = self._known.get(name)
        if value is None:
            function = FUNCTIONS.get(name)
            if function is None:
                return None
            value = self._known[name] = function(self.view)
        return value

    def __getitem__(self, name: str) -> Value:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value
