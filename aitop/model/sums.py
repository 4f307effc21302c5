"""What is added up everywhere: in windows, sessions, periods and quarter hours.

Units: tokens are whole numbers, money is integer picodollars (1e-12 USD), so that a sum is exact and does
not depend on the order. Only the published state and the reports turn picodollars into USD.
"""

from typing import NamedTuple

PICO = 1_000_000_000_000


class Sum(NamedTuple):
    """What is added up everywhere: windows, sessions, periods, quarter hours."""

    requests: int = 0
    errors: int = 0
    uncached_input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cost: int = 0  # picodollars
    tool_calls: int = 0
    tool_failures: int = 0
    unpriced_requests: int = 0
    estimated_requests: int = 0
    incomplete_requests: int = 0
    understated_requests: int = 0  # incomplete, and what they show implies over twice their output

    @property
    def cache_write_tokens(self) -> int:
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def input_tokens(self) -> int:
        return self.uncached_input_tokens + self.cache_read_tokens + self.cache_write_tokens


ZERO = Sum()
