"""Questions to a Prometheus-compatible HTTP API: Prometheus, VictoriaMetrics, Mimir, Thanos.

Every fault becomes one plain sentence. It keeps nothing and retries nothing; loaded only where an engine is asked.
"""

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import NamedTuple

from aitop import paths

SECONDS = 10.0
LARGEST = 32 << 20  # bytes of an answer


class EngineError(Exception):
    """The engine did not answer; the message says why and what to do."""


class Point(NamedTuple):
    labels: dict[str, str]
    value: float


class Engine:
    """`url`: where its API is, without `/api/v1`. `credentials`: the path of a file, "" for none.

    The file holds `USER:PASSWORD` or a token.
    """

    def __init__(self, url: str, credentials: str = "") -> None:
        """Raises EngineError where the address or the credentials cannot be used."""
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise EngineError(f"fleet.read: {url} is no http or https address")
        self.url = url.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "aitop"}
        if credentials:
            try:
                secret = paths.read(credentials).decode().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise EngineError(f"fleet.credentials: {credentials} cannot be read: {error}") from error
            basic = base64.b64encode(secret.encode()).decode()
            self._headers["Authorization"] = f"Basic {basic}" if ":" in secret else f"Bearer {secret}"

    def ask(self, expression: str) -> list[Point]:
        """An instant query. Raises EngineError."""
        body = urllib.parse.urlencode({"query": expression, "timeout": f"{SECONDS:g}s"}).encode()
        # POST, as an expression may be longer than an address
        request = urllib.request.Request(f"{self.url}/api/v1/query", body, self._headers)  # noqa: S310 - checked above
        try:
            with _opener.open(request, timeout=SECONDS) as answer:
                content = json.loads(answer.read(LARGEST))
            return [
                Point({str(k): str(v) for k, v in one["metric"].items()}, float(one["value"][1]))
                for one in content["data"]["result"]
            ]
        except urllib.error.HTTPError as error:
            raise EngineError(self._refused(error)) from error
        except TimeoutError as error:
            raise EngineError(f"{self.url} did not answer within {SECONDS:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise EngineError(f"{self.url} did not answer within {SECONDS:g} s") from error
            raise EngineError(
                f"{self.url} cannot be reached: {getattr(reason, 'strerror', None) or reason}"
            ) from error
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise EngineError(
                f"{self.url} does not answer as Prometheus does: is it the right address?"
            ) from error

    def _refused(self, error: urllib.error.HTTPError) -> str:
        if error.code in (401, 403):
            return f"{self.url} refuses the credentials ({error.code}): see fleet.credentials"
        if error.code == 404:
            return f"{self.url} has no /api/v1/query: is it the right address?"
        try:
            reason = str(json.loads(error.read(4096))["error"])[:200]
        except (OSError, ValueError, KeyError, TypeError):
            reason = error.reason
        clean = "".join(char for char in reason if char.isprintable())
        return f"{self.url} answers {error.code}: {clean}"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would send the credentials elsewhere."""

    def redirect_request(self, *_: object) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)
