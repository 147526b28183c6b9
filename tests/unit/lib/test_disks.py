# SPDX-License-Identifier: Apache-2.0
"""The checker of the real stack's disks can fail, in each way."""

import shutil

import pytest

from tests.lib.real import disks
from tests.lib.real.disks import Disks, Mark

ONE = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "zones" / "nfs-a" / ONE / "disk"
    path.parent.mkdir(parents=True)
    return path


def _write(disk, boots, beats, boot):
    text = f"boots {boots:08}\n".encode().ljust(512, b"\0")
    text += f"beats {beats:08} boot {boot:08}\n".encode().ljust(512, b"\0")
    with disk.open("r+b" if disk.exists() else "wb") as file:
        file.seek(512)
        file.write(text)


def _breaches(tmp_path, disk, *marks):
    """One look each second."""
    found = Disks(tmp_path)
    for second, mark in enumerate(marks):
        _write(disk, *mark)
        found.look(float(second))
    return [
        breach.removeprefix(f"zones/nfs-a/{ONE}/disk: ") for breach in found.breaches
    ]


def test_a_good_night(tmp_path, disk):
    marks = [(1, 1, 1), (1, 2, 1), (1, 2, 1), (1, 4, 1), (2, 4, 1), (2, 5, 2)]
    assert _breaches(tmp_path, disk, *marks) == []


def test_went_back(tmp_path, disk):
    found = _breaches(tmp_path, disk, (1, 8, 1), (1, 3, 1), (1, 4, 1))
    assert found == ["went back from 8 beats to 3"]


def test_the_older_guest_writes_again(tmp_path, disk):
    found = _breaches(tmp_path, disk, (1, 8, 1), (2, 9, 2), (2, 10, 1), (2, 11, 2))
    assert found == ["written by boot 1 after boot 2 had"]


def test_two_guests_of_one_boot(tmp_path, disk):
    marks = [(2, beats, 2) for beats in range(0, 30, 2)]
    assert "beats in" in _breaches(tmp_path, disk, *marks)[0]


def _replaced(tmp_path, disk, *mark):
    """Another file is there after seven beats, with what the mark says."""
    _write(disk, 1, 7, 1)
    found = Disks(tmp_path)
    found.look(1.0)
    new = disk.with_name("new")
    shutil.copy(disk, new)
    _write(new, *mark)
    new.replace(disk)
    found.look(2.0)
    return found.breaches


def test_made_anew(tmp_path, disk):
    told = [f"zones/nfs-a/{ONE}/disk: made anew after 7 beats"]
    assert _replaced(tmp_path, disk, 1, 1, 1) == told


def test_copied_in_a_cold_migration(tmp_path, disk):
    assert _replaced(tmp_path, disk, 1, 7, 1) == []


def test_stands_still(tmp_path, disk, monkeypatch):
    monkeypatch.setattr(disks, "_ALIVE", 0.6)
    _write(disk, 1, 7, 1)
    found = Disks(tmp_path)
    assert found.of(ONE) == [disk]
    assert found.still([disk]) == [f"zones/nfs-a/{ONE}/disk"]
    assert found.silent([ONE]) == {ONE}


def test_has_no_disk(tmp_path):
    assert Disks(tmp_path).silent([ONE]) == {ONE}


def test_writes(tmp_path, disk, monkeypatch):
    monkeypatch.setattr(disks, "_ALIVE", 0.6)
    marks = iter([Mark(1, 7, 1), Mark(1, 9, 1)])
    monkeypatch.setattr(disks, "read", lambda _: next(marks))
    disk.touch()
    assert Disks(tmp_path).silent([ONE]) == set()


def test_nothing_was_written(tmp_path, disk):
    disk.write_bytes(bytes(4096))
    assert disks.read(disk) is None
    _write(disk, 3, 9, 2)
    assert disks.read(disk) == Mark(boots=3, beats=9, boot=2)
