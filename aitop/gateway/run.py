"""The gateway as a process: its words to the person who started it, its journal's thread, its end."""

import asyncio
import sys

from aitop.gateway import headers
from aitop.gateway.journal_writer import Writer
from aitop.gateway.serve import serve
from aitop.gateway.upstreams import OLLAMA, Route

WRITE_OUT = 5.0  # seconds for what waits for the disk at the end


def run(route: Route, host: str, port: int) -> int:
    """Relay until a signal comes; the exit code."""
    writer = Writer(_say)
    writer.start()
    try:
        asyncio.run(serve(route, host, port, writer.keep, lambda real: _greet(route, host, real)))
    except OSError as error:
        _say(f"cannot listen on {host}, port {port}: {error.strerror or error}; choose another with --port")
        return 1
    except ValueError as error:
        _say(str(error))
        return 1
    finally:
        writer.close(WRITE_OUT)
    if writer.dropped:
        _say(f"{writer.dropped} requests were relayed but not counted")
    return 0


def _greet(route: Route, host: str, port: int) -> None:
    at = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    for name, upstream in route.named.items():
        _say(f"{at}/{name} → {upstream.base}")
    if route.whole:
        _say(f"{at} → {route.whole.base}")
        _say(f"OLLAMA_HOST={at}" if route.whole.provider == OLLAMA else f"OPENAI_BASE_URL={at}/v1")
    if not headers.is_local(host):
        _say(f"everyone who can reach {host} can use these upstreams through this gateway")


def _say(text: str) -> None:
    print(f"aitop gateway: {text}", file=sys.stderr, flush=True)
