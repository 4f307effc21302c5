"""Whether an HTTP request at one of our local ports comes from a web page elsewhere. Pure.

A browser lets every page send simple requests to this machine. It names the page in `Origin` and says in
`Sec-Fetch-Site` where the page stands; a page cannot change either. A page under a name of its own that leads
to this machine (DNS rebinding) is known by the `Host` header.
"""

# Programs with a browser inside: no web page can have an origin of this kind.
PROGRAM_SCHEMES = ("app", "tauri", "vscode-webview", "vscode-file", "capacitor")

# What containers call their host: no domain of the public Internet can end in `.internal`.
LOCAL_NAMES = ("localhost", "::1", "host.docker.internal", "host.containers.internal")


def is_local_host(host: str) -> bool:
    """Whether a `Host` header names this machine, by a name that cannot be pointed here from elsewhere."""
    name = host.rsplit("]", 1)[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    name = name.lower().rstrip(".")
    return name in LOCAL_NAMES or name.endswith(".localhost") or _is_127(name)


def is_foreign_page(origin: str | None, fetch_site: str | None) -> bool:
    """Whether a page of another site sent a request, by its `Origin` and `Sec-Fetch-Site` headers."""
    if origin is None:
        return fetch_site == "cross-site"
    scheme, separator, rest = origin.partition("://")
    if not separator:
        return True  # "null": a page in a sandbox, or a file
    if scheme.lower() in PROGRAM_SCHEMES:
        return False
    return not is_local_host(rest)


def _is_127(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() and len(part) < 4 for part in parts)
