"""The check of the gateway: where one is set up, whether it runs and is ours.

It reads one path of its own on this machine and relays nothing.
"""

import http.client
import json
import urllib.error
import urllib.request

from aitop import config, paths
from aitop.install import service as units
from aitop.install.findings import Context, Results, ok, warn
from aitop.model.json_types import JsonObject
from aitop.system.loopback import secret_file

PATIENCE = 1.0
REMEDY = (
    "run `aitop gateway` or `aitop service install gateway`, or take it out of configuration and services"
)


def gateway(context: Context) -> Results:  # noqa: ARG001
    try:
        settings = config.load()
    except config.ConfigError:
        return  # the check of the configuration says so
    if not (settings.upstreams or units.is_installed(units.GATEWAY)):
        return
    port = settings["gateway.port"]
    answer = _asked(f"http://127.0.0.1:{port}/.aitop")
    if answer is None:
        yield warn(f"the gateway is set up, but nothing answers on 127.0.0.1:{port}", REMEDY)
        return
    version = answer.get("aitop")
    if not isinstance(version, str):
        yield warn(f"another program listens on 127.0.0.1:{port}", "choose another gateway.port")
        return
    served = [str(name) for name in answer["upstreams"]] if isinstance(answer.get("upstreams"), list) else []
    missing = [name for name in settings.upstreams if name not in served]
    if answer.get("unread"):
        yield warn(
            f"{answer['unread']} answers could not be read and were not counted",
            "please report it with `aitop doctor --report`",
        )
    if missing:
        yield warn(
            f"the running gateway does not know {', '.join(missing)} yet", "start `aitop gateway` again"
        )
    else:
        yield ok(f"127.0.0.1:{port}, version {version}: {', '.join(served)}")


def _asked(url: str) -> JsonObject | None:
    """What our gateway says of itself there; {} where another program answers, None where none does."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    direct.addheaders += _token()
    try:
        with direct.open(url, timeout=PATIENCE) as response:
            value = json.loads(response.read(65_536))
    except (urllib.error.HTTPError, http.client.HTTPException, ValueError):
        return {}
    except OSError:
        return None
    return value if isinstance(value, dict) else {}


def _token() -> list[tuple[str, str]]:
    """The header that a gateway with a token asks for."""
    try:
        secret = secret_file.read(paths.in_home(paths.GATEWAY_TOKEN))
    except OSError:
        return []
    return [("x-aitop-token", secret)] if secret else []
