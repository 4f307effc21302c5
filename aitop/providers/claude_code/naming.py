"""Which response an assistant line belongs to, and what that response is called. Pure.

A response is named by its message id. Some relays send one message id for every answer, so an id is trusted only
as far as its own lines agree:

- Lines with different request ids are different responses. The first keeps the message id as its name, the others
  are called MESSAGE_ID:REQUEST_ID.
- Without any request id, a line behind a user's line with another input side is another response. Each is called
  MESSAGE_ID@MILLISECONDS, by the time of its first line, which copies in resumed and forked sessions keep.

The history joins records by these names, so the same line must get the same name in whatever steps a file is read.
`carried` holds what the next run of the same file has to know.
"""

from collections.abc import Iterator
from typing import Any

from aitop.providers.claude_code.response_builder import ResponseBuilder
from aitop.providers.lenient import count

Names = tuple[str | None, str | None]  # message name, request id
Carried = list[list[Any]]  # [message id, name, request id, input side, whether a user's line came since]
MAX_CARRIED = 8  # responses that share a message id
MAX_CARRIED_TEXT = 256


class Known:
    """The response that a message id stands for now, and the builder that gathers its lines in this run."""

    __slots__ = ("builder", "earlier_name", "input_side", "names", "turn")

    def __init__(self, names: Names, input_side: tuple[int, ...], turn: int) -> None:
        self.names, self.input_side, self.turn = names, input_side, turn
        self.earlier_name: str | None = None  # what an earlier run called it
        self.builder: ResponseBuilder | None = None


class Naming:
    """Names the responses of one file, line by line."""

    def __init__(self, carried: Carried | None) -> None:
        self.turn = 0  # counts the user's lines of this run
        self._newest: dict[str, Known] = {}  # by message id
        self._last: str | None = None
        # Responses of message ids that turned out to be shared, by message id and request id, the newest last.
        self._shared: dict[Names, Known] = {}
        for message_id, named in _restored(carried):
            self._shared[message_id, named.names[1]] = named
            self._last, self._newest[message_id] = message_id, named
        if len(self._shared) == 1:
            self._shared.clear()

    def user_line(self) -> None:
        """A prompt or a tool's result went to the model."""
        self.turn += 1

    def of(self, message_id: str, request_id: str | None, usage: object, at: float) -> Known:
        """The response that a line with this message id belongs to."""
        self._last = message_id
        newest = self._newest.get(message_id)
        if newest is not None and request_id is not None and newest.names[1] == request_id:
            newest.turn = self.turn
            return newest
        if newest is None:
            name = message_id if request_id else _timed(message_id, at)
            named = Known((name, request_id), _input_side(usage, request_id), self.turn)
        elif request_id:
            named = self._with_request(newest, message_id, request_id)
        else:
            named = self._without_request(newest, message_id, usage, at)
        named.turn = self.turn
        self._newest[message_id] = named
        return named

    def carried(self) -> Carried | None:
        """What the next run has to know: the response of the newest line, and those that share a message id."""
        if self._last is None or len(self._last) > MAX_CARRIED_TEXT:
            return None
        newest = self._newest[self._last]
        others = [(key[0], named) for key, named in self._shared.items() if named is not newest]
        return [
            [message_id, *named.names, list(named.input_side), self.turn > named.turn]
            for message_id, named in [*others[1 - MAX_CARRIED :], (self._last, newest)]
        ]

    def _with_request(self, newest: Known, message_id: str, request_id: str) -> Known:
        known_request = newest.names[1]
        if known_request is None:  # the lines before it had no request id: they are of the same response
            newest.earlier_name, newest.names = newest.names[0], (message_id, request_id)
            if newest.builder is not None:
                newest.builder.rename(newest.names, newest.earlier_name)
            return newest
        key = (message_id, request_id)
        self._shared[message_id, known_request] = newest
        other = self._shared.pop(key, None) or Known(
            (f"{message_id}:{request_id}", request_id), (), self.turn
        )
        self._shared[key] = other
        return other

    def _without_request(self, newest: Known, message_id: str, usage: object, at: float) -> Known:
        if newest.names[1] is not None:
            return newest
        side = _input_side(usage, None)
        if newest.turn != self.turn and side != newest.input_side:
            return Known((_timed(message_id, at), None), side, self.turn)
        newest.input_side = side
        return newest


def _timed(message_id: str, at: float) -> str:
    return f"{message_id}@{round(at * 1000)}"


def _input_side(usage: object, request_id: str | None) -> tuple[int, ...]:
    """What went to the model, as far as two requests differ in it; empty where the request has an id."""
    if request_id or not isinstance(usage, dict):
        return ()
    return (
        count(usage.get("input_tokens")),
        count(usage.get("cache_read_input_tokens")),
        count(usage.get("cache_creation_input_tokens")),
    )


def _restored(carried: Carried | None) -> Iterator[tuple[str, Known]]:
    for one in carried if isinstance(carried, list) else ():
        if isinstance(one, list) and len(one) == 5 and isinstance(one[3], list):
            message_id, name, request_id, side, behind_a_turn = one
            yield message_id, Known((name, request_id), tuple(side), -1 if behind_a_turn else 0)
