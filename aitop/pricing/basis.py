"""What a response's cost rests on, in a module of its own so that the history can name it without a price table."""

from enum import IntEnum


class Basis(IntEnum):
    """Stored with each response (`response.basis`): the numbers never change their meaning."""

    LISTED = 0  # a row of the price table for this very model
    FAMILY = 1  # estimated from another model of its family
    UNPRICED = 2  # no price: it costs 0 in every sum, and is named
    CLIENT = 3  # no price of ours: what the client said it cost
