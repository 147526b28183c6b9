# SPDX-License-Identifier: Apache-2.0
"""The trigger is killed at every moment of a recovery, and started again.

A moment is before or after a commit to the journal, and before or after an effect.
The world goes on while the trigger is dead. Whatever the moment: no server is
evacuated before the proof, none twice, none is forgotten.
"""

import random
from typing import Any

import pytest

from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.records.pauses import Pause
from nova_ha_scheduler.records.state import Change
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import DOWNTIMES, Killed, moments_of, scenario

HOSTS = {"node1..node4": {"zone": "nfs-a", "room": 8}}
CLUSTERS: dict[str, dict[str, Any]] = {
    "plain": {
        "hosts": HOSTS,
        "servers": {"vm1..vm3": {"host": "node1"}},
    },
    "left stopped by nova": {
        "hosts": HOSTS,
        "servers": {
            "vm1": {"host": "node1"},
            "vm2": {"host": "node1", "vm_state": "stopped"},
            "vm3": {"host": "node1", "vm_state": "error", "running": False},
        },
        "nova": {"leaves_stopped": True},
    },
    "two hosts, a rebuild that fails": {
        "hosts": HOSTS,
        "servers": {"vm1..vm2": {"host": "node1"}, "vm3": {"host": "node2"}},
        "options": {"max_cloud_percent": 50},
    },
    "people hold it": {
        "hosts": HOSTS,
        "servers": {"vm1..vm3": {"host": "node1"}},
        "options": {"max_in_flight": 1},
        "people": {
            20: [("pause", None, 110)],
            110: [("pause", "node1", 130), ("pause", "node2", None)],
            134: [("abort", "node1", None)],
            150: [("retry", "node1", None)],
        },
        "back_at": 450,
    },
    "its host died while it was being rebooted": {
        "hosts": HOSTS,
        "servers": {"vm1..vm3": {"host": "node1", "task_state": "reboot_started"}},
        "back_at": 450,
    },
    "a destination dies in the middle": {
        "hosts": HOSTS,
        "servers": {"vm1..vm3": {"host": "node1"}},
        "nova": {"rebuild": 60},
        "dies": {100: "node2"},
        "back_at": 450,
    },
    "off before it is silent": {
        "hosts": HOSTS,
        "servers": {"vm1..vm3": {"host": "node1"}},
        "options": {"off_time": 5},
        "cut_at": 61,
    },
}


def play(cluster: dict[str, Any], kill_at: int, downtime: int) -> tuple[int, str]:
    """Kill the trigger at one moment (counted from 0; -1: never).

    :returns: how many moments there were, and what was wrong in the end.
    """
    simulation = scenario.build(cluster, [])
    count, name = 0, ""

    def moment(what: str) -> None:
        nonlocal count, name
        count += 1
        if count - 1 == kill_at:
            name = what
            raise Killed

    simulation.moment = moment
    simulation.start()
    back_at = cluster.get("back_at", 300)
    people, dies = cluster.get("people"), cluster.get("dies")
    cut_at = cluster.get("cut_at", 20)
    _run(simulation, back_at + 240, downtime, back_at, people, dies, cut_at)
    wrong = _wrong(simulation)
    return count, f"killed {name}: {wrong}" if wrong else ""


def _run(
    simulation: Simulation,
    until: float,
    downtime: int,
    back_at: float = 300,
    people: dict[int, list[Any]] | None = None,
    dies: dict[int, str] | None = None,
    cut_at: float = 20,
) -> None:
    world = simulation.world
    revive = None
    dead_host = {s.host for s in world.servers.values()}
    if len(dead_host) > 1:
        world.failing["vm1"] = 1
    while simulation.clock.time < until:
        if simulation.clock.time == cut_at:
            for host in sorted(dead_host):
                world.cut(host)
        if also := (dies or {}).get(int(simulation.clock.time)):
            world.cut(also)
            dead_host.add(also)
        for order in (people or {}).get(int(simulation.clock.time), []):
            _order(simulation, *order)
        if simulation.clock.time == back_at:
            for host in sorted(dead_host):
                world.machines[host].powered = True
                world.machines[host].agent_at = back_at + 30
        if revive is not None and simulation.clock.time >= revive:
            simulation.start()
            revive = None
        try:
            simulation.tick()
        except Killed:
            simulation.kill()
            revive = simulation.clock.time + downtime


def _order(
    simulation: Simulation, verb: str, host: str | None, until: float | None
) -> None:
    """They write into the journal, whether the trigger lives or not."""
    now = simulation.clock.time
    if verb == "pause":
        pause = Pause(f"pause-{host}-{now}", "Ann", "why not", now, until, host)
        simulation.journal.commit(Change(pauses=(pause,)))
    else:
        kind = CommandKind(verb)
        order = Command(verb, kind, host or "", "Ann", "why not", now, now + 600)
        simulation.journal.order(order)


def _wrong(simulation: Simulation) -> str:
    world, state = simulation.world, simulation.journal.state
    wrong = list(world.breaches)
    dead = {recovery.host for recovery in state.hosts.values()}
    for server in world.servers.values():
        if server.host in dead:
            wrong.append(f"{server.name} is still on {server.host}")
        was_running = server.name not in ("vm2", "vm3") or len(dead) > 1
        if len(world.servers) == 3 and world.nova.leaves_stopped:
            if server.running is not was_running:
                wrong.append(f"{server.name} running: {server.running}")
        elif not server.running:
            wrong.append(f"{server.name} does not run")
    for recovery in state.hosts.values():
        if recovery.ended_at is None:
            wrong.append(f"{recovery.host} is still {recovery.state.value}")
    for host in world.machines.values():
        if host.host.forced_down or host.host.disabled:
            wrong.append(f"{host.host.name} was not given back")
    for record in state.servers.values():
        if not record.state.final:
            wrong.append(f"{record.name} is still {record.state.value}")
    if state.intents and any(i.recovery for i in state.intents.values()):
        wrong.append(f"open intents: {list(state.intents.values())}")
    return "; ".join(wrong)


@pytest.mark.parametrize("downtime", DOWNTIMES)
@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS.keys())
def test_killed_at_every_moment(cluster: dict[str, Any], downtime: int) -> None:
    moments, wrong = play(cluster, -1, downtime)
    assert wrong == ""
    assert moments > 30
    for moment in moments_of(moments, downtime):
        _, wrong = play(cluster, moment, downtime)
        assert wrong == "", f"moment {moment}: {wrong}"


def play_at_random(seed: int) -> Simulation:
    """Kill it at one moment in four, for as long as it takes."""
    simulation = scenario.build(CLUSTERS["left stopped by nova"], [])
    dice = random.Random(seed)

    def moment(what: str) -> None:
        if dice.random() < 0.25:
            raise Killed

    simulation.moment = moment
    simulation.start()
    _run(simulation, 2500, 2, back_at=2000)
    return simulation


@pytest.mark.parametrize("seed", range(20))
def test_killed_again_and_again(seed: int) -> None:
    assert _wrong(play_at_random(seed)) == ""
