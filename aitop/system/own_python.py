"""The command line of a Python of ours, started so that it runs this package and nothing else.

Without `-P` Python takes a folder called `aitop` in the current directory for the package: cloned
code would run. Every process that `aitop` starts in Python is started through here, through
`install/scripts.py` (`-I -S`), or with a literal `-P` or `-I`; a test lists them.
"""

import os
import sys

PARENT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def module(name: str, *arguments: str) -> list[str]:
    """`python -m NAME ARGUMENT…`."""
    if _found_without_the_current_folder():
        return [sys.executable, "-P", "-m", name, *arguments]
    run = f"import runpy; runpy.run_module({name!r}, run_name='__main__', alter_sys=True)"
    return code(run, *arguments)


def code(program: str, *arguments: str) -> list[str]:
    """`python -c PROGRAM ARGUMENT…`."""
    if not _found_without_the_current_folder():
        program = f"import sys; sys.path.append({PARENT!r}); {program}"
    return [sys.executable, "-P", "-c", program, *arguments]


def _found_without_the_current_folder() -> bool:
    """False in a clone that was entered to run it: the package then has to be named by its path."""
    return os.getcwd() != PARENT
