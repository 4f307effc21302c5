"""Choosing the forwarder: what is not proved on this machine is not used."""

import stat

import pytest

from aitop.install import forwarder, scripts

GOOD = "#!/bin/sh\n"


@pytest.fixture
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("f")


def prove(home, text):
    path = home / "hook"
    forwarder.write_script(str(path), text)
    return forwarder.prove(str(path), "candidate")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("#!/bin/sh\ncat >/dev/null\n", "500 KB to a listener: what arrived is not what was sent"),
        ("#!/bin/sh\ncat >/dev/null; exit 1\n", "exit code 1"),
        ("#!/bin/sh\ncat >/dev/null; echo hello\n", "said b'hello"),
        ("#!/bin/sh\ncat >/dev/null; sleep 1\n", "took 1"),
    ],
)
def test_a_candidate_that_misbehaves_is_named_with_its_fault(home, text, problem, monkeypatch):
    monkeypatch.setattr(forwarder, "ATTEMPTS", 1)
    assert problem in prove(home, text).problem


def test_a_good_candidate_passes_every_trial(home, monkeypatch):
    monkeypatch.setattr(forwarder, "ATTEMPTS", 20)  # the machine that runs the tests is busy with them
    monkeypatch.setattr(forwarder, "LIMIT", 2.0)
    proof = prove(home, forwarder.render(scripts.PYTHON, str(home)))
    assert proof.problem is None
    assert proof.milliseconds > 0


def test_the_fastest_that_passes_comes_first(monkeypatch):
    proofs = {
        "a": forwarder.Proof("a", 0.0, "hangs"),
        "b": forwarder.Proof("b", 9.0),
        "c": forwarder.Proof("c", 3.0),
    }
    monkeypatch.setattr(forwarder, "candidates", lambda: list(proofs))
    monkeypatch.setattr(forwarder, "prove_kind", proofs.__getitem__)
    assert [proof.kind for proof in forwarder.choose()] == ["c", "b", "a"]


def test_python_is_the_candidate_where_there_is_no_perl(monkeypatch):
    monkeypatch.setattr(forwarder.shutil, "which", lambda _: None)
    assert forwarder.candidates() == ["python"]


def test_a_script_is_executable_and_replaced_in_one_step(home):
    path = home / "hook"
    forwarder.write_script(str(path), GOOD)
    first = path.stat().st_ino
    forwarder.write_script(str(path), GOOD + ":\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert path.stat().st_ino != first
    assert [entry.name for entry in home.iterdir()] == ["hook"]


def test_paths_with_spaces_and_quotes_are_kept_whole():
    text = scripts.hook(
        "python", home="/h/it's $(x)", python="/p y/python", package="/p k", launch=["a b", "c"]
    )
    assert """--home '/h/it'"'"'s $(x)'""" in text
    assert "--launch 'a b' c" in text
