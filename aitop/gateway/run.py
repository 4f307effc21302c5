"""The gateway as a process: its messages to the user, its journal's thread, its end."""

import asyncio
import sys

from aitop.gateway import headers
from aitop.gateway.journal_writer import Writer
from aitop.gateway.serve import serve
from aitop.gateway.upstreams import OLLAMA, Upstreams

WRITE_OUT = 5.0  # seconds at the end for entries that wait for the disk


def run(upstreams: Upstreams, host: str, port: int) -> int:
    """Relay until a signal comes; the exit code."""
    writer = Writer(_say)
    writer.start()
    try:
        asyncio.run(serve(upstreams, host, port, writer.keep, lambda real: _greet(upstreams, host, real)))
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


def _greet(upstreams: Upstreams, host: str, port: int) -> None:
    at = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    for name, upstream in upstreams.named.items():
        _say(f"{at}/{name} → {upstream.base}")
    if upstreams.default:
        _say(f"{at} → {upstreams.default.base}")
        _say(f"OLLAMA_HOST={at}" if upstreams.default.provider == OLLAMA else f"OPENAI_BASE_URL={at}/v1")
    if not headers.is_local(host):
        _say(f"everyone who can reach {host} can use these upstreams through this gateway")


def _say(text: str) -> None:
    print(f"aitop gateway: {text}", file=sys.stderr, flush=True)
