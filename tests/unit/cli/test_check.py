# SPDX-License-Identifier: Apache-2.0
"""``nova-ha check`` on files; on a live cloud: tests/integration/trigger."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.cli import check
from nova_ha_scheduler.doctor import checks
from nova_ha_scheduler.doctor.finding import Finding, Severity
from nova_ha_scheduler.doctor.gather import Gatherer
from nova_ha_scheduler.doctor.subject import Subject
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.health import file
from nova_ha_scheduler.health.judgement import Judgement
from nova_ha_scheduler.health.problems import Code
from nova_ha_scheduler.service import startup
from tests.unit import commandline
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
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("0 errors, 0 warnings, 0 infos; ")
    assert "no nova.conf was given" in answer.out
    answer = site.run("check", "--from-file", tidy, "-f", "json")
    assert (answer.code, answer.err, json.loads(answer.out)) == (0, "", [])


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


def test_why_and_how_to_mend_is_said_once() -> None:
    other = ("clocks-differ", Finding(Severity.ERROR, "c1 is ahead", "Why.", "mend it"))
    found = [
        ("broken-device", Finding(Severity.ERROR, f"device {n}", "Why.", "mend it"))
        for n in range(12)
    ]
    (severity, name, text), alone = check._texts([*found, other])
    assert alone == ("error", "clocks-differ", "c1 is ahead\nWhy.\nTo mend: mend it")
    assert (severity, name) == ("error", "broken-device")
    lines = [f"- device {n}" for n in range(10)]
    more = "- 2 more: nova-ha check -f json"
    assert text.split("\n") == [*lines, more, "Why.", "To mend: mend it"]


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


def test_what_could_not_be_checked_counts_whatever_is_asked_for(
    site: Site, tidy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside what nobody asked for: that is no fault. Also if no part has said why."""
    unasked = checks.examine(Subject(Options()), chosen=["nova"])
    assert {check.chosen for check in unasked.left_out} == {True, False}
    monkeypatch.setattr(Gatherer, "read_picture", lambda *_: None)
    answer = site.run("check", "--from-file", tidy, "--fail-on", "error")
    assert answer.code == 2
    assert "left out: " in answer.out
    assert "there is no picture of the cloud" in " ".join(answer.out.split())


def test_a_file_that_the_user_may_not_read(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """root may read everything, and is nobody while it reads."""
    site.conf.chmod(0)
    load, root = startup.load, os.geteuid() == 0
    nobody = 65534

    def by_nobody(*arguments: Any, **named: Any) -> Any:
        if root:
            os.seteuid(nobody)
        try:
            return load(*arguments, **named)
        finally:
            if root:
                os.seteuid(0)

    monkeypatch.setattr(startup, "load", by_nobody)
    with _in_reach(site.conf) as path:
        answer = commandline.run(f"--config-file={path}", "check", "-f", "json")
    assert (answer.code, json.loads(answer.out)) == (2, [])
    (line,) = answer.err.splitlines()
    assert line.startswith(f"{path} may not be read by ")


@contextlib.contextmanager
def _in_reach(conf: Path) -> Iterator[Path]:
    """In a folder in which others may look; pytest's are one user's alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield conf.rename(folder / conf.name)


def test_a_configuration_that_others_may_read(site: Site) -> None:
    site.conf.chmod(0o644)
    found = rows(site.run("check", "-f", "json"))["configuration-open"]
    assert (found["severity"], found["what"]) == (
        "warning",
        f"{site.conf}: its mode is 0644",
    )
    site.conf.chmod(0o640)
    assert "configuration-open" not in rows(site.run("check", "-f", "json"))


def test_no_journal_before_the_first_start(site: Site) -> None:
    """It is made then. Where a trigger runs without it, something is wrong."""
    folder = site.conf.parent
    with site.conf.open("a") as conf:
        conf.write(f"[health]\ndirectory = {folder}\n")
    for left in folder.glob("journal.sqlite*"):
        left.unlink()
    found = rows(site.run("check", "-f", "json"))["journal"]
    assert found["severity"] == "info"
    assert found["what"] == f"there is no journal at {folder}/journal.sqlite"
    assert found["why"].startswith("The journal is made at the first start of nova-ha-")
    assert not list(folder.glob("journal.sqlite*"))

    def trigger_wrote(at: float) -> None:
        protected = Judgement(Code.PROTECTED, "all is well")
        file.write(str(folder), protected, "control-1", at, 30)

    trigger_wrote(time.time())
    found = rows(site.run("check", "-f", "json"))["journal"]
    assert found["severity"] == "error"
    assert "a trigger runs on this machine" in found["what"]
    trigger_wrote(time.time() - 300)
    assert rows(site.run("check", "-f", "json"))["journal"]["severity"] == "info"


def test_a_journal_without_tables(site: Site) -> None:
    path = site.conf.parent / "journal.sqlite"
    for left in path.parent.glob("journal.sqlite*"):
        left.unlink()
    path.touch()
    found = rows(site.run("check", "-f", "json"))["journal"]
    assert found["severity"] == "info"
    assert "no tables" in found["what"]
