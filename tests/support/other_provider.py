"""A provider of another package: the example of the documentation, installed as pip does it."""

import os
import re
import textwrap

from golden.home import ROOT

RECORD = '{"id": "r%d", "at": %d, "session": "s1", "model": "gpt-5", "in": 900, "cached": 600, "out": 50}\n'


def documented():
    """The example of the documentation."""
    with open(os.path.join(ROOT, "docs", "providers.md"), encoding="utf-8") as file:
        (code,) = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
    return code


def install(folder, name, code, provider="tiny"):
    """A package as pip leaves it in a folder of packages."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{name}.py").write_text(textwrap.dedent(code))
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[aitop.providers]\n{provider} = {name}:provider\n")
