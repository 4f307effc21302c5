"""The gateway as a process: its messages to the user, its journal's thread, its end."""

import asyncio
import os
import sys

from aitop import paths
from aitop.gateway import admission
from aitop.gateway.admission import Rules
from aitop.gateway.journal_writer import Writer
from aitop.gateway.serve import serve
from aitop.gateway.upstreams import OLLAMA, Upstreams
from aitop.system.loopback import peer_owner, secret_file, web_origin

WRITE_OUT = 5.0  # seconds at the end for entries that wait for the disk


def run(upstreams: Upstreams, host: str, port: int, token: bool | None) -> int:
    """Relay until a signal comes; the exit code. `token`: whether one is needed; None: where nothing else helps."""
    writer = Writer(_say)
    writer.start()
    try:
        rules = _rules(host, token)
        asyncio.run(
            serve(
                upstreams, host, port, writer.keep, lambda real: _greet(upstreams, host, real, rules), rules
            )
        )
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


def _rules(host: str, token: bool | None) -> Rules:
    """Loopback where the kernel names the peer's user needs no token; everything else does. Raises OSError."""
    local = web_origin.is_local_host(host)
    asked = local and peer_owner.can_tell()
    needed = not asked if token is None else token
    secret = secret_file.read_or_make(paths.in_home(paths.GATEWAY_TOKEN)) if needed else None
    return Rules(local, os.getuid() if asked else None, secret)


def _greet(upstreams: Upstreams, host: str, port: int, rules: Rules) -> None:
    at = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if rules.token is not None:
        at += admission.PATH_PREFIX + rules.token
    for name, upstream in upstreams.named.items():
        _say(f"{at}/{name} → {upstream.base}")
    if upstreams.default:
        _say(f"{at} → {upstreams.default.base}")
        _say(f"OLLAMA_HOST={at}" if upstreams.default.provider == OLLAMA else f"OPENAI_BASE_URL={at}/v1")
    if rules.token is None and rules.uid is None:
        _say(f"everyone who can reach {host} can use these upstreams through this gateway")


def _say(text: str) -> None:
    print(f"aitop gateway: {text}", file=sys.stderr, flush=True)
