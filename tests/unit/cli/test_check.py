# SPDX-License-Identifier: Apache-2.0
"""``nova-ha check`` on files; on a live cloud: tests/trigger/test_check.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Answer, Site

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
UNTIDY = str(EXAMPLES / "untidy.yaml")
TIDY = """\
hosts:
  a1..a3: {zone: nfs-a}
  spare: {zone: nfs-a, reserved: true}
"""


def rows(answer: Answer) -> dict[str, Any]:
    return {row["check"]: row for row in json.loads(answer.out)}


@pytest.fixture
def tidy(tmp_path: Path) -> str:
    path = tmp_path / "tidy.yaml"
    path.write_text(TIDY)
    return str(path)


def test_nothing_to_find(site: Site, tidy: str) -> None:
    answer = site.run("check", "--from-file", tidy)
    assert (answer.code, answer.out.strip()) == (0, "")
    assert "0 errors, 0 warnings, 0 infos" in answer.err
    assert "no nova.conf was given" in answer.err


def test_the_worst_counts(site: Site, tidy: str, tmp_path: Path) -> None:
    answer = site.run("check", "--from-file", UNTIDY, "-f", "json")
    assert answer.code == 2
    found = rows(answer)
    assert found["reserve-without-zone"]["severity"] == "error"
    assert all(row[key] for row in found.values() for key in ("what", "why", "mend"))
    warned = tmp_path / "warned.yaml"
    warned.write_text(TIDY + "  b1: {zone: nfs-b}\n")
    command = ("check", "--from-file", str(warned))
    assert site.run(*command).code == 1
    assert site.run(*command, "--fail-on", "error").code == 0


def test_all(site: Site, tidy: str) -> None:
    found = rows(site.run("check", "--from-file", tidy, "--all", "-f", "json"))
    assert found["several-zones"]["severity"] == "ok"
    assert found["guests-resume"]["severity"] == "left out"
    assert "--nova-conf" in found["guests-resume"]["what"]


@pytest.mark.parametrize(
    ("more", "check", "words"),
    [
        (("--from-file", "/nowhere"), "picture", "/nowhere: No such file"),
        (("--synthetic", "some hosts"), "picture", "some hosts"),
        (("--nova-conf", "/nowhere"), "nova-conf", "/nowhere"),
    ],
)
def test_what_cannot_be_read_is_an_error(
    site: Site, tidy: str, more: tuple[str, ...], check: str, words: str
) -> None:
    cloud = () if check == "picture" else ("--from-file", tidy)
    answer = site.run("check", *cloud, *more, "-f", "json")
    assert answer.code == 2
    assert words in rows(answer)[check]["what"]


def test_a_bad_option_of_the_trigger(site: Site, tidy: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.conf"
    bad.write_text("[guard]\nmax_hosts = many\n")
    answer = site.run(
        f"--config-file={bad}", "check", "--from-file", tidy, "-f", "json"
    )
    assert answer.code == 2
    assert "max_hosts" in rows(answer)["configuration"]["what"]


def test_a_cloud_that_does_not_answer(site: Site) -> None:
    answer = site.run("check", "-f", "json")
    assert answer.code == 2
    found = rows(answer)
    assert "127.0.0.1" in found["cloud"]["what"]
    assert "fencing-file" in found
