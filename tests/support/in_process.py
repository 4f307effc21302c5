"""A command line in this process: a tenth of what a process of its own costs.

For commands that read and write files. Not for those that close their output, fork or run for long, and not where
the process itself is what a test is about.
"""

import contextlib
import io
import os
import subprocess
import sys
from unittest import mock

from golden.home import environment

from aitop import __main__


def run(home, *words, **more):
    """What `aitop WORDS` does and says in this home, as a finished process; `more` are variables."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = {"stdout": io.TextIOWrapper(out, "utf-8", write_through=True),
               "stderr": io.TextIOWrapper(err, "utf-8", write_through=True)}  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment(home, **more), clear=True))
        stack.enter_context(contextlib.chdir(home))
        stack.enter_context(mock.patch.object(sys, "argv", ["aitop-py", *words]))
        stack.enter_context(mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO())))
        for name, stream in streams.items():
            stack.enter_context(mock.patch.object(sys, name, stream))
        try:
            code = __main__.main()
        except SystemExit as ended:
            code = ended.code
            if isinstance(code, str):
                streams["stderr"].write(code + "\n")
                code = 1
    return subprocess.CompletedProcess(["aitop", *words], code or 0, out.getvalue(), err.getvalue())
