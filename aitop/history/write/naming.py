"""The names a response is found by, as 64-bit keys. Pure.

`message.id` names a response, and so does each further id in `Response.also` (what copies call it). A request id
joins only a record that has no message id: a retry after a broken stream keeps its first request id, and some
relays send one constant id. A record with neither is named by itself.

Some relays send one message id for every answer. Records of one message id with different request ids are different
responses: the one that comes second is called MESSAGE_ID:REQUEST_ID, in whichever file it stands. A file that tells
both calls its second one so by itself.
"""

from typing import NamedTuple

from aitop.history import keys
from aitop.model.events import Response


class Names(NamedTuple):
    """The keys of one record's names."""

    own: tuple[int, ...]  # of its message id and its further ids; of the record itself where it has no id
    message: int | None
    request: int | None
    at: float
    texts: tuple[str, str] | None = None  # message id and request id, where a record has both

    def bare(self) -> int | None:
        """The key of MESSAGE_ID, where the record is called MESSAGE_ID:REQUEST_ID."""
        if self.texts is None or not is_joint(*self.texts):
            return None
        message, request = self.texts
        return keys.key("m", message[: -len(request) - 1])

    def joint(self) -> int | None:
        """The key of MESSAGE_ID:REQUEST_ID; None where the record lacks one of the two."""
        if self.texts is None:
            return None
        message, request = self.texts
        return keys.key("m", message if is_joint(message, request) else f"{message}:{request}")

    def leading(self, named: bool) -> tuple[int, ...]:
        """The keys that are kept to find the response by; `named`: it has a message id."""
        return self.own if named or self.request is None else (*self.own, self.request)

    def all(self) -> tuple[int, ...]:
        """Every key that another record may have left."""
        return self.own if self.request is None else (*self.own, self.request)

    def spellings(self) -> tuple[int, ...]:
        """The same, with the other spellings of a message id and a request id."""
        return (*self.all(), *(name for name in (self.joint(), self.bare()) if name is not None))


def names_of(r: Response) -> Names:
    """The names of one record."""
    message = keys.key("m", r.message_id) if r.message_id else None
    request = keys.key("r", r.request_id) if r.request_id else None
    own = tuple(keys.key("m", name) for name in r.also)
    if message is not None:
        own = (message, *own)
    elif not own and request is None:
        own = (keys.key("u", r.record_id),)
    texts = (r.message_id, r.request_id) if r.message_id and r.request_id else None
    return Names(own, message, request, r.at, texts)


def is_joint(message_id: str, request_id: str) -> bool:
    """Whether a message id is MESSAGE_ID:REQUEST_ID."""
    return message_id.endswith(":" + request_id)
