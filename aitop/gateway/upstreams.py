"""Where requests go: to an upstream named by the first part of the path, or to the default one. Pure."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

OPENAI, OLLAMA, OLLAMA_PORT = "openai", "ollama", 11434
DEFAULTS = {OPENAI: "https://api.openai.com", OLLAMA: f"http://127.0.0.1:{OLLAMA_PORT}"}
KNOWN = {"api.openai.com": OPENAI}


class Upstream(NamedTuple):
    """An API behind the gateway. Its requests are counted under `provider`."""

    name: str
    base: str  # scheme, host, perhaps a path; no slash at its end
    provider: str


class Upstreams(NamedTuple):
    """All upstreams: `named` by the first part of the path, `default` for every other path."""

    named: Mapping[str, Upstream]
    default: Upstream | None

    def all(self) -> list[Upstream]:
        return [*self.named.values(), *([self.default] if self.default else [])]

    def find(self, target: str) -> tuple[Upstream, str] | None:
        """The upstream of a request's target (path and query, as sent), and the URL to ask there."""
        if not target.startswith("/"):
            return None
        first, slash, rest = target[1:].partition("/")
        upstream = self.named.get(first)
        if upstream is not None:
            return upstream, upstream.base + slash + rest
        return (self.default, self.default.base + target) if self.default else None


def upstream(base: str, name: str | None = None) -> Upstream:
    """Check a URL. Raises ValueError; the text names the fault and does not repeat the URL."""
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an upstream is a URL such as https://api.openai.com")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("an upstream's URL has no user, password or query: the client sends its own key")
    of_ollama = name == OLLAMA or parts.port == OLLAMA_PORT
    own = f"{parts.hostname}:{parts.port}" if parts.hostname in ("localhost", "127.0.0.1") else parts.hostname
    named = name or KNOWN.get(parts.hostname) or (OLLAMA if of_ollama else own)
    return Upstream(named, base.rstrip("/"), OLLAMA if of_ollama else OPENAI)
