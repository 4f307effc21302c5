"""The settings in force: configuration, prices, providers. Read at the start and again on request.

A broken file leaves the last good settings in force. This module only reads; the loop hands what
changed to the reader and to the history.
"""

import os

from aitop import paths
from aitop.config import Config, ConfigError
from aitop.config import load as load_config
from aitop.log import Log
from aitop.pricing import table
from aitop.providers import selection
from aitop.providers.load import load as load_providers


class Settings:
    """What the user configured and what is installed, as one listener uses it."""

    def __init__(self, home: str, config: Config, log: Log) -> None:
        self.home, self.config, self._log = home, config, log
        self.config_error: str | None = None
        self.installed, self.broken = load_providers()
        self.providers = selection.enabled(self.installed, config)
        self.prices = self._read_prices()

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
