"""The check of the web server: where its service is installed, whether something of ours answers there.

It asks one path of its own on this machine. It shows no secret, since another program may be listening.
"""

import http.client

from aitop import config
from aitop.install import service as units
from aitop.install.findings import Context, Results, ok, warn

PATIENCE = 1.0
HOST = "127.0.0.1"
REFUSAL = b"aitop: "  # how our server begins a refusal: 401 to its own user, 403 to others


def web(context: Context) -> Results:  # noqa: ARG001
    if not units.is_installed(units.WEB):
        return
    try:
        port = int(config.load()["web.port"])
    except config.ConfigError:
        return  # the check of the configuration says so
    ours = _is_ours(port)
    if ours is None:
        yield warn(
            f"its service is installed, but nothing answers on {HOST}:{port}",
            "run `aitop service install web` again, or `aitop service uninstall web`",
        )
    elif not ours:
        yield warn(
            f"another program or another user's server listens on {HOST}:{port}",
            "choose another web.port, then run `aitop service install web` again",
        )
    else:
        yield ok(f"answers on {HOST}:{port}; `aitop web` opens its pages")


def _is_ours(port: int) -> bool | None:
    """Whether this user's server is there; None where none answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/ticket")
        answer = connection.getresponse()
        return answer.status == 401 and answer.read(200).startswith(REFUSAL)
    except http.client.HTTPException:
        return False
    except OSError:
        return None
    finally:
        connection.close()
