# SPDX-License-Identifier: Apache-2.0
"""The trigger is killed at every moment of a maintenance, and of a way home.

As in test_crash_points.py: whatever the moment, nothing is forgotten. The host is
drained and given back, with its flag gone and its service enabled; no server is asked
for twice, left unconfirmed, stopped twice for its move, or not started again.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from nova_ha_scheduler.records.commands import Command, CommandKind
from nova_ha_scheduler.simulation.runner import Simulation
from tests.lib.simulation import DOWNTIMES, Killed, moments_of, scenario

DRAIN: dict[str, Any] = {
    "hosts": {"node1..node3": {"zone": "nfs-a", "room": 8}},
    "servers": {
        "vm1..vm2": {"host": "node1"},
        "vm3": {"host": "node1", "vm_state": "stopped"},
    },
    "options": {"maintenance_max_in_flight": 2},
}
HOME: dict[str, Any] = {
    "hosts": {
        "node1": {"zone": "nfs-a", "room": 8},
        "spare1": {"zone": "nfs-a", "room": 8, "reserved": True},
    },
    "servers": {
        "vm1": {"host": "node1"},
        "vm2": {"host": "node1", "vm_state": "stopped"},
    },
    "options": {"return_failback": True},
}


def order(simulation: Simulation, kind: CommandKind, **more: Any) -> None:
    now = simulation.clock.now()
    command = Command(f"c{now}", kind, "node1", "ann", "why", now, now + 600, **more)
    simulation.journal.order(command)


def drain(simulation: Simulation) -> None:
    """What fate and people do in the course of a maintenance."""
    if simulation.clock.time == 10:
        order(simulation, CommandKind.START_MAINTENANCE, drain=True)
    if simulation.clock.time == 300:
        order(simulation, CommandKind.END_MAINTENANCE)


def die_and_return(simulation: Simulation) -> None:
    if simulation.clock.time == 20:
        simulation.world.cut("node1")
    if simulation.clock.time == 400:
        simulation.world.machines["node1"].powered = True
        simulation.world.machines["node1"].agent_at = 430


Fate = Callable[[Simulation], None]
BY_FORCE = {
    **DRAIN,
    "options": {**DRAIN["options"], "maintenance_force_complete_after": 60},
}


def drain_by_force(simulation: Simulation) -> None:
    """One of the servers never arrives by itself."""
    simulation.world.moves.times["vm1"] = 1e6
    drain(simulation)


STOPPED: dict[str, Any] = {
    "hosts": DRAIN["hosts"],
    "servers": {
        "vm1..vm2": {"host": "node1", "refused_live": "it has a vTPM"},
        "vm3": {"host": "node1", "vm_state": "stopped"},
    },
    "options": {"maintenance_stop_to_move": True},
}


def drain_stopped(simulation: Simulation) -> None:
    """Two servers cannot be moved while they run, and one takes long to stop."""
    simulation.world.guests.stop_times["vm1"] = 20
    drain(simulation)


def end_while_stopped(simulation: Simulation) -> None:
    """The same, and the maintenance ends before they are stopped."""
    simulation.world.guests.stop_times |= {"vm1": 20, "vm2": 40}
    if simulation.clock.time == 10:
        order(simulation, CommandKind.START_MAINTENANCE, drain=True)
    if simulation.clock.time == 30:
        order(simulation, CommandKind.END_MAINTENANCE)


CASES = {
    "maintenance": (DRAIN, drain),
    "by force": (BY_FORCE, drain_by_force),
    "stopped": (STOPPED, drain_stopped),
    "ends while stopped": (STOPPED, end_while_stopped),
    "way home": (HOME, die_and_return),
}


def play(
    cluster: dict[str, Any], fate: Fate, downtime: int, dies: Callable[[str], bool]
) -> tuple[Simulation, str]:
    """:returns: the simulation at its end, and when it was killed for the last time."""
    log: list[str] = []
    simulation, name = scenario.build(cluster, log), ""

    def moment(what: str) -> None:
        nonlocal name
        if dies(what):
            name = what
            raise Killed

    simulation.moment = moment
    simulation.start()
    revive = None
    while simulation.clock.time < 750:
        if revive is not None and simulation.clock.time >= revive:
            simulation.start()
            revive = None
        fate(simulation)
        try:
            simulation.tick()
        except Killed:
            simulation.kill()
            revive = simulation.clock.time + downtime
    stops = Counter(line.split(maxsplit=1)[1] for line in log if "nova: stop" in line)
    twice = [f"{words}, {times} times" for words, times in stops.items() if times > 1]
    simulation.world.breaches += twice
    return simulation, name


_OFF = ("vm3", "vm2")
"""Who is stopped by its owner: in a drain, and of those that go home."""


def wrong(simulation: Simulation, fate: Fate) -> str:
    """What is not as it should be in the end."""
    world, state = simulation.world, simulation.journal.state
    found = list(world.breaches)
    away = fate is not die_and_return
    for server in world.servers.values():
        if (server.host == "node1") is away and fate is not end_while_stopped:
            found.append(f"{server.name} is on {server.host}")
        was = "stopped" if server.name == _OFF[fate is die_and_return] else "active"
        if (server.vm_state, server.task_state) != (was, None):
            found.append(f"{server.name} is {server.vm_state}, {server.task_state}")
    kinds = [r for r in world.records if r.kind != "evacuation"]
    if len(kinds) != len(world.servers) and fate is not end_while_stopped:
        found.append(f"{len(kinds)} moves of {len(world.servers)} servers")
    machine = world.machines["node1"]
    if machine.host.disabled or machine.host.forced_down or machine.flagged:
        found.append("node1 was not given back")
    found += [f"{m.name} is {m.state}" for m in state.moves.values() if m.under_way]
    found += [w.state.value for w in state.windows.values() if w.ended_at is None]
    found += [str(i) for i in state.intents.values() if i.recovery]
    return "; ".join(found)


@pytest.mark.parametrize("downtime", DOWNTIMES)
@pytest.mark.parametrize(("cluster", "fate"), CASES.values(), ids=CASES.keys())
def test_killed_at_every_moment(
    cluster: dict[str, Any], fate: Fate, downtime: int
) -> None:
    moments = 0

    def count(_: str) -> bool:
        nonlocal moments
        moments += 1
        return False

    simulation, _ = play(cluster, fate, downtime, count)
    assert wrong(simulation, fate) == ""
    assert moments > 20
    for number in moments_of(moments, downtime):
        numbers = iter(range(moments + 1000))
        dies = lambda _, n=number, i=numbers: next(i) == n  # noqa: E731
        simulation, name = play(cluster, fate, downtime, dies)
        assert wrong(simulation, fate) == "", f"moment {number}, {name}"


def play_at_random(cluster: dict[str, Any], fate: Fate, seed: int) -> Simulation:
    """Kill it at one moment in five, for as long as it takes."""
    dice = random.Random(seed)
    simulation, _ = play(cluster, fate, 2, lambda _: dice.random() < 0.2)
    return simulation


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("cluster", "fate"), CASES.values(), ids=CASES.keys())
def test_killed_again_and_again(cluster: dict[str, Any], fate: Fate, seed: int) -> None:
    assert wrong(play_at_random(cluster, fate, seed), fate) == ""
