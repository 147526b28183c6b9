# SPDX-License-Identifier: Apache-2.0
"""What each command shows fits in 80 columns, with names as clouds have them; programs
get all of it, as JSON and nothing else."""

import contextlib
import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nova_ha_scheduler.cli import hosts, known
from nova_ha_scheduler.cluster import text
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.events import Event, EventKind
from nova_ha_scheduler.records.evidence import Evidence, Proof
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.records.move import Move, MoveState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import Change
from tests.unit.cli.conftest import Site

HOSTS = [f"compute-{n:04}.rack07.example.org" for n in range(120, 126)]
SPARE = "spare-0001.rack07.example.org"
ZONE = "nfs-frankfurt-2a"
UUID = "0b3c1a52-5a52-4a8e-9d0f-6f0c1f6f7e{:02}"
WHY = "its memory modules are replaced, as the controller has reported errors"
BY = ("--by", "J. Doe (storage team)", "--reason", WHY)
NOW = time.time()

HISTORY = [
    "history list",
    "history list --servers",
    "history list --long",
    f"history show {HOSTS[0]}",
    "history events",
    "history events --long",
    "maintenance list",
    "maintenance list --long",
    f"maintenance show {HOSTS[1]}",
    "history purge --older-than 90d",
    "host list",
    "host list --long",
    "status",
]

CLOUD = [
    f"plan {HOSTS[0]}",
    f"plan {HOSTS[0]} {HOSTS[1]}",
    f"plan {HOSTS[0]} --long --all",
    "capacity",
    "capacity --long",
    "capacity --hosts",
    "capacity --hosts --long",
    "explain a-server-with-a-long-name-00",
    f"explain a-server-with-a-long-name-00 --host {HOSTS[2]}",
    f"simulate --kill {HOSTS[0]}",
    "check",
    "check --all",
    "snapshot cloud.json",
]


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cloud.yaml"
    room = "room: '16 vCPU, 64 GiB'"
    lines = ["hosts:", f"  {SPARE}: {{zone: {ZONE}, reserved: true, {room}}}"]
    lines += [f"  {name}: {{zone: {ZONE}, {room}}}" for name in HOSTS]
    lines += [f"  outside.example.org: {{zone: another-{ZONE}, {room}}}", "servers:"]
    for number in range(12):
        host, needs = HOSTS[number % 3], "needs: '4 vCPU, 16 GiB'"
        more = "refused: 'it has a vTPM (2.0)'" if number == 3 else "priority: 900"
        name = f"a-server-with-a-long-name-{number:02}"
        lines.append(f"  {name}: {{host: {host}, {needs}, {more}}}")
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def past(site: Site, cloud: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site with a history, whose cloud is the one in the file."""
    picture = text.load(cloud.read_text())
    broken = replace(
        picture.hosts[HOSTS[3]], disabled=True, disabled_reason=WHY, forced_down=True
    )
    shown = {**picture.hosts, broken.name: broken}
    look = contextlib.nullcontext((shown, picture.servers.values()))
    monkeypatch.setattr(hosts, "look", lambda conf, host: look)
    recovery = HostRecovery(
        f"{HOSTS[0]}@{NOW - 500:.3f}",
        HOSTS[0],
        HostState.INCOMPLETE,
        NOW - 500,
        stages={"suspected": NOW - 500, "fenced": NOW - 400, "incomplete": NOW - 300},
        evidence=Evidence(Proof.POWER_OFF, "redfish", NOW - 400, "it was on"),
    )
    servers = [
        ServerRecovery(
            recovery.id,
            UUID.format(number),
            f"a-server-with-a-long-name-{number:02}",
            HOSTS[0],
            ServerState.RECOVERED if number else ServerState.FAILED,
            NOW - 450,
            destination=SPARE,
            request_id=f"req-{UUID.format(number)}",
            asked_at=NOW - 390,
            landed_at=NOW - 340,
            ended_at=NOW - 330,
        )
        for number in range(3)
    ]
    servers[0] = servers[0].because(
        Reason.NO_ROOM, f"4 in {ZONE}, 2 without enough VCPU"
    )
    events = [
        Event(
            EventKind.SERVER_ASKED,
            NOW - 390,
            HOSTS[0],
            recovery.id,
            server.server,
            server.name,
            HOSTS[0],
            SPARE,
            reason=server.sentence,
        )
        for server in servers
    ]
    events += [Event(EventKind.HOST_HELD, NOW - 480, HOSTS[0], recovery.id, reason=WHY)]
    events += [Event(EventKind.BLIND, NOW - 600)]
    window = Window(
        f"{HOSTS[1]}@{NOW - 50:.3f}/maintenance",
        HOSTS[1],
        "J. Doe (storage team)",
        WHY,
        WindowState.OPEN,
        NOW - 50,
        until=NOW + 5000,
    )
    moves = [
        Move(
            window.id,
            UUID.format(number),
            f"a-server-with-a-long-name-{number:02}",
            HOSTS[1],
            MoveState.MOVED,
            NOW - 40,
            destination=SPARE,
            asked_at=NOW - 30,
            ended_at=NOW - 20,
        )
        for number in range(4)
    ]
    assert site.journal.acquire()
    site.journal.commit(
        Change(
            hosts=(recovery,),
            servers=tuple(servers),
            events=tuple(events),
            windows=(window,),
            moves=tuple(moves),
        )
    )
    return site


def _fits(said: str) -> None:
    long = [line for line in said.splitlines() if len(line) > 80]
    assert long == [], "\n".join(long)


@pytest.mark.parametrize("command", HISTORY)
def test_of_the_history_and_the_cloud(past: Site, command: str) -> None:
    said = past.run(*command.split())
    assert said.code == 0, said.err
    assert "None" not in said.out
    assert "compute-" in said.out or "purge" in command
    _fits(said.out)
    found = past.run(*command.split(), "-f", "json")
    _is_well_named(json.loads(found.out))


@pytest.mark.parametrize("command", CLOUD)
def test_of_a_picture(site: Site, cloud: Path, command: str) -> None:
    read = (*command.split(), "--from-file", str(cloud))
    said = site.run(*read)
    assert said.code in (0, 1, 2, 3), said.err
    assert "None" not in said.out
    _fits(said.out)
    found = site.run(*read, "-f", "json")
    assert found.code == said.code
    _is_well_named(json.loads(found.out))


def _is_well_named(found: object) -> None:
    """Its keys are words without spaces."""
    assert found
    rows = found if isinstance(found, list) else [found]
    for row in rows:
        assert all(key.replace("_", "").isalnum() for key in row), row.keys()
        assert all(key == key.lower() for key in row)


def test_what_orders_show(site: Site) -> None:
    """Pauses and words, with long names."""
    for command in (
        ("pause", HOSTS[0], *BY, "--until", "2h"),
        ("pause", "--zone", ZONE, *BY),
        ("resume", HOSTS[0], *BY[:2]),
        ("abort", HOSTS[0], *BY),
        ("retry", HOSTS[0], *BY),
        ("confirm-fenced", HOSTS[0], *BY),
    ):
        said = site.run(*command)
        assert said.code == 0, said.err
        assert "None" not in said.out
        _fits(said.out)


def test_columns(past: Site) -> None:
    """Those that people do not see without asking can be asked for."""
    short = past.run("history", "list")
    assert "recovery" not in short.out
    assert "recovery" in past.run("history", "list", "--long").out
    chosen = past.run("history", "list", "-c", "recovery", "-c", "proof")
    assert chosen.out.splitlines()[1].split() == ["|", "recovery", "|", "proof", "|"]
    wrong = past.run("history", "list", "-c", "recoverd")
    assert (wrong.code, wrong.out) == (2, "")
    assert "there is no column recoverd (did you mean recovered?)" in wrong.err


def test_an_empty_list_has_columns(site: Site) -> None:
    for command, column in (
        ("history list", "proof"),
        ("history list --servers", "attempts"),
        ("history events", "request_id"),
        ("maintenance list", "drain"),
    ):
        said = site.run(*command.split(), "-c", column)
        assert said.code == 0, said.err
        assert "reason" in site.run(*command.split(), "-f", "csv").out


def test_a_width_of_their_own(past: Site) -> None:
    wide = past.run("history", "list", "--max-width", "300").out
    assert HOSTS[0] in wide
    narrow = past.run("history", "list", "--max-width", "60").out
    assert max(map(len, narrow.splitlines())) <= 60


def test_host_list_says_what_is_wrong(past: Site) -> None:
    said = past.run("host", "list")
    assert f"{HOSTS[3]}: disabled: {WHY}" in said.words
    rows = {row["host"]: row for row in past.json("host", "list")}
    assert (rows[HOSTS[3]]["status"], rows[HOSTS[3]]["reason"]) == ("disabled", WHY)
    assert rows[HOSTS[3]]["problems"]


def test_names_that_nobody_knows(
    past: Site, cloud: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that suggests others, wherever one is asked for."""
    picture = text.load(cloud.read_text())
    gone = f"{HOSTS[0]} or {HOSTS[1]}"
    monkeypatch.setattr(known, "_hosts", lambda app: picture.hosts)
    monkeypatch.setattr(known, "_servers", lambda app, said: [])
    for command, words in (
        (
            "history list --host compute-0120",
            f"knows a host compute-0120 (perhaps {HOSTS[0]}?)",
        ),
        (
            "history list --host compute-012",
            f"(perhaps {gone} or {HOSTS[2]} or 3 more?)",
        ),
        ("history list --servers --host nobody", "nor the cloud knows a host nobody"),
        ("history events --host compute-0120", f"(perhaps {HOSTS[0]}?)"),
        ("maintenance list --host compute-0121", f"(perhaps {HOSTS[1]}?)"),
        ("maintenance show compute-0121", f"was started here (perhaps {HOSTS[1]}?)"),
        (
            "history show compute-0120",
            f"no recovery compute-0120 (perhaps {HOSTS[0]}?)",
        ),
        ("replay compute-0120", f"no recovery compute-0120 (perhaps {HOSTS[0]}?)"),
        ("history list --server a-server-with-a-long-name-0", "(perhaps a-server-with"),
        ("history events --server nothing", "nor the cloud knows a server nothing"),
        ("host list --host compute-0120", f"(perhaps {HOSTS[0]}?)"),
        (f"plan compute-0120 --from-file {cloud}", f"(perhaps {HOSTS[0]}?)"),
        (f"explain a-server --from-file {cloud}", "(perhaps a-server-with-a-long-"),
        (f"capacity --zone nfs --from-file {cloud}", f"(perhaps {ZONE}?)"),
        ("history list --outcome recoverd", "ends recoverd (perhaps recovered?)"),
        (
            "history list --servers --outcome closed",
            "no recovery of a server ends closed",
        ),
        ("history events --kind host.helt", "invalid choice"),
        ("history list --limit 0", "0 is no whole number from 1 on"),
    ):
        said = past.run(*command.split(), "-f", "json")
        assert (said.code, said.out) == (2, ""), command
        assert words in " ".join(said.err.split()), command


def test_names_that_are_known_and_have_nothing(
    past: Site, cloud: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host of the cloud that never failed; one of the history that is no more."""
    monkeypatch.setattr(known, "_hosts", lambda app: {HOSTS[2]: None})
    monkeypatch.setattr(known, "_servers", lambda app, said: {"never-failed"})
    for command in (
        f"history list --host {HOSTS[2]}",
        f"history list --host {HOSTS[0]} --outcome closed",
        f"maintenance list --host {HOSTS[0]}",
        "history list --server never-failed",
    ):
        assert past.json(*command.split()) == [], command


def test_where_the_cloud_does_not_answer_the_name_may_be_right(past: Site) -> None:
    said = past.run("history", "list", "--host", "compute-0120", "-f", "json")
    assert said.json == []
    assert "warning: the history knows no host compute-0120 (perhaps" in said.err


def test_not_all_is_shown(past: Site) -> None:
    said = past.run("history", "events", "--limit", "2", "-f", "json")
    assert len(said.json) == 2
    assert "The newest 2 are shown; there may be more (--limit)." in said.err


@pytest.mark.parametrize("form", ["yaml", "csv", "value"])
def test_other_programs_see_plain_values(past: Site, form: str) -> None:
    """No words for people, and times in UTC."""
    for command in ("history list", "history events", "maintenance list"):
        said = past.run(*command.split(), "-f", form)
        assert said.code == 0, said.err
        assert re.search(r"\d\d\d\d-\d\d-\d\dT[0-9:]*\.\d\d\dZ", said.out), said.out
        assert "+00:00" not in said.out
