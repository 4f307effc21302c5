"""What a label may say."""

import re

import pytest

from aitop.config import Config
from aitop.fleet import labels
from aitop.fleet.names import OTHER


def shape(secret="s", **keys):
    values = dict(Config().values) | {f"fleet.{key}": value for key, value in keys.items()}
    return labels.shape(Config(values), secret)


def test_a_label_shows_its_value_unless_the_user_says_otherwise():
    assert shape().value("project", "shop") == "shop"
    assert shape().value("project", "") == labels.UNKNOWN


def test_a_label_that_is_off_is_empty():
    assert shape(user="off").value("user", "ada") == ""


def test_a_hash_is_the_same_in_a_team_with_a_salt_and_another_one_without():
    one, other = (shape(secret, project="hashed") for secret in ("s1", "s2"))
    assert re.fullmatch("[0-9a-f]{12}", one.value("project", "shop"))
    assert one.value("project", "shop") != other.value("project", "shop")
    one, other = (shape(secret, project="hashed", salt="team") for secret in ("s1", "s2"))
    assert one.value("project", "shop") == other.value("project", "shop")
    assert one.value("project", "shop") != one.value("project", "site")


def test_a_listed_label_shows_the_values_on_the_list_and_other():
    mine = shape(project="listed", listed=["project=shop", "model=x"])
    assert [mine.value("project", name) for name in ("shop", "secret", "x")] == ["shop", OTHER, OTHER]


@pytest.mark.parametrize("name", ["a\nb", 'quo"te', "\ud800", "日本", "x" * 5000, "\x1b[31m"])
def test_a_value_is_printable_and_short(name):
    found = shape().value("project", name)
    assert found.isprintable()
    assert len(found) <= labels.LONGEST
    found.encode()


def test_accounts_are_hashed_by_default():
    assert shape().value("account", "ada@example.org") != "ada@example.org"


def test_settings_with_other_labels_have_another_fingerprint():
    prints = {
        one.fingerprint()
        for one in (
            shape(),
            shape(project="off"),
            shape(project="listed"),
            shape(project="listed", listed=["project=a"]),
        )
    }
    assert len(prints) == 4
    assert shape().fingerprint() == shape().fingerprint()
