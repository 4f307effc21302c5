"""Providers of other packages, installed by pip into an environment of their own: one that works, one that does not."""

import os
import subprocess
import sys
import time
import venv
import zipfile

import pytest
from golden.home import ROOT
from support.claude_home import claude
from support.desk import write
from support.other_provider import RECORD, documented

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def wheel(folder, name, provider, code):
    """A wheel as a build tool makes it."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    parts = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[aitop.providers]\n{provider} = {name}:provider\n",
    }
    parts[f"{info}/RECORD"] = "".join(f"{part},,\n" for part in [*parts, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as packed:
        for part, text in parts.items():
            packed.writestr(part, text)
    return str(path)


@pytest.fixture
def environment(tmp_path):
    """An environment that has what the tests have; `install(*wheels)` adds to it."""
    folder = tmp_path / "env"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    python = str(folder / "bin" / "python")
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "tests.pth").write_text("\n".join([ROOT, *ours]) + "\n")

    def install(*wheels):
        call = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "-q",
            "--no-index",
            "--no-deps",
            *wheels,
        ]
        done = subprocess.run(call, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return python

    return install


def test_the_installed_one_counts_and_the_broken_one_disturbs_nobody(
    environment, tmp_path, listener, monkeypatch
):
    claude(tmp_path / "user")
    write(tmp_path / "user" / ".tiny" / "a.log", (RECORD % (1, time.time())).encode())
    works = wheel(tmp_path, "other_tiny", "tiny", documented())
    breaks = wheel(tmp_path, "other_broken", "broken", "import a_module_that_nobody_has\n")
    monkeypatch.setattr(sys, "executable", environment(works, breaks))
    monkeypatch.delenv("AITOP_PROVIDERS", raising=False)
    listener.start(AITOP_PROVIDERS="", PYTHONPATH="")
    state = listener.wait_for(lambda state: state["today"]["requests"] == 2)
    assert sorted(state["providers"]) == ["claude-code", "tiny"]
    assert state["by_provider"]["tiny"]["today"]["requests"] == 1
    problems = state["doctor"]["broken_providers"]
    assert list(problems) == ["broken"]
    assert "a_module_that_nobody_has" in problems["broken"]
    found = subprocess.run(
        [sys.executable, "-m", "aitop", "report", "models", "--json", "--provider", "tiny"],
        env=os.environ | {"PYTHONPATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert '"provider": "tiny"' in found.stdout
