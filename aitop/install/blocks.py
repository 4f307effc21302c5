"""A marked block in another program's text file: put in, replaced, taken out. Pure.

    # >>> aitop init zsh >>>
    …
    # <<< aitop init zsh <<<

What stands around the block keeps its bytes. Markers that do not pair are refused: a guess would cut
into what the user wrote.
"""

from dataclasses import dataclass


class Unclear(ValueError):  # noqa: N818
    """The text cannot be changed with certainty; says where and what to do."""


@dataclass(frozen=True, slots=True)
class Comment:
    """How a file writes a comment line."""

    start: str
    end: str = ""

    def line(self, text: str) -> str:
        return f"{self.start} {text}{f' {self.end}' if self.end else ''}"


HASH = Comment("#")
SLASHES = Comment("//")
CSS = Comment("/*", "*/")


def markers(host: str, comment: Comment) -> tuple[str, str]:
    return comment.line(f">>> aitop init {host} >>>"), comment.line(f"<<< aitop init {host} <<<")


def block(host: str, body: str, comment: Comment) -> str:
    first, last = markers(host, comment)
    return f"{first}\n{body.rstrip(chr(10))}\n{last}\n"


def find(text: str, host: str, comment: Comment) -> tuple[int, int] | None:
    """Start and end of the block, its line ends included; None when there is none. Raises Unclear."""
    first, last = markers(host, comment)
    starts, ends, at = [], [], 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if line.strip() == first:
            starts.append((at, number))
        elif line.strip() == last:
            ends.append((at + len(line), number))
        at += len(line)
    if not starts and not ends:
        return None
    if len(starts) == 1 and len(ends) == 1 and starts[0][0] < ends[0][0]:
        return starts[0][0], ends[0][0]
    where = min(number for _, number in (*starts, *ends))
    raise Unclear(f"line {where}: the marks `{first}` and `{last}` do not pair; mend or delete them by hand")


def put(text: str, host: str, body: str, comment: Comment) -> str:
    """The text with the block: where it is already, else at the end after an empty line."""
    ours = block(host, body, comment)
    place = find(text, host, comment)
    if place is not None:
        return text[: place[0]] + ours + text[place[1] :]
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return text + gap + ours


def take(text: str, host: str, comment: Comment) -> str:
    """The text without the block and the empty line that `put` set before it."""
    place = find(text, host, comment)
    if place is None:
        return text
    before, after = text[: place[0]], text[place[1] :]
    if before.endswith("\n\n"):
        before = before[:-1]
    return before + after
