"""Made-up lives of several clients, read as they happen, beside a count that knows nothing of `aitop`."""
