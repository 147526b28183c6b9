# SPDX-License-Identifier: Apache-2.0
"""``nova-ha health``: an answer in every state, and never a wrong one."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from oslo_config import cfg

from nova_ha_scheduler.cli import health
from nova_ha_scheduler.cli.app import NovaHA
from nova_ha_scheduler.cli.values import in_local
from nova_ha_scheduler.health import file
from nova_ha_scheduler.health.judgement import JournalFacts, judge
from nova_ha_scheduler.health.problems import Kind
from nova_ha_scheduler.health.report import HostNote, Report
from nova_ha_scheduler.journal.tables import single
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.state import Change
from tests.lib import aged
from tests.lib.waiting import PATIENCE
from tests.unit import commandline
from tests.unit.cli.conftest import Site

BY = ("--by", "Ann", "--reason", "storage")


def report(site: Site, age: float = 1.0, **more: object) -> Report:
    now = time.time() - age
    given = {"stepped_at": now, "seen_at": now, "protected": 3, **more}
    return Report(site.journal.owner, now, 60.0, 15.0, **given)


def lead(site: Site, age: float = 1.0, **more: object) -> None:
    """A trigger holds the lease, and has reported so long ago."""
    assert site.journal.acquire()
    site.journal.put_report(report(site, age, **more), alive=True)
    aged.report(site.database, age)


def test_no_trigger(site: Site) -> None:
    answer = site.run("health")
    assert answer.code == 2
    assert answer.out == "NOT PROTECTING: no trigger is active\n"


def test_all_is_well(site: Site) -> None:
    lead(site)
    answer = site.run("health")
    assert answer.code == 0
    ago = r"PROTECTED: 3 hosts, cloud seen \d+ s ago, by "
    assert re.fullmatch(ago + re.escape(site.journal.owner), answer.out.rstrip())
    assert answer.err == ""
    found = site.json("health")
    assert re.match(ago, found.pop("line"))
    assert found == {"code": 0, "state": "protected", "problems": []}


def test_a_dead_trigger(site: Site) -> None:
    """Its lease still names it, as it does for ever."""
    lead(site, age=61)
    answer = site.run("health")
    assert answer.code == 2
    assert f"no sign of life: {site.journal.owner}" in answer.out
    status = site.json("status")
    assert status["active_trigger"] == "none"
    assert status["health"]["code"] == 2


def test_for_programs(site: Site) -> None:
    at = time.time() - 60
    lead(site, unfenceable=(HostNote("c9", at),))
    site.run("pause", *BY)
    answer = site.run("health", "-f", "json")
    assert answer.code == 2
    found = json.loads(answer.out)
    assert (found["code"], found["state"]) == (2, "not_protecting")
    kinds = [problem["kind"] for problem in found["problems"]]
    assert kinds == ["paused", "no_method"]
    (_, missing) = found["problems"]
    assert missing["host"] == "c9"
    assert missing["since"].endswith("Z")
    assert "the fencing file" in missing["todo"]
    assert site.run("health", "-f", "value", "-c", "state").out == "not_protecting\n"


def test_a_report_of_another_version(site: Site) -> None:
    lead(site)
    with site.database.read() as connection:
        text = connection.scalar(single.select().with_only_columns(single.c.record))
    assert text
    newer = json.dumps({"owner": "me", "of": "the future"})
    change = single.update().where(single.c.name == "report").values(record=newer)
    site.database.write(lambda connection: connection.execute(change))
    answer = site.run("health")
    assert answer.code == 3
    assert "another version wrote it: " in answer.out
    assert site.json("status")["active_trigger"] == site.journal.owner


def written(folder: Path, site: Site, age: float = 1.0) -> Path:
    """The file of a trigger that has a broken device."""
    found = report(site, age, broken=(HostNote("c2", 1.0, "time-out"),))
    state = site.journal.load(0)
    judgement = judge(JournalFacts(state, found.owner, found), found.at)
    file.write(str(folder), judgement, found.owner, found.at, 60.0)
    return folder / file.NAME


def test_who_may_not_read_the_configuration(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As monitoring on the trigger's machine."""

    def denied(_: NovaHA) -> cfg.ConfigOpts:
        raise cfg.ConfigFilesPermissionDeniedError(["nova-ha.conf"])

    monkeypatch.setattr(NovaHA, "conf", property(denied))
    monkeypatch.setattr(health, "DIRECTORY", str(tmp_path))
    missing = commandline.run("health")
    assert missing.code == 3
    assert f"CANNOT TELL: {tmp_path}/health.json: No such file" in missing.out
    written(tmp_path, site)
    answer = commandline.run("health")
    assert answer.code == 1
    assert answer.out == (
        "DEGRADED: the fence device of c2 would not serve: time-out\n"
    )
    written(tmp_path, site, age=61)
    old = commandline.run("health")
    assert old.code == 3
    assert " s old: the trigger of this machine" in old.out


def test_a_file_that_is_named(site: Site, tmp_path: Path) -> None:
    path = written(tmp_path, site)
    answer = commandline.run("health", "--file", str(path), "-f", "json")
    assert answer.code == 1
    assert json.loads(answer.out)["problems"][0]["host"] == "c2"


def test_a_journal_that_cannot_be_read(site: Site, tmp_path: Path) -> None:
    """The trigger's file knows more, while it is fresh."""
    conf = tmp_path / "other.conf"
    (tmp_path / "torn.sqlite").write_text("this is no database, however long it is")
    text = site.conf.read_text().replace("journal.sqlite", "torn.sqlite")
    conf.write_text(f"{text}[health]\ndirectory = {tmp_path}\n")
    answer = commandline.run(f"--config-file={conf}", "health")
    assert answer.code == 3
    assert "CANNOT TELL: the journal's database failed" in answer.out
    written(tmp_path, site)
    assert commandline.run(f"--config-file={conf}", "health").code == 1


def test_a_file_stands_for_no_journal_that_is_not_there(
    site: Site, tmp_path: Path
) -> None:
    """It is that of a trigger with another configuration."""
    conf = tmp_path / "other.conf"
    url = f"sqlite:///{tmp_path}/no-journal.sqlite"
    conf.write_text(
        f"[database]\nconnection = {url}\n[health]\ndirectory = {tmp_path}\n"
    )
    now = time.time()
    well = judge(JournalFacts(site.journal.load(0), "ctl1", report(site)), now)
    file.write(str(tmp_path), well, "ctl1", now, 60.0)
    answer = commandline.run(f"--config-file={conf}", "health")
    assert answer.code == 3
    assert answer.out.startswith("CANNOT TELL: there is no journal at")


@pytest.mark.parametrize(
    "text", ["[guard]\nmax_hosts = many\n", "[database]\nconnection = oracle://x\n"]
)
def test_a_bad_configuration_is_no_alarm(tmp_path: Path, text: str) -> None:
    conf = tmp_path / "nova-ha.conf"
    conf.write_text(text)
    answer = commandline.run(f"--config-file={conf}", "health")
    assert answer.code == 3
    assert answer.out.startswith("CANNOT TELL: ")
    assert answer.out.count("\n") == 1
    told = commandline.run(f"--config-file={conf}", "health", "-f", "json")
    assert (told.code, json.loads(told.out)["state"]) == (3, "cannot_tell")


def test_wrong_arguments_are_no_alarm() -> None:
    answer = commandline.run("health", "--fiel", "x")
    assert answer.code == 3
    assert "unrecognized arguments: --fiel" in answer.err


def test_every_problem_can_be_said() -> None:
    for kind in Kind:
        row = kind.value
        for text in (row.what, row.todo):
            assert text.format("a", "b", host="c1")
            assert not text.endswith(".")


def test_status_begins_with_it(site: Site) -> None:
    at = time.time() - 60
    broken = tuple(HostNote(f"c{n}", at, f"time-out {n}") for n in range(1, 13))
    lead(site, unfenceable=(HostNote("c99", at, "no entry"),), broken=broken)
    answer = site.run("status")
    lines = answer.out.splitlines()
    said = " ".join(lines[: [line[:1] for line in lines].index("+")])
    what = "c99 is protected, but nothing can fence it: no entry"
    assert said.startswith(f"DEGRADED: 13 problems - {what} (since 2")
    assert "-> give c99 a method in the fencing file; manual, if" in " ".join(
        said.split()
    )
    assert said.endswith("- 3 more: nova-ha health -f json")
    assert max(map(len, lines)) <= 80
    found = site.json("status")
    assert [row["host"] for row in found["without_fencing_method"]] == ["c99"]
    assert len(found["broken_devices"]) == 12
    assert len(found["problems"]) == 13


def test_what_many_hosts_have_is_one_problem(site: Site) -> None:
    at = time.time() - 60
    since = {n: at - n for n in range(1, 8)}
    lead(site, broken=tuple(HostNote(f"c{n}", s, "time-out") for n, s in since.items()))
    said = " ".join(site.run("status").out.split())
    words = (
        "the fence device of c1, c2, c3, c4, c5 and 2 more would not serve: time-out"
    )
    assert f"- {words} (since {in_local(at - 7)})" in said
    assert said.startswith("DEGRADED: 1 problem - ")
    assert said.count("time-out") == 1


def test_a_healthy_status_is_short(site: Site) -> None:
    lead(site)
    answer = site.run("status")
    assert answer.code == 0
    assert "None" not in answer.out
    assert answer.out.startswith("PROTECTED: 3 hosts")
    rows = [line.split()[1] for line in answer.out.splitlines() if line[0] == "|"]
    assert [word for word in rows if word != "|"][:3] == [
        "Field",
        "active_trigger",
        "cloud_seen_at",
    ]
    assert not {"guard_tripped_until", "broken_devices", "pauses"} & set(rows)


def test_the_device_of_a_host_that_is_being_fenced(site: Site) -> None:
    at = time.time() - 9
    answers = (HostNote("c1", at, "the device says that its power is on"),)
    lead(site, answers=answers)
    dying = HostRecovery("c1@1", "c1", HostState.FENCING, at, {"fencing": at})
    site.journal.commit(Change(hosts=(dying,)))
    (host,) = site.json("status")["hosts"]
    assert host["device"] == "the device says that its power is on"
    shown = " ".join(site.run("status").out.replace("|", "").split())
    assert "its fence device: the device says that its power is on" in shown


def test_the_program_says_nothing_else(site: Site) -> None:
    """As monitoring runs it: one line, no word on standard error."""
    lead(site)
    program = str(Path(sys.executable).with_name("nova-ha"))
    done = subprocess.run(
        [program, f"--config-file={site.conf}", "health"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
