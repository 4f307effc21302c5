"""One request to the judge: an OpenAI-compatible API at the address the user named, and at no other.

Redirects are refused and proxies are not used, so no other host gets the text. Neither the request nor the answer is
logged; an error says its kind alone.
"""

import ipaddress
import json
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit

from aitop.providers.gateway import usage
from aitop.providers.gateway.entry import Tokens
from aitop.quality.prompt import MAX_OUTPUT_TOKENS

SECONDS = 60.0
MAX_ANSWER_BYTES = 1 << 20


class Judge(NamedTuple):
    """Who judges. `url`: up to and with /v1; `key` None: none is needed."""

    url: str
    model: str
    key: str | None

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine, and so costs nothing and no text leaves."""
        host = urlsplit(self.url).hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


class Answer(NamedTuple):
    """What came back. `tokens` None: the API did not say."""

    text: str
    tokens: Tokens | None


class JudgeError(Exception):
    """No answer; the message names the kind of failure and no text."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def ask(judge: Judge, messages: list[dict[str, str]], seconds: float = SECONDS) -> Answer:
    """Ask once. Raises JudgeError."""
    body = {
        "model": judge.model, "messages": messages, "max_tokens": MAX_OUTPUT_TOKENS, "temperature": 0,
        "response_format": {"type": "json_object"},
    }  # fmt: skip
    headers = {"Content-Type": "application/json", "User-Agent": "aitop"}
    if judge.key:
        headers["Authorization"] = f"Bearer {judge.key}"
    request = urllib.request.Request(  # noqa: S310 - only http and https pass the configuration
        f"{judge.url.rstrip('/')}/chat/completions", json.dumps(body).encode(), headers, method="POST"
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        with opener.open(request, timeout=seconds) as response:
            data = response.read(MAX_ANSWER_BYTES)
    except urllib.error.HTTPError as error:
        error.close()
        raise JudgeError(f"the judge answered {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise JudgeError(f"the judge cannot be reached ({type(error).__name__})") from None
    return _read(data)


def _read(data: bytes) -> Answer:
    try:
        answer = json.loads(data)
        text = answer["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise JudgeError("the judge's answer is not that of a chat completion") from None
    return Answer(text if isinstance(text, str) else "", usage.of_openai(answer.get("usage")))
