# SPDX-License-Identifier: Apache-2.0
"""People pause, resume, abort and retry at random, while hosts fail and come back and
the trigger dies. Nothing is begun for what is paused, nobody is evacuated off a host
that is on, and in the end everything is accounted for.
"""

import random
from dataclasses import replace
from typing import Any

import pytest

from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.effects import Effect, Intent
from nova_ha_scheduler.records.pauses import Pause, holding
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import scenario

CLUSTER: dict[str, Any] = {
    "hosts": {
        "node1..node3": {"zone": "nfs-a", "room": 12},
        "node4..node6": {"zone": "nfs-b", "room": 12},
    },
    "servers": {"a1..a3": {"host": "node1"}, "b1..b3": {"host": "node4"}},
    # Within proof_age, nobody looks whether somebody has switched it on.
    "options": {"max_in_flight": 2, "max_hosts": 6, "proof_age": 1},
    # What a host's return has switched off stays so: that is told, see reboots.
    "nova": {"rebuild": 8, "boot": 20, "sync": 0},
}
FAILING = {"node1": "nfs-a", "node4": "nfs-b"}
_FREE = (Effect.TESTIFY, Effect.CHECK_POWER, Effect.START, Effect.STOP, Effect.REBOOT)
HELD = {*Effect}.difference(_FREE)
CHAOS, PEACE = 600, 900
"""Until when things happen, and when all of it has to be over."""


class Watched:
    """Sees each effect, as it is carried out."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation, self._world = simulation, simulation.world
        self.wrong: list[str] = []
        self._carry_out, self._power_off = self._world.carry_out, self._world.power_off
        self._world.carry_out = self.carry_out  # type: ignore[method-assign]
        self._world.power_off = self.power_off  # type: ignore[method-assign]

    def carry_out(self, intent: Intent) -> str | None:
        if intent.effect in HELD:
            self._judge(intent.effect.value, intent.host)
        return self._carry_out(intent)

    def power_off(self, host: str):  # type: ignore[no-untyped-def]
        self._judge("fence", host)
        return self._power_off(host)

    def _judge(self, what: str, host: str) -> None:
        now, pauses = self._simulation.clock.time, self._simulation.journal.pauses()
        if found := holding(pauses, host, {FAILING[host]}, now):
            self.wrong.append(f"at {now}, {what} of {host}, paused by {found}")


def _happen(simulation: Simulation, dice: random.Random) -> None:
    """One thing that people or fate do."""
    world, now = simulation.world, simulation.clock.time
    host = dice.choice(list(FAILING))
    machine = world.machines[host]
    match dice.choice(["power", "power", "pause", "resume", "abort", "retry", "kill"]):
        case "power" if machine.powered:
            world.cut(host)
        case "power":
            machine.powered, machine.agent_at = True, now + world.nova.boot
        case "pause":
            scopes = [{"host": host}, {"zone": FAILING[host]}, {}]
            until = dice.choice([None, now + dice.randint(1, 90)])
            key = f"p{now}"
            pause = Pause(key, "Ann", "why not", now, until, **dice.choice(scopes))
            event = stopping.begun(pause)
            simulation.journal.commit(Change(pauses=(pause,), events=(event,)))
        case "resume":
            for pause in simulation.journal.pauses()[:1]:
                _resume(simulation, pause)
        case "kill":
            simulation.kill()
        case kind:
            _order(simulation, CommandKind(kind), host)


def _resume(simulation: Simulation, pause: Pause) -> None:
    ended = replace(pause, ended_at=simulation.clock.time, ended_by="Bob")
    event = stopping.resumed(ended)
    simulation.journal.commit(Change(pauses=(ended,), events=(event,)))


def _order(simulation: Simulation, kind: CommandKind, host: str) -> None:
    now = simulation.clock.time
    key = f"{kind.value} {host} {now}"
    order = Command(key, kind, host, "Ann", "why not", now, now + 600)
    simulation.journal.order(order)


def play(seed: int) -> tuple[Simulation, Watched]:
    """Every other life goes by the fence device of a host that is late, too."""
    options = {**CLUSTER["options"], "off_time": 5 * (seed % 2)}
    simulation = scenario.build({**CLUSTER, "options": options}, [])
    dice = random.Random(seed)
    watched, clock = Watched(simulation), simulation.clock
    while clock.time < CHAOS:
        if dice.random() < 0.03:
            _happen(simulation, dice)
        if simulation.engine is None and dice.random() < 0.05:
            simulation.start()
        simulation.tick()
    for pause in simulation.journal.pauses():
        _resume(simulation, pause)
    simulation.start()
    for host in FAILING:
        simulation.world.cut(host)
        _order(simulation, CommandKind.RETRY, host)
    while clock.time < PEACE:
        simulation.tick()
    return simulation, watched


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens(seed: int) -> None:
    simulation, watched = play(seed)
    assert simulation.world.breaches == []
    assert watched.wrong == []
    for server in simulation.world.servers.values():
        assert server.host not in FAILING, f"{server.name} is on {server.host}"
        assert server.running
