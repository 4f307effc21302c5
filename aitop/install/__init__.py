"""Connecting aitop to its host: settings, scripts, services, checks. Never on a hot path."""
