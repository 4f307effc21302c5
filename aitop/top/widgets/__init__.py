"""Widgets: they place lines that were made elsewhere, and know nothing of what the lines say."""
