"""What one commit of the history changed, made by hand."""

from aitop.history.store import Changes


def changes(**more):
    return Changes(**({name: [] for name in Changes._fields} | {"models": set()} | more))
