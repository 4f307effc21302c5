"""The settings in force: configuration, prices, providers, and folders that clients named in hooks.

Read at the start and again on request. A broken file leaves the last good settings in force. This
module only reads; the loop hands what changed to the reader and to the history.
"""

import json
import os

from aitop import paths
from aitop.config import Config, ConfigError
from aitop.config import load as load_config
from aitop.log import Log
from aitop.model import periods
from aitop.pricing import table
from aitop.providers import selection
from aitop.providers.load import load as load_providers
from aitop.system import atomic_file

MAX_CONFIG_DIRS = 20  # remembered for each provider


class Settings:
    """What the user configured and what is installed, as one listener uses it."""

    def __init__(self, home: str, config: Config, log: Log) -> None:
        self.home, self.config, self._log = home, config, log
        self.config_error: str | None = None
        self.installed, self.broken = load_providers()
        self.providers = selection.enabled(self.installed, config)
        self.prices = self._read_prices()
        periods.begin_weeks_on(periods.WEEKDAYS[config["week_start"]])
        self._config_dirs = _read_config_dirs(os.path.join(home, paths.CONFIG_DIRS))

    def roots(self) -> dict[str, list[str]]:
        """Provider → the folders that hold its client's records: as configured or usual, and as hooks named."""
        roots = selection.folders(self.providers, self.config, dict(os.environ))
        for provider in self.providers:
            if folders := self._config_dirs.get(provider.name):
                roots[provider.name] = list(
                    dict.fromkeys([*roots[provider.name], *provider.folders(folders, {})])
                )
        return roots

    def add_config_dir(self, provider: str, folder: str) -> bool:
        """Remember a folder that a client's hook named; False for one that is known or not this user's."""
        folders = self._config_dirs.setdefault(provider, [])
        if folder in folders or len(folders) >= MAX_CONFIG_DIRS or not _is_own_folder(folder):
            return False
        folders.append(folder)
        try:
            data = json.dumps(self._config_dirs, indent=1).encode()
            atomic_file.replace(os.path.join(self.home, paths.CONFIG_DIRS), data)
        except OSError as error:  # then the next hook after a restart names it again
            self._log.error(f"{self.home}: {error.strerror}")
        return True

    def reload(self) -> bool:
        """Read configuration and prices again; False where the configuration is wrong and the old stays."""
        try:
            self.config = load_config()
        except ConfigError as error:
            self.config_error = str(error)
            self._log.error(str(error))
            return False
        self.config_error = None
        self.prices = self._read_prices()
        self.providers = selection.enabled(self.installed, self.config)
        return True

    def provider_problems(self) -> dict[str, str]:
        """Provider → what is wrong with it, for `doctor`."""
        return selection.problems(self.installed, self.broken, self.config)

    def context_limit(self, provider: str, model: str) -> int | None:
        """A model's context window in tokens: as its client runs it, else its own."""
        client = next((one.context_limit(model) for one in self.providers if one.name == provider), None)
        return client or self.prices.context_window(model)

    def _read_prices(self) -> table.PriceTable:
        return table.load(self.config.price_overrides, os.path.join(self.home, paths.PRICES))


def _read_config_dirs(path: str) -> dict[str, list[str]]:
    try:
        content = json.loads(paths.read(path))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        provider: [folder for folder in folders if isinstance(folder, str) and _is_own_folder(folder)]
        for provider, folders in content.items()
        if isinstance(folders, list)
    }


def _is_own_folder(folder: str) -> bool:
    """Whether it is an absolute path of a folder that belongs to this user."""
    try:
        return os.path.isabs(folder) and os.path.isdir(folder) and os.stat(folder).st_uid == os.getuid()
    except (OSError, ValueError):
        return False
