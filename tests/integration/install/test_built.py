# SPDX-License-Identifier: Apache-2.0
"""What is in the wheel and in the sdist."""

import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from tests.integration.install import fresh
from tests.integration.install.fresh import Built


@pytest.fixture(scope="module")
def wheel(built: Built) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(built.wheel) as wheel:
        yield wheel


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (n for n in wheel.namelist() if n.endswith("dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


def _files(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)) for path in paths if path.suffix != ".pyc"
    } - {".gitignore"}


def test_the_wheel_has_the_whole_package(built: Built, wheel: zipfile.ZipFile) -> None:
    ours = {
        f"nova_ha_scheduler/{n}" for n in _files(built.source / "nova_ha_scheduler")
    }
    assert ours <= set(wheel.namelist())
    assert "nova_ha_scheduler/py.typed" in ours
    strange = {name.split("/")[0] for name in wheel.namelist()}
    assert {name.split("-")[0] for name in strange} == {
        "nova_ha_scheduler"
    }  # no tests: they would be everybody's


def test_the_wheel_has_the_files_for_a_host(
    built: Built, wheel: zipfile.ZipFile
) -> None:
    folder = "share/nova-ha-scheduler/"
    there = {n.partition(folder)[2] for n in wheel.namelist() if folder in n}
    etc = built.source / "etc"
    folders = ("monitoring", "nova-ha-scheduler", "service")
    assert there == {name for each in folders for name in _files(etc / each)}


def test_the_sdist_is_the_tree(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        there = {n.partition("/")[2] for n in sdist.getnames()}
    missing = _files(built.source) - there
    assert {name for name in missing if ".egg-info/" not in name} == set()


def test_make_needs_no_git(built: Built) -> None:
    """reno does: of a copy without .git, the notes are not linted, which is said."""
    release = "2026.2"
    folder = Path(sys.executable).parent
    make: list[str | Path] = [
        "make",
        "-C",
        built.source,
        f"RELEASE={release}",
        f"BIN={folder}",
    ]
    said = fresh.run([*make, "-o", f".venv-{release}/ready", "notes"])
    assert "not linted" in said


def test_lint_needs_no_git(tmp_path: Path) -> None:
    """Where .gitignore is not heeded, an environment is no part of the source."""
    source = fresh.copy_of_tree(tmp_path)
    theirs = source / ".venv-2026.2" / "lib" / "theirs.py"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("import os, sys\n")
    ruff = Path(sys.executable).with_name("ruff")
    assert fresh.run([ruff, "check", source]) == "All checks passed!\n"


def test_metadata(built: Built, metadata: Message) -> None:
    version = metadata["Version"]
    assert version == built.sdist.name.removesuffix(".tar.gz").split("-")[-1]
    assert [part.isdigit() for part in version.split(".")] == [True] * 3
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    for url in metadata.get_all("Project-URL", []):
        _, _, where = url.partition(", ")
        assert where.startswith("https://") or (built.source / where).exists(), url
