"""Which root a path is under: by its spelling, through links that stay inside, and never outside."""

import os

import pytest

from aitop.ingest.roots import Found, Roots


@pytest.fixture
def world(tmp_path):
    for name in ("one/a", "two/b", "out"):
        os.makedirs(tmp_path / name)
    for name in ("one/a/x.jsonl", "two/b/y.jsonl", "out/z.jsonl"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def roots(world):
    return Roots({"first": [str(world / "one")], "second": [str(world / "two")]})


def test_a_path_below_a_root_is_its_providers(world, roots):
    path = str(world / "one/a/x.jsonl")
    assert roots.resolve(path) == Found("first", path)


def test_a_root_that_is_a_link_is_known_by_both_of_its_names(world):
    os.symlink(world / "one", world / "alias")
    roots = Roots({"first": [str(world / "alias")]})
    for name in ("alias", "one"):
        assert roots.resolve(str(world / name / "a/x.jsonl")) == Found("first", str(world / "one/a/x.jsonl"))


@pytest.mark.parametrize("target", ["two/b", "../two/b"])
def test_a_link_below_a_root_leads_to_what_it_is_under_another_root(world, roots, target):
    os.symlink(target if target.startswith("..") else world / target, world / "one/linked")
    assert roots.resolve(str(world / "one/linked/y.jsonl")) == Found("second", str(world / "two/b/y.jsonl"))


def test_a_linked_file_and_a_link_to_a_link_are_followed_as_well(world, roots):
    os.symlink(world / "two/b/y.jsonl", world / "one/a/l.jsonl")
    os.symlink(world / "one/a", world / "two/back")
    assert roots.resolve(str(world / "two/back/l.jsonl")) == Found("second", str(world / "two/b/y.jsonl"))


@pytest.mark.parametrize("target", ["out", "/dev", "../out", "one/loop"])
def test_a_link_that_leads_out_or_in_a_circle_leads_nowhere(world, roots, target):
    os.symlink(target if target.startswith(("/", "..")) else world / target, world / "one/loop")
    assert roots.resolve(str(world / "one/loop/z.jsonl")) is None


@pytest.mark.parametrize(
    "path", ["{}/out/z.jsonl", "{}/one/../out/z.jsonl", "{}/onex/z", "x.jsonl", "", "\0", "/\udcff"]
)
def test_anything_else_is_under_no_root(world, roots, path):
    assert roots.resolve(path.format(world)) is None


def test_a_target_outside_is_not_looked_at(world, roots, monkeypatch):
    os.symlink(world / "out", world / "one/way")
    seen = []
    lstat = os.lstat
    monkeypatch.setattr(os, "lstat", lambda path: seen.append(path) or lstat(path))
    assert roots.resolve(str(world / "one/way/z.jsonl")) is None
    assert seen == [str(world / "one/way")]
