"""A client as a declaration: where its records are, and which module reads them.

A client that needs folders and a parser, and nothing else, is one `Client` of a few lines. The parser's module is
loaded when the first of the client's files is met, so a client that is not on this machine costs next to nothing.
This module must not read a record. docs/providers.md shows a whole declaration.
"""

import importlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType

from aitop.model.json_types import JsonObject
from aitop.providers import Feed, Parsed, Source, places


@dataclass(frozen=True, slots=True)
class Client:
    """The provider of one client.

    `places` are its folders or single files, as `places.expand` takes them. `files` is a regular expression that is
    searched for in a path below them. `parser` is a module with `parse(data, start, source)` for lines or
    `read(path, source)` for documents and databases, and perhaps `identify(path)`.
    """

    name: str
    places: tuple[str, ...]
    files: str
    parser: str
    moved_by: tuple[
        tuple[str, str], ...
    ] = ()  # (variable of the client, what is below its value); the first set one
    keeps_note: bool = False  # its note outlives a file that is replaced: its records are running sums
    passes_over: str = ""  # a regular expression of folders that hold no records
    finds: Callable[[list[str]], list[str]] | None = (
        None  # folders → those to search, where a file lists them
    )

    @property
    def environment(self) -> tuple[str, ...]:
        """The client's variables that move its files."""
        return tuple(variable for variable, _ in self.moved_by)

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        """The configured folders, else those that the client itself would use."""
        named = [places.named(part) for part in configured] or self._own(environ)
        return named if self.finds is None else self.finds(named)

    def _own(self, environ: dict[str, str]) -> list[str]:
        for variable, below in self.moved_by:
            if value := environ.get(variable, "").strip():
                return [os.path.join(places.named(value), below) if below else places.named(value)]
        return list(dict.fromkeys(places.expand(place, environ) for place in self.places))

    def wants(self, path: str) -> bool:
        return re.search(self.files, path) is not None

    def enters(self, folder: str) -> bool:
        return not self.passes_over or re.search(self.passes_over, folder) is None

    def identify(self, path: str) -> Source:
        identify = getattr(self._module(), "identify", None)
        source: Source = identify(path) if identify else Source(None, None)
        return source

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        parse = getattr(self._module(), "parse", None)
        parsed: Parsed = (
            parse(data, start, source) if parse else Parsed([], 0, None, source.session, source.pending)
        )
        return parsed

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        read = getattr(self._module(), "read", None)
        batches: Iterator[Parsed] | None = read(path, source) if read else None
        return batches

    def context_limit(self, model: str) -> int | None:  # noqa: ARG002
        return None

    def feed(self, header: dict[str, str], payload: JsonObject, now: float) -> Feed | None:  # noqa: ARG002
        """None: such a client has no hook of ours."""
        return None

    def _module(self) -> ModuleType:
        return importlib.import_module(self.parser)
