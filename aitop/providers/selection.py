"""The providers in use and their folders: as configured, else as each client would choose them."""

from collections.abc import Iterable, Sequence

from aitop.config import Config
from aitop.providers.isolation import Guarded

OLDER_KEYS = {"claude-code": "claude.config_dirs"}  # still read; `providers.NAME.folders` comes first


def enabled(providers: Iterable[Guarded], config: Config) -> list[Guarded]:
    """All providers except those that the user switched off."""
    return [provider for provider in providers if config.provider(provider.name).enabled is not False]


def folders(providers: Sequence[Guarded], config: Config, environ: dict[str, str]) -> dict[str, list[str]]:
    """Every provider's folders, as configured or as its client would choose them."""
    by_name = {}
    for provider in providers:
        own = list(config.provider(provider.name).folders)
        if not own and provider.name in OLDER_KEYS:
            own = config[OLDER_KEYS[provider.name]]
        by_name[provider.name] = provider.folders(own, environ)
    return by_name


def problems(providers: Iterable[Guarded], broken: dict[str, str], config: Config) -> dict[str, str]:
    """Name → what is wrong: not loaded, switched off by a fault, or configured and not there."""
    loaded = list(providers)
    reasons = {**broken, **{provider.name: provider.problem for provider in loaded if provider.problem}}
    names = {provider.name for provider in loaded}
    for choice in config.providers:
        if choice.name not in names and choice.name not in reasons:
            reasons[choice.name] = "is configured, but no installed package has a provider of this name"
    return reasons
