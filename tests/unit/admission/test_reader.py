# SPDX-License-Identifier: Apache-2.0
"""The published file, as nova-scheduler keeps it at hand."""

import json
import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nova_ha_scheduler.admission import published
from nova_ha_scheduler.admission.reader import Reader, Unknown
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.rules.admission import ReserveHost, ZoneReserve

SPARE = ReserveHost("spare", {"VCPU": 4}, frozenset({"CUSTOM_FAST"}), "az1")
ZONE = ZoneReserve("nfs-a", (SPARE,), {"spare2": "in use"}, ("gone",))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "admission.json"
    published.write(path, 1000.0, (ZONE,))
    return path


def reader(path: Path, now: float = 1000.0) -> Reader:
    return Reader(str(path), 60, lambda: now)


def test_what_was_written_is_read(file: Path) -> None:
    assert reader(file).zones() == {"nfs-a": ZONE}
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_it_is_read_again_only_when_it_has_changed(file: Path) -> None:
    one = reader(file)
    first = one.zones()
    assert one.zones() is first
    published.write(file, 1001.0, ())
    assert one.zones() == {}


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (1060.0, ""),
        (1061.0, "is too old"),
        (940.0, ""),
        (939.0, "is of a time that is still to come"),
    ],
)
def test_its_age(file: Path, now: float, words: str) -> None:
    if not words:
        assert reader(file, now).zones()
        return
    with pytest.raises(Unknown, match=f"{file} {words}"):
        reader(file, now).zones()


GOOD = {**vars(published.FORMAT), "taken_at": 1000, "zones": []}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is no JSON"),
        ("[]", "it has no schema nova-ha-admission"),
        (
            json.dumps(GOOD | {"version": 2}),
            "its version is 2; this program reads 1",
        ),
        (json.dumps(GOOD | {"zones": [{}]}), r"zones\[0\]: name is missing"),
        (
            json.dumps(
                GOOD | {"zones": [{"name": "a", "reserve": [{"name": "s", "free": 1}]}]}
            ),
            r"zones\[0\].reserve\[0\].free: 1 is no object",
        ),
    ],
)
def test_a_bad_file(file: Path, text: str, words: str) -> None:
    """What was known before holds no more: it is not clear what is meant now."""
    one = reader(file)
    assert one.zones()
    file.write_text(text)
    for _ in range(2):
        with pytest.raises(Unknown, match=words):
            one.zones()


def test_it_is_told_once_when_it_begins_and_when_it_ends(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    one = reader(file)
    file.unlink()
    for _ in range(3):
        with pytest.raises(Unknown):
            one.zones()
    published.write(file, 1000.0, ())
    assert one.zones() == one.zones() == {}
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING", "INFO"]
    assert "No such file or directory" in caplog.records[0].getMessage()


def test_threads_see_whole_files(file: Path) -> None:
    """A zone of each content has as many spares as its number says."""
    one = reader(file)

    def write(count: int) -> None:
        spares = tuple(ReserveHost(f"s{n}", {}) for n in range(count))
        published.write(file, 1000.0, (ZoneReserve(str(count), spares),))

    write(0)

    def look(_: int) -> bool:
        ((name, zone),) = one.zones().items()
        return len(zone.reserve) == int(name)

    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(look, n) for n in range(400)]
        for count in range(50):
            write(count)
        assert all(future.result() for future in found)


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="none/admission.json: No such file"):
        published.write(tmp_path / "none" / "admission.json", 1.0, ())
