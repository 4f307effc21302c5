"""Another time zone while a process runs: each way in which a zone is named, in each direction."""

import os
import shutil
import time

import pytest

from aitop.system import local_zone
from aitop.system.local_zone import ZoneWatch

pytestmark = pytest.mark.skipif(
    not os.path.exists(f"{local_zone.ZONES}/Etc/GMT-12"), reason="needs the zones of the system"
)
NOON = 1_790_000_000 // 86_400 * 86_400 + 43_200


def become(path, zone):
    shutil.copy(f"{local_zone.ZONES}/{zone}", f"{path}.new")
    os.rename(f"{path}.new", path)


def hour():
    return time.localtime(NOON).tm_hour


@pytest.mark.parametrize("mark", ["", ":"])
def test_a_zone_file_that_is_replaced_is_in_force_at_once(tmp_path, monkeypatch, mark):
    file = tmp_path / "localtime"
    become(file, "Etc/UTC")
    monkeypatch.setenv("TZ", f"{mark}{file}")
    time.tzset()
    watch = ZoneWatch()
    assert (watch.changed(), hour()) == (False, 12)
    for zone, expected in (("Etc/GMT-5", 17), ("Etc/GMT+5", 7), ("Etc/UTC", 12)):
        become(file, zone)
        assert (watch.changed(), hour()) == (True, expected)
        assert not watch.changed()


def test_a_named_zone_and_the_systems_own_have_their_files(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert local_zone.zone_file() == f"{local_zone.ZONES}/Europe/Berlin"
    monkeypatch.delenv("TZ")
    assert local_zone.zone_file() == "/etc/localtime"


def test_a_zone_without_a_file_never_changes(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1")
    assert not ZoneWatch().changed()
