"""Answers on the socket: the status line of one session, from what its client just said.

A peer that sends `answer=line` or `answer=json` in its header gets one answer on the same connection. It
is made from its own payload and the last published state, so it waits for nothing. This module renders
nothing itself, and a fault in rendering costs the answer only: the peer then helps itself.
"""

import json
import time
from collections.abc import Callable

from aitop.model.json_types import JsonObject
from aitop.receiver.payloads import Question
from aitop.segments import statusline_segment

FORMATS = ("line", "json")
MAX_ANSWER = 64_000  # bytes: far less than a socket takes without waiting


class Answers:
    """Turns a question into bytes. `state` gives the last published state, None before there is one."""

    def __init__(
        self,
        state: Callable[[], JsonObject | None],
        complain: Callable[[str], None],
        remember: Callable[[JsonObject, JsonObject, float], None] = lambda *_: None,
    ) -> None:
        """`remember` takes the payload and options of each line that was asked for, and when."""
        self._state, self._complain, self._remember = state, complain, remember

    def answer(self, question: Question) -> bytes | None:
        """The answer, ended by a newline; None for a format that is unknown."""
        form, options = parse(question.format)
        if form not in FORMATS:
            return None
        try:
            return self._made(question, form, options)
        except Exception as error:  # whatever a payload holds: the peer falls back, the listener goes on
            self._complain(f"answer: {type(error).__name__}")
            return None

    def _made(self, question: Question, form: str, options: JsonObject) -> bytes:
        now = time.time()
        state = self._state()
        lines = statusline_segment.render(question.payload, state, None, now, options)
        text = "\n".join(lines)
        if form == "line":
            self._remember(question.payload, options, now)
        if form == "json":
            state = state or {}
            row = statusline_segment.found(state, question.payload)
            answer = {"line": text, "session": row or None, "today": state.get("today"),
                      "windows": state.get("windows"), "level": state.get("level"),
                      "scan": state.get("scan"), "written_at": state.get("written_at")}  # fmt: skip
            text = json.dumps(answer, ensure_ascii=False)
        return (text + "\n").encode("utf-8", "replace")[:MAX_ANSWER]


def parse(asked: str) -> tuple[str, JsonObject]:
    """`FORMAT[;columns=N][;no_color][;preset=NAME]` → the format and the renderer's options."""
    form, *words = asked.split(";")
    options: JsonObject = {}
    for word in words:
        key, _, value = word.partition("=")
        if key == "columns" and value.isascii() and value.isdecimal():
            options["columns"] = int(value[:6])
        elif key == "no_color":
            options["colour"] = False
        elif key == "preset":
            options["preset"] = value
    return form, options
