# SPDX-License-Identifier: Apache-2.0
"""health.json: whole at every moment, readable by all, and not believed when old."""

import json
import stat
import tempfile
from pathlib import Path

import pytest

from nova_ha_scheduler import files
from nova_ha_scheduler.health import file
from nova_ha_scheduler.health.judgement import of_problems
from nova_ha_scheduler.health.problems import Code, Kind, Problem

NOW = 1_000_000.0
JUDGED = of_problems([Problem(Kind.DEVICE_BROKEN, "c1", NOW - 60, ("no route",))])


_CHANGES = [
    ("code", 9),
    ("code", True),
    ("at", float("nan")),
    ("at", "now"),
    ("valid_s", None),
    ("line", 3),
    ("problems", 1),
    ("problems", [1]),
    ("problems", [{"kind": "guard"}]),
    ("schema", "nova-ha-admission"),
    ("version", 2),
]


def _changed(key: str, value: object) -> str:
    """A file that is right, but for one thing."""
    with tempfile.TemporaryDirectory() as folder:
        file.write(folder, JUDGED, "ctl1:1:a", NOW, 30.0)
        found = json.loads(Path(folder, file.NAME).read_text())
    return json.dumps({**found, key: value})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file.write(str(tmp_path), JUDGED, "ctl1:1:a", NOW, 30.0)
    return tmp_path / file.NAME


def test_it_is_what_health_says(path: Path) -> None:
    found = file.read(path, NOW + 29)
    assert found == file.plain(JUDGED)
    assert found["code"] == 1
    assert found["state"] == "degraded"
    (problem,) = found["problems"]
    assert (problem["kind"], problem["host"]) == ("device_broken", "c1")
    assert problem["since"] == "1970-01-12T13:45:40Z"
    assert json.loads(path.read_text())["trigger"] == "ctl1:1:a"


def test_everybody_may_read_it_and_nothing_else_is_left(path: Path) -> None:
    file.write(str(path.parent), JUDGED, "ctl1:1:a", NOW + 5, 30.0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [found.name for found in path.parent.iterdir()] == [file.NAME]


def test_a_writer_that_cannot(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays, and no part of a new one."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError):
        file.write(str(path.parent), JUDGED, "ctl1:1:a", NOW + 5, 30.0)
    assert [found.name for found in path.parent.iterdir()] == [file.NAME]
    with pytest.raises(OSError):
        file.write(str(path.parent / "none"), JUDGED, "ctl1:1:a", NOW, 30.0)


@pytest.mark.parametrize(
    ("later", "words"), [(31, "31 s old"), (7200, "2 h old"), (-31, "time to come")]
)
def test_one_that_is_not_of_now(path: Path, later: float, words: str) -> None:
    found = file.read(path, NOW + later)
    assert found["code"] == Code.CANNOT_TELL
    assert words in found["line"]
    assert str(path) in found["line"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"at": "x"}',
        "[" * 100_000,
        *(_changed(*change) for change in _CHANGES),
        "\udcff",
    ],
)
def test_whatever_else_stands_there(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = file.read(path, NOW)
    assert found["code"] == Code.CANNOT_TELL
    assert str(path) in found["line"]


def test_none(tmp_path: Path) -> None:
    found = file.read(tmp_path / file.NAME, NOW)
    assert found["code"] == Code.CANNOT_TELL
    assert "No such file" in found["line"]
    assert "[health] directory" in found["problems"][0]["todo"]
