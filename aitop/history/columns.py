"""The summed columns of the history's tables as SQL, made from `model.sums.COLUMNS`.

Every table of sums and every question for a sum takes its column list from here, so two of them cannot differ
in a column. Pure text; asks nothing.
"""

from collections.abc import Iterable
from operator import itemgetter

from aitop.model.sums import COLUMNS, Sum
from aitop.pricing.basis import Basis

STORED = tuple((c.sql, c.attribute) for c in COLUMNS if c.sql)
BY_MODEL = tuple((c.sql, c.attribute) for c in COLUMNS if c.sql and c.by_model)

CHARS_PER_TOKEN = 4.5  # a careful estimate: below it a healthy response never shows more than it reports
UNDERSTATED = f"incomplete AND visible > {2 * CHARS_PER_TOKEN:g} * output"

# How a row of `response` adds to a sum.
_OF_RESPONSE = {
    "requests": "1",
    "uncached_input_tokens": "uncached",
    "output_tokens": "output",
    "cache_read_tokens": "cache_read",
    "cache_write_5m_tokens": "write_5m",
    "cache_write_1h_tokens": "write_1h",
    "cost": "cost",
    "unpriced_requests": f"basis = {Basis.UNPRICED}",
    "estimated_requests": f"basis = {Basis.FAMILY}",
    "client_priced_requests": f"basis = {Basis.CLIENT}",
    "incomplete_requests": "incomplete",
    "understated_requests": f"({UNDERSTATED})",
    "credits": "ifnull(credits, 0)",
}


def names(columns: Iterable[tuple[str, str]]) -> str:
    """SQL: the columns' names, one after the other."""
    return ", ".join(sql for sql, _ in columns)


def definitions(columns: Iterable[tuple[str, str]]) -> str:
    """SQL: the columns as a table defines them."""
    return ", ".join(f"{sql} INTEGER NOT NULL DEFAULT 0" for sql, _ in columns)


BY_MODEL_NAMES = names(BY_MODEL)
STORED_NAMES = names(STORED)
STORED_SUMS = ", ".join(f"sum({sql})" for sql, _ in STORED)  # of a table of all sessions together
SUMS = ", ".join(f"sum({sql})" for sql, _ in BY_MODEL)  # of a table of sums by model
OF_RESPONSE = ", ".join(_OF_RESPONSE.get(name, "0") for name in Sum._fields)  # of one row of `response`
OF_RESPONSES = ", ".join(f"sum({_OF_RESPONSE.get(name, '0')})" for name in Sum._fields)  # of several

_by_model_order = [name for _, name in BY_MODEL]
_with_tools = [*_by_model_order, "tool_calls", "tool_failures"]
_in_sum_order = itemgetter(*(_with_tools.index(name) for name in Sum._fields))
_in_table_order = itemgetter(*(Sum._fields.index(name) for name in _by_model_order))
_in_stored_order = itemgetter(*(Sum._fields.index(name) for _, name in STORED))
_from_stored_order = itemgetter(*([name for _, name in STORED].index(name) for name in Sum._fields))


def by_model(value: Sum) -> tuple[int, ...]:
    """A sum's numbers as `BY_MODEL_NAMES` stand in a statement; tool calls are left out."""
    return _in_table_order(value)  # type: ignore[no-any-return]


def from_by_model(values: Iterable[int | None], calls: int | None = 0, failures: int | None = 0) -> Sum:
    """The inverse: a row in the order of `BY_MODEL_NAMES` or `SUMS`, and tool calls; NULL is 0."""
    return Sum._make(_in_sum_order([value or 0 for value in (*values, calls, failures)]))


def stored(value: Sum) -> tuple[int, ...]:
    """A sum's numbers as the columns of `session` stand in a statement."""
    return _in_stored_order(value)  # type: ignore[no-any-return]


def from_stored(values: Iterable[int | None]) -> Sum:
    """The inverse; NULL is 0."""
    return Sum._make(_from_stored_order([value or 0 for value in values]))


def from_response(values: Iterable[int | None]) -> Sum:
    """A row of `OF_RESPONSE` or `OF_RESPONSES`; NULL is 0."""
    return Sum._make(value or 0 for value in values)
