# SPDX-License-Identifier: Apache-2.0
"""A picture becomes a world that shows the same picture."""

from dataclasses import replace

import pytest

from nova_ha_scheduler.cluster import synthetic, text
from nova_ha_scheduler.cluster.picture import Host, Picture, Scope, Server
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import (
    ServerPhase,
    ServerRecovery,
    ServerState,
)
from nova_ha_scheduler.records.state import State
from nova_ha_scheduler.rules.terms import HostFacts, Operation
from nova_ha_scheduler.simulation import cloud, verdict
from nova_ha_scheduler.simulation.machines import Nova
from nova_ha_scheduler.simulation.words import BadScenario
from nova_ha_scheduler.simulation.world import SimulatedWorld

LINE = "3 zones of 4 hosts of 16 vCPU, 64 GiB, 1 reserved each, 50 % full"
ODD = [
    {"storage_zone": "nfs-a", "ha": "perhaps"},
    {"storage_zone": "nfs-b", "ha:reserved": 'it\'s "so"'},
    {"ha:maintenance": "yes"},
]


def world(picture: Picture) -> SimulatedWorld:
    return cloud.world(picture, Options(), Nova(), lambda words: None)


def shown(picture: Picture) -> Picture:
    return world(picture).observe(replace(picture.scope, overview=True))


def test_the_same_picture() -> None:
    picture = synthetic.parse(LINE)
    again = shown(picture)
    assert again.servers == picture.servers
    assert again.hosts == picture.hosts


def test_tags_that_are_wrong_stay_wrong() -> None:
    odd = Host("odd", HostFacts.of(ODD), free={"VCPU": 1})
    assert len(odd.facts.bad) == 2
    assert len(odd.facts.zones) == 2
    picture = Picture(1234.5, Scope(destinations=True), {"odd": odd})
    assert shown(picture).hosts["odd"].facts == odd.facts


def test_a_host_that_is_down_is_off() -> None:
    picture = text.load("hosts:\n  a1: {zone: x, down: true}\n  a2: {zone: x}\n")
    found = world(picture)
    assert [found.machines[h].powered for h in ("a1", "a2")] == [False, True]
    assert not found.shown("a1").up
    assert found.shown("a2").up


@pytest.mark.parametrize(
    "more",
    [
        {"availability_zone": "az2"},
        {"traits": frozenset({"HW_SGX"})},
        {"forbidden_traits": frozenset({"COMPUTE_A"})},
        {"needs": {"VCPU": 9}},
        {"group": "g", "group_apart": True},
    ],
)
def test_nova_finds_no_valid_host(more: dict[str, object]) -> None:
    cluster = (
        "hosts:\n  a1: {zone: x}\n  a2: {zone: x, traits: [COMPUTE_A]}\n"
        "servers:\n  s1: {host: a1}\n  s2: {host: a2, group: g}\n"
    )
    found = world(text.load(cluster))
    server, machine = found.servers["uuid-s1"], found.machines["a2"]
    assert not found.no_valid_host(server, machine, Operation.EVACUATE)
    wanting = replace(server, **more)  # type: ignore[arg-type]
    assert found.no_valid_host(wanting, machine, Operation.EVACUATE)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("rebuilt=3", "no such setting (did you mean rebuild?)"),
        ("rebuild=soon", "a number from 0 on is needed"),
        ("rebuild=-1", "a number from 0 on is needed"),
        ("rebuild=nan", "a number from 0 on is needed"),
        ("report_interval=0", "report_interval"),
        ("rebuild", "a number from 0 on is needed"),
    ],
)
def test_bad_settings(setting: str, words: str) -> None:
    with pytest.raises(BadScenario) as raised:
        cloud.nova([setting])
    assert words in str(raised.value)


def test_settings() -> None:
    assert cloud.nova(["rebuild=20", "leaves_stopped=1"]) == Nova(
        rebuild=20, leaves_stopped=True
    )


class TestVerdict:
    """Of a server on a protected host."""

    @pytest.fixture
    def found(self) -> SimulatedWorld:
        cluster = "hosts:\n  a1: {zone: x}\n  b1: {ha: false}\n"
        servers = "servers:\n  s1: {host: a1}\n  s2: {host: b1}\n"
        more = "  s3: {host: a1, ha: false}\n"
        return world(text.load(cluster + servers + more))

    @staticmethod
    def judged(found: SimulatedWorld, *records: ServerRecovery) -> list[str]:
        recovery = HostRecovery("r", "a1", HostState.SUSPECTED, started_at=0)
        servers = {(r.recovery, r.server): r for r in records}
        state = State({"r": recovery} if records else {}, servers)
        judged = verdict.judge(found, state, Options())
        return [f"{lost.name}: {lost.why}" for lost in judged.lost]

    def test_all_is_well(self, found: SimulatedWorld) -> None:
        assert self.judged(found) == []

    def test_nobody_acted(self, found: SimulatedWorld) -> None:
        found.cut("a1")
        found.cut("b1")
        assert self.judged(found) == ["s1: the trigger did not act on its host"]

    @pytest.mark.parametrize(
        ("state", "reason", "lost"),
        [
            (ServerState.WAITING, Reason.NO_ROOM, True),
            (ServerState.LEFT, Reason.NOT_PROTECTED, False),
            (ServerState.LEFT, Reason.LOCAL_DISK, True),
            (ServerState.FAILED, Reason.ATTEMPTS, True),
        ],
    )
    def test_by_its_record(
        self, found: SimulatedWorld, state: ServerState, reason: Reason, lost: bool
    ) -> None:
        found.cut("a1")
        phase = ServerPhase.AS_INTENDED if reason.intended else None
        record = ServerRecovery("r", "uuid-s1", "s1", "a1", state=state, seen_at=0)
        record = record.because(reason, phase=phase)
        assert bool(self.judged(found, record)) is lost

    def test_a_server_in_error(self, found: SimulatedWorld) -> None:
        found.set("uuid-s1", vm_state="error")
        assert [line.split(":")[0] for line in self.judged(found)] == ["s1"]

    def test_breaches(self, found: SimulatedWorld) -> None:
        found.breaches.append("s1 evacuated while a1 was on")
        judged = verdict.judge(found, State(), Options())
        assert judged.breaches == ("s1 evacuated while a1 was on",)
        assert not judged.good


def test_a_server_of_a_host_that_is_not_there() -> None:
    picture = Picture(0.0, Scope(), {}, {"u": Server("u", "lost", "gone")})
    assert world(picture).servers == {}
