"""Only this package's code runs: no folder of the current directory is ever taken for it."""

import ast
import os
import re
import subprocess
import sys

from support.sources import sources

from aitop.install import scripts
from aitop.system import own_python

SAFE = {"-P", "-I"}


def lists_with_our_python():
    """(file, line, words) of each list in the package that starts with our own interpreter."""
    for source in sources():
        for node in source.nodes if "sys.executable" in source.text else ():
            if isinstance(node, ast.List | ast.Tuple):
                words = [ast.unparse(word) for word in node.elts]
                if "sys.executable" in words:
                    yield source.name, node.lineno, words


def test_each_python_that_is_started_is_told_to_leave_the_current_folder_out():
    starts = list(lists_with_our_python())
    assert {file for file, _, _ in starts} >= {"system/own_python.py", "hook.py"}
    for file, line, words in starts:
        after = words[words.index("sys.executable") + 1 :]
        if after:
            assert ast.literal_eval(after[0]) in SAFE, f"{file}:{line}: {words}"


def test_every_script_that_is_installed_starts_python_isolated():
    for kind in scripts.KINDS:
        words = {"home": "/h", "python": "/p/python", "package": "/l", "perl": "/b/perl"}
        launch = [*own_python.module("aitop", "start")]
        for text in (scripts.hook(kind, launch=launch, **words), scripts.statusline(kind, **words)):
            # in a shell's words, or in Perl's list
            starts = re.findall(r"/p/python (-\S+ -\S+)", text)
            starts += [
                part.replace('"', "").replace(",", "")
                for part in re.findall(r'exec \$python, ("-\S+ "-\S+)', text)
            ]
            assert starts
            assert all(start.startswith("-I ") for start in starts), starts


def test_a_folder_named_like_the_package_is_not_run_by_a_process_of_ours(tmp_path):
    (tmp_path / "aitop").mkdir()
    (tmp_path / "aitop" / "__init__.py").write_text("raise SystemExit(77)\n")
    for words in (
        own_python.module("aitop", "version"),
        own_python.code("import aitop; print(aitop.__file__)"),
    ):
        done = subprocess.run(
            words, cwd=tmp_path, env=os.environ | {"PYTHONPATH": own_python.PARENT}, capture_output=True, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_in_a_clone_it_is_found_by_its_path(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "getcwd", lambda: own_python.PARENT)
    words = own_python.module("aitop", "version")
    done = subprocess.run(
        [*words], cwd=tmp_path, capture_output=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 0, done.stderr
    assert words[:2] == [sys.executable, "-P"]
