"""The package's own source, parsed once for all tests that judge its shape."""

import ast
import functools
import os
from typing import NamedTuple

import aitop

PACKAGE = os.path.dirname(os.path.abspath(aitop.__file__))


class Source(NamedTuple):
    """One module: its path below the package, its text, its tree, and every node of that tree."""

    name: str
    text: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]


@functools.cache
def sources():
    """Every module of the package, by name."""
    return tuple(sorted(_modules(), key=lambda source: source.name))


def _modules():
    for folder, _, names in os.walk(PACKAGE):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                tree = ast.parse(text)
                yield Source(os.path.relpath(path, PACKAGE), text, tree, tuple(ast.walk(tree)))
