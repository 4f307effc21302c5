"""A provider behind a guard: its faults cost its own numbers and no other client's.

A fault in a question about itself switches a provider off. A fault in reading sets that file aside, and the third
such file switches the provider off. Events of other packages are checked before they reach the history. A provider
that is off has no folders, files or feeds; `problem` says why, and `doctor` shows it.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from aitop.model.events import Event
from aitop.model.json_types import JsonObject
from aitop.otlp import Record
from aitop.providers import Feed, Parsed, Provider, Reader, Source, TelemetryReader

FAULTY_FILES = 3
METHODS = ("folders", "wants", "identify", "parse", "context_limit", "feed")
T = TypeVar("T")


class Guarded:
    """The same interface around any provider. `trusted`: its events are not checked one by one."""

    def __init__(self, name: str, provider: Provider, *, trusted: bool) -> None:
        missing = [method for method in METHODS if not callable(getattr(provider, method, None))]
        if missing:
            raise TypeError(f"it has no method {', '.join(missing)}; see docs/providers.md")
        if getattr(provider, "name", None) != name:
            raise TypeError(f"its `name` must be {name!r}, that of its entry point")
        self.name = name
        self.problem: str | None = None
        self.trusted = trusted
        self._provider = provider
        self._reader = provider if isinstance(provider, Reader) else None
        self._telemetry = provider if isinstance(provider, TelemetryReader) else None
        named = self._telemetry.services if self._telemetry else ()
        if not isinstance(named, tuple) or not all(isinstance(one, str) and one for one in named):
            raise TypeError("its `services` must be a tuple of service names")
        self.environment = tuple(getattr(provider, "environment", ()))
        if not all(isinstance(one, str) and one.isidentifier() for one in self.environment):
            raise TypeError("its `environment` must be a tuple of names of variables")
        # Whether the note of a file outlives its replacement: the provider's records are running sums.
        self.keeps_note = getattr(provider, "keeps_note", False) is True
        self._faulty: set[str] = set()

    @property
    def reads(self) -> bool:
        """Whether some of its files are read by itself."""
        return self._reader is not None

    def folders(self, configured: list[str], environ: dict[str, str]) -> list[str]:
        def ask() -> list[str]:
            answer = self._provider.folders(configured, environ)
            if not isinstance(answer, list) or not all(isinstance(folder, str) for folder in answer):
                raise TypeError("must return a list of strings")
            return answer

        return self._ask("folders", ask, [])

    def wants(self, path: str) -> bool:
        return self._ask("wants", lambda: bool(self._provider.wants(path)), False)

    def enters(self, folder: str) -> bool:
        """Whether a folder below one of its own may hold records; True where the provider does not say."""
        asked = getattr(self._provider, "enters", None)
        return asked is None or self._ask("enters", lambda: bool(asked(folder)), False)

    def identify(self, path: str) -> Source:
        if self.trusted and self.problem is None:  # asked once for each file of a first reading
            try:
                return self._provider.identify(path)
            except Exception as error:
                self.problem = f"switched off, identify(): {_described(error)}"
                return Source(None, None)
        from aitop.providers import conformance

        return self._ask(
            "identify", lambda: conformance.checked_source(self._provider.identify(path)), Source(None, None)
        )

    def context_limit(self, model: str) -> int | None:
        def ask() -> int | None:
            answer = self._provider.context_limit(model)
            return answer if isinstance(answer, int) and 0 < answer < 1 << 40 else None

        return self._ask("context_limit", ask, None)

    def feed(self, header: dict[str, str], payload: JsonObject, now: float) -> Feed | None:
        def ask() -> Feed | None:
            answer = self._provider.feed(header, payload, now)
            if answer is None or self.trusted:
                return answer
            from aitop.providers import conformance

            return conformance.checked_feed(answer, self.name)

        return self._ask("feed", ask, None)

    def sent_by(self, service: str) -> bool:
        """Whether this service name is one of its client's."""
        names = self._telemetry.services if self._telemetry else ()
        return any(service == name or service.startswith((f"{name}-", f"{name}_")) for name in names)

    def telemetry(self, records: list[Record], now: float) -> list[Event]:
        def ask() -> list[Event]:
            answer = self._telemetry.telemetry(records, now) if self._telemetry else []
            if self.trusted:
                return answer
            from aitop.providers import conformance

            return conformance.checked_events(answer, self.name)

        return self._ask("telemetry", ask, [])

    def parse(self, data: bytes, start: int, source: Source) -> Parsed:
        """Raises what the provider raises; the caller passes it with the file to `blame`."""
        answer = self._provider.parse(data, start, source)
        if self.trusted:
            return answer
        from aitop.providers import conformance

        return conformance.checked_parsed(answer, self.name)

    def read(self, path: str, source: Source) -> Iterator[Parsed] | None:
        """As `parse`."""
        batches = self._reader.read(path, source) if self._reader else None
        if batches is None or self.trusted:
            return batches
        from aitop.providers import conformance

        return (conformance.checked_parsed(batch, self.name) for batch in batches)

    def blame(self, path: str, error: Exception) -> None:
        """Note that reading this file failed by a fault of the provider's."""
        self._faulty.add(path)
        if len(self._faulty) >= FAULTY_FILES and self.problem is None:
            self.problem = f"switched off, it cannot read its files: {_described(error)}"

    def _ask(self, method: str, question: Callable[[], T], otherwise: T) -> T:
        if self.problem is not None:
            return otherwise
        try:
            return question()
        except Exception as error:
            self.problem = f"switched off, {method}(): {_described(error)}"
            return otherwise


def guarded(provider: Provider) -> Guarded:
    """A provider behind its guard; a guarded one is returned as it is."""
    return provider if isinstance(provider, Guarded) else Guarded(provider.name, provider, trusted=True)


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
