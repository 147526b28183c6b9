# SPDX-License-Identifier: Apache-2.0
"""``nova-ha simulate``, on files alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.history import History, HistoryQuery
from nova_ha_scheduler.service.startup import load
from tests.unit.cli.conftest import Answer, Site

CLOUD = """\
hosts:
  node1..node3: {zone: nfs-a}
servers:
  web1..web2: {host: node1}
"""


@pytest.fixture
def cloud(tmp_path: Path) -> str:
    path = tmp_path / "cloud.yaml"
    path.write_text(CLOUD)
    return str(path)


@pytest.fixture
def scenario(tmp_path: Path) -> Any:
    def write(*lines: str) -> str:
        path = tmp_path / "scenario"
        path.write_text("\n".join(lines))
        return str(path)

    return write


def said(answer: Answer) -> list[str]:
    return [row["what"] for row in json.loads(answer.out)]


def test_a_host_dies(site: Site, cloud: str) -> None:
    answer = site.run("simulate", "--from-file", cloud, "--kill", "node1", "-f", "json")
    assert answer.code == 0, answer.err
    assert "2 servers recovered, 0 not; 0 safety rules broken" in answer.err
    timeline = said(answer)
    assert timeline[0] == "> power off node1"
    assert timeline[-1] == "host.recovered node1: 2 recovered, 0 not to be recovered"
    again = site.run("simulate", "--from-file", cloud, "--kill", "node1", "-f", "json")
    assert again.out == answer.out
    assert "node1" in site.run("simulate", "--from-file", cloud, "--kill", "node1").out


def test_a_second_host_later(site: Site, cloud: str) -> None:
    """The operator's own guard: one host of three is 20 percent of the cloud."""
    kills = ("--kill", "node2@60", "--kill", "node1@30")
    answer = site.run("simulate", "--from-file", cloud, *kills, "-f", "json")
    orders = [line for line in said(answer) if line.startswith(">")]
    assert orders == ["> power off node1", "> power off node2"]
    assert any("guard" in line for line in said(answer))
    assert answer.code == 1


def test_where_it_was_recovered_to_dies(site: Site, cloud: str) -> None:
    """The guard holds that one: it was recovered, and is not any more."""
    kills = ("--kill", "node1@30", "--kill", "node2@400", "--kill", "node3@401")
    answer = site.run("simulate", "--from-file", cloud, *kills, "-f", "json")
    assert answer.code == 1
    (lost,) = {line for line in said(answer) if "RECOVERED web1" in line}
    assert "its host is " in lost
    assert "it is recovered" not in lost


def test_the_operators_options(site: Site, cloud: str, tmp_path: Path) -> None:
    conf = tmp_path / "own.conf"
    conf.write_text("[guard]\nmax_hosts = 0\n")
    config = f"--config-file={conf}"
    command = ("simulate", "--from-file", cloud, "--kill", "node1", "-f", "json")
    answer = site.run(config, *command)
    assert answer.code == 1
    lost = [line for line in said(answer) if line.startswith("NOT RECOVERED")]
    (line,) = lost
    assert line.startswith("NOT RECOVERED web1, web2 on node1: ")


def test_a_scenario(site: Site, cloud: str, scenario: Any) -> None:
    """Its BMC does not answer, and somebody gives their word."""
    path = scenario(
        "at 5 device node1 unreachable",
        "at 10 power off node1   # it died",
        "at 200 confirm-fenced node1 ann 'pulled both cords'",
    )
    answer = site.run(
        "simulate", "--from-file", cloud, "--scenario", path, "-f", "json"
    )
    assert answer.code == 0, said(answer)
    assert any("could not be fenced" in line for line in said(answer))
    assert any("pulled both cords" in line for line in said(answer)[3:])


def test_its_end(site: Site, cloud: str, scenario: Any) -> None:
    path = scenario("at 10 power off node1", "at 20 end")
    answer = site.run(
        "simulate", "--from-file", cloud, "--scenario", path, "-f", "json"
    )
    assert answer.code == 1
    assert json.loads(answer.out)[-1] == {
        "second": "20",
        "what": "NOT RECOVERED web1, web2 on node1: the trigger did not act on "
        "its host",
    }


def test_a_clock_that_is_set(site: Site, cloud: str, scenario: Any) -> None:
    """The timeline goes by the time that passes, not by what the trigger believes."""
    path = scenario("at 100 clock 3600", "at 200 power off node1", "at 600 end")
    answer = site.run(
        "simulate", "--from-file", cloud, "--scenario", path, "-f", "json"
    )
    rows = json.loads(answer.out)
    seconds = [float(row["second"]) for row in rows]
    assert seconds == sorted(seconds)
    assert any(row["what"].startswith("clock.jumped") for row in rows)


def test_a_breach(site: Site, cloud: str, scenario: Any) -> None:
    """A device that says off of a host that is on: nobody could know."""
    path = scenario("at 5 network down node1", "at 5 device node1 lies", "at 900 end")
    answer = site.run(
        "simulate", "--from-file", cloud, "--scenario", path, "-f", "json"
    )
    assert answer.code == 1
    assert "BREACH web1 evacuated while node1 was on" in said(answer)


def test_the_history_that_would_have_been_written(
    site: Site, cloud: str, tmp_path: Path
) -> None:
    path = tmp_path / "kept.sqlite"
    command = ("simulate", "--from-file", cloud, "--kill", "node1")
    assert site.run(*command, "--journal", str(path)).code == 0
    conf = tmp_path / "kept.conf"
    conf.write_text(f"[database]\nconnection = sqlite:///{path}\n")
    config = f"--config-file={conf}"
    (row,) = json.loads(site.run(config, "history", "list", "-f", "json").out)
    assert (row["host"], row["outcome"], row["recovered"]) == ("node1", "recovered", 2)
    database = Database(load("test", [config]))
    kinds = {
        e.kind.value for _, e in History(database).events(HistoryQuery(limit=None))
    }
    database.dispose()
    assert {"host.fenced", "server.asked", "host.recovered"} <= kinds
    again = site.run(*command, "--journal", str(path))
    assert again.code == 1
    assert "it exists already" in again.err


def test_verbs(site: Site) -> None:
    found = {row["verb"] for row in site.json("simulate", "--verbs")}
    assert "power on|off HOST" in found


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "what is to happen? --scenario FILE or --kill HOST"),
        (("--kill", "node1", "--scenario", "x"), "give one of them"),
        (("--kill", "node9"), "--kill: line 1: at 30 power off node9: there is no"),
        (("--kill", "node1@noon"), "--kill node1@noon: not HOST@SECONDS"),
        (("--scenario", "/nowhere"), "/nowhere: No such file"),
        (("--kill", "node1", "--nova", "rebuilt=1"), "did you mean rebuild?"),
    ],
)
def test_refused(site: Site, cloud: str, more: tuple[str, ...], words: str) -> None:
    answer = site.run("simulate", "--from-file", cloud, *more)
    assert answer.code == 1
    assert words in answer.err
    assert "Traceback" not in answer.err
