"""`aitop report shipped` over repositories with odd contents and settings: right, or unknown with its reason."""

import os

import pytest
from test_shipped import B, lines, shop, world  # noqa: F401 - fixtures

# ruff: noqa: F811 - a fixture is an argument


def written(work, text="one\ntwo\n"):
    """A turn that wrote a file which is committed."""
    work.prompt()
    work.write("a.py", text)
    work.commit()


def replaced(work):
    """The same, and a later commit that took it out."""
    written(work)
    work.save("a.py", "other\n")
    work.commit()


def commit_without_a_date(work):
    tree, parent = (work.git("rev-parse", name).strip() for name in ("HEAD^{tree}", "HEAD"))
    with open(f"{work.root}/odd", "w") as file:
        file.write(f"tree {tree}\nparent {parent}\nauthor a <a@b> xx\ncommitter a <a@b>\n\nodd\n")
    commit = work.git("hash-object", "-t", "commit", "-w", "--literally", "odd").strip()
    os.unlink(f"{work.root}/odd")
    return commit


def test_the_path_of_a_repository_may_hold_a_new_line(world):
    work = world.work("sh\nop").begin()
    written(work)
    assert lines(world.answered()) == {"survived": 2}


def test_a_line_may_hold_the_byte_that_separates_records(world, shop):
    written(shop, "one\ntw\x1eo\n")
    shop.save("a.py", "other\n")
    shop.commit()
    assert lines(world.answered()) == {"reverted": 2}


def test_a_branch_without_a_date_leaves_the_report_alone(world, shop):
    written(shop)
    with open(f"{shop.root}/.git/refs/heads/odd", "w") as file:
        file.write(commit_without_a_date(shop) + "\n")
    assert lines(world.answered()) == {"survived": 2}


def test_what_git_cannot_say_is_unknown_with_its_reason_and_the_rest_goes_on(world, shop):
    written(shop)
    other = world.work("other", B).begin()
    written(other)
    blob = other.git("rev-parse", "HEAD:a.py").strip()
    os.unlink(f"{other.root}/.git/objects/{blob[:2]}/{blob[2:]}")
    answer = world.answered()
    assert lines(answer) == {"survived": 2, "unknown": 2}
    (row,) = [row for row in answer.rows if row["fate"] == "unknown"]
    assert row["git_failed_usd"] == row["spent_usd"]


@pytest.mark.parametrize("key", ["blame.ignoreRevsFile", "diff.orderFile"])
def test_a_setting_that_names_an_absent_file_changes_no_fate(world, shop, key):
    written(shop)
    shop.git("config", key, "absent")
    assert lines(world.answered()) == {"survived": 2}


def test_a_commit_that_blame_is_told_to_ignore_still_holds_its_lines(world, shop):
    shop.save("a.py", "old\n")
    shop.commit()
    written(shop)
    shop.save(".ignored", shop.git("rev-parse", "HEAD"))
    shop.git("config", "blame.ignoreRevsFile", ".ignored")
    assert lines(world.answered()) == {"survived": 2}


@pytest.mark.parametrize(
    ("key", "value"), [("log.showRoot", "false"), ("diff.orderFile", "absent"), ("log.follow", "true")]
)
def test_a_setting_for_logs_changes_no_fate(world, key, value):
    work = world.work()
    work.git("init", "-q", "-b", "main")
    replaced(work)
    work.git("config", key, value)
    assert lines(world.answered()) == {"reverted": 2}
