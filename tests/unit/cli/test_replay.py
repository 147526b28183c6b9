# SPDX-License-Identifier: Apache-2.0
"""``nova-ha replay`` of what ``nova-ha simulate`` has kept. That each decision of each
scenario can be made again, bit for bit: tests/lib/simulation/scenario.py."""

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from nova_ha_scheduler.journal.database import Database
from nova_ha_scheduler.journal.tables import decisions
from nova_ha_scheduler.service.startup import load
from tests.lib.waiting import PATIENCE
from tests.unit.cli.conftest import Site

CLOUD = """\
hosts:
  node1..node3: {zone: nfs-a, room: 8}
servers:
  web1..web4: {host: node1, vcpus: 2}
  big: {host: node1, vcpus: 8}
"""


@pytest.fixture
def config(site: Site, tmp_path: Path) -> str:
    """A configuration whose journal has a recovery of node1."""
    cloud, journal = tmp_path / "cloud.yaml", tmp_path / "kept.sqlite"
    cloud.write_text(CLOUD.replace("room: 8", "room: 16"))
    answer = site.run(
        "simulate",
        *("--from-file", str(cloud), "--kill", "node1", "--journal", str(journal)),
    )
    assert answer.code == 0, answer.out
    conf = tmp_path / "kept.conf"
    conf.write_text(f"[database]\nconnection = sqlite:///{journal}\n")
    return f"--config-file={conf}"


@pytest.fixture
def database(config: str) -> Iterator[Database]:
    database = Database(load("test", [config]))
    yield database
    database.dispose()


def rows(site: Site, config: str, *more: str) -> list[dict[str, Any]]:
    answer = site.run(config, "replay", "node1", *more, "-f", "json")
    found: list[dict[str, Any]] = json.loads(answer.out)
    return found


def test_the_same_decisions(site: Site, config: str) -> None:
    found = rows(site, config)
    asked = {row["server"]: row["to"] for row in found if row["decided"] == "asked"}
    assert set(asked) == {"web1", "web2", "web3", "web4", "big"}
    assert all(row["same"] for row in found)
    shown = site.run(config, "history", "show", "node1", "-f", "json")
    servers = json.loads(shown.out)["servers"]
    assert {server["name"]: server["to"] for server in servers} == asked
    answer = site.run(config, "replay", "node1")
    assert answer.code == 0
    assert "decides the same in" in answer.err
    assert rows(site, config, "--decision", str(found[0]["decision"])) == [
        row for row in found if row["decision"] == found[0]["decision"]
    ]


def test_the_same_in_another_process(site: Site, config: str) -> None:
    """Nothing hangs on the order of sets."""
    program = str(Path(sys.executable).with_name("nova-ha"))
    for seed in ("1", "2"):
        done = subprocess.run(
            [program, config, "replay", "node1", "-f", "json"],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == rows(site, config)


def _changed(database: Database, old: str, new: str) -> None:
    """As if the program had decided otherwise."""
    with database.read() as connection:
        found = connection.execute(sa.select(decisions)).all()
    texts = [(row, zlib.decompress(row.data).decode()) for row in found]
    assert any(old in text for _, text in texts)
    for row, text in texts:
        data = zlib.compress(text.replace(old, new).encode())
        same = decisions.c.number == row.number
        change = sa.update(decisions).where(same).values(data=data)
        database.write(lambda connection, change=change: connection.execute(change))


def test_another_decision(site: Site, config: str, database: Database) -> None:
    """On another picture: its room is gone."""
    _changed(database, '"free":{"VCPU":16}', '"free":{"VCPU":1}')
    answer = site.run(config, "replay", "node1", "-f", "json")
    assert answer.code == 1
    found = json.loads(answer.out)
    changed = {row["decided"] for row in found if not row["same"]}
    assert changed == {"host.evacuating", "waiting"}
    assert "decides the same in 4 of 5 decisions" in answer.err


def test_of_another_version(site: Site, config: str, database: Database) -> None:
    _changed(database, '"taken_at"', '"token_at"')
    answer = site.run(config, "replay", "node1")
    assert answer.code == 1
    assert "kept by another version" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("node2",), 2, "there is no recovery node2"),
        (("node1", "--decision", "99"), 1, "no decision 99 of node1"),
        (("--event", "99"), 2, "there is no event 99"),
    ],
)
def test_refused(
    site: Site, config: str, more: tuple[str, ...], code: int, words: str
) -> None:
    answer = site.run(config, "replay", *more)
    assert answer.code == code
    assert words in answer.err


@pytest.mark.parametrize("more", [(), ("node1", "--event", "1")])
def test_a_recovery_or_an_event(site: Site, config: str, more: tuple[str, ...]) -> None:
    answer = site.run(config, "replay", *more)
    assert answer.code == 2
    assert "name a recovery, a host or an --event" in answer.err


def test_each_event_of_the_history(site: Site, config: str) -> None:
    """It was decided, and can be decided again, or it says what was seen."""
    listed = site.run(config, "history", "events", "-f", "json")
    kinds = {}
    for event in json.loads(listed.out):
        answer = site.run(
            config, "replay", "--event", str(event["number"]), "-f", "json"
        )
        kinds[event["kind"]] = answer.code
        if answer.code == 0:
            found = json.loads(answer.out)
            words = {event["kind"], event["kind"].removeprefix("server.")}
            assert any(row["decided"] in words for row in found)
            assert all(row["same"] for row in found)
        else:
            assert "tells what was seen, and was not decided" in answer.err
    seen = {"server.moving", "server.landed", "server.recovered"}
    decided = {"late", "confirmed", "fencing", "fenced", "evacuating", "recovered"}
    assert {kind for kind, code in kinds.items() if code} == seen
    assert {kind for kind, code in kinds.items() if not code} == {
        "server.asked",
        *(f"host.{state}" for state in decided),
    }


def test_an_event_whose_decision_is_gone(
    site: Site, config: str, database: Database
) -> None:
    database.write(lambda connection: connection.execute(sa.delete(decisions)))
    answer = site.run(config, "replay", "--event", "1")
    assert answer.code == 1
    assert "event 1, host.late node1: no heartbeat for" in answer.err
    assert "[journal] keep_decisions is off, or it was purged" in answer.err


def test_purged(site: Site, config: str) -> None:
    answer = site.run(config, "history", "purge", "--older-than", "1d")
    assert answer.code == 0
    assert "no decision of node1" in site.run(config, "replay", "node1").err


def test_how_each_host_was_judged_for_a_server(site: Site, config: str) -> None:
    found = rows(site, config, "--server", "big")
    verdicts = {row["host"]: (row["verdict"], row["why"]) for row in found}
    chosen = [host for host, (said, _) in verdicts.items() if said == "asked for"]
    assert len(chosen) == 1
    assert set(chosen) < {"node2", "node3"}
    assert verdicts["node1"] == ("no", "it is there")
    (other,) = {"node2", "node3"} - set(chosen)
    assert verdicts[other] == (
        "yes",
        "it could have taken it; the plan chose another one",
    )


def test_a_server_that_was_not_asked_for(site: Site, config: str) -> None:
    answer = site.run(config, "replay", "node1", "--server", "bigg")
    assert answer.code == 2
    assert "there is no server bigg there (perhaps big?)" in answer.err
