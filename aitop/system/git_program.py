"""How git is called: the one list of what the configuration of a repository may not do.

A repository may come from anywhere, and its configuration names programs, connections and files. A number that is
read from it must start none of them, and must not depend on how its owner likes to see a log.
"""

import os
from collections.abc import Iterable

OPTIONS = (
    "--no-pager",
    "-c", "core.fsmonitor=false",
    "-c", "core.pager=cat",
    "-c", "diff.external=",
    "-c", "protocol.allow=never",
    "-c", "safe.bareRepository=explicit",  # a folder that only looks like a repository is a part of another one
    "-c", "log.showSignature=false",
    # What follows starts nothing, but changes or ends an answer.
    "-c", "log.showRoot=true",
    "-c", "log.follow=false",
    "-c", "diff.orderFile=/dev/null",
)  # fmt: skip
ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "",  # above each `protocol.NAME.allow`: a missing object is not fetched
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
FILTERS = ("config", "--name-only", "-z", "--get-regexp", r"^filter\.")  # prints what `without_filters` takes


def environment() -> dict[str, str]:
    """The environment of this process without what names another repository, and with what git may not do."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | ENVIRONMENT


def without_filters(keys: bytes) -> dict[str, str]:
    """What to add to the environment so that no configured filter runs. `keys`: the output of FILTERS."""
    names = (key.rpartition(".")[0] for key in keys.decode("utf-8", "surrogateescape").split("\0"))
    return _settings(
        (f"{name}.{key}", value)
        for name in sorted({name for name in names if name.count(".")})
        for key, value in (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
    )


def _settings(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By the environment, because a name with `=` cannot be said with -c."""
    settings = list(pairs)
    added = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        added |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return added
