# SPDX-License-Identifier: Apache-2.0
"""What became of it in the end: who was recovered, who was not, what was broken."""

from dataclasses import dataclass

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.planner.triage import why_left
from nova_ha_scheduler.records.server_recovery import (
    ServerPhase,
    ServerRecovery,
    ServerState,
)
from nova_ha_scheduler.records.state import State
from nova_ha_scheduler.rules import vocabulary
from nova_ha_scheduler.simulation.world import SimulatedWorld

_OFF = "its host has rebooted by itself, and nobody has started it again"


@dataclass(frozen=True)
class Lost:
    """A protected server that does not run in the end.

    :ivar why: a sentence.
    """

    name: str
    host: str
    why: str


@dataclass(frozen=True)
class Ending:
    """:ivar recovered: how many servers run elsewhere now.
    :ivar breaches: of the safety rules, as the simulated world has seen them.
    """

    recovered: int
    lost: tuple[Lost, ...]
    breaches: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.lost and not self.breaches


def judge(world: SimulatedWorld, state: State, preferences: Preferences) -> Ending:
    """
    :param state: all that was ever in the journal.
    """
    newest: dict[str, ServerRecovery] = {}
    for recovery in sorted(state.hosts.values(), key=lambda h: (h.started_at, h.id)):
        of_host = (s for s in state.servers.values() if s.recovery == recovery.id)
        newest.update({record.server: record for record in of_host})
    lost = []
    for uuid, server in world.servers.items():
        record = newest.get(uuid)
        if _is_meant(world, server, record, preferences) and not _well(
            world, server, record
        ):
            off = server.uuid in world.guests.off
            why = _OFF if off and record is None else _why(state, server, record)
            lost.append(Lost(server.name, server.host, why))
    recovered = sum(r.state is ServerState.RECOVERED for r in newest.values())
    lost.sort(key=lambda one: (one.host, one.name))
    return Ending(recovered, tuple(lost), tuple(world.breaches))


def _is_meant(
    world: SimulatedWorld,
    server: Server,
    record: ServerRecovery | None,
    preferences: Preferences,
) -> bool:
    """Whether it was to be recovered, if its host died."""
    if record is not None:
        gone = ServerPhase.AS_INTENDED, ServerPhase.MISSING
        return record.phase not in gone
    machine = world.machines.get(server.host)
    if machine is None or vocabulary.HA not in machine.facts.flags:
        return False
    why = why_left(server, machine.facts, preferences)
    return why is None or not why[0].intended


def _well(world: SimulatedWorld, server: Server, record: ServerRecovery | None) -> bool:
    machine = world.machines.get(server.host)
    if machine is None or not (machine.powered and machine.agent):
        return False
    failed = record is not None and record.state is ServerState.FAILED
    off = server.uuid in world.guests.off
    return not (failed or off) and server.vm_state != "error"


def _why(state: State, server: Server, record: ServerRecovery | None) -> str:
    if record is not None and record.state is not ServerState.RECOVERED:
        return record.sentence or f"it is {record.state.value}"
    for recovery in reversed(list(state.hosts.values())):
        if recovery.host == server.host:
            reason = f": {recovery.sentence}" if recovery.reason else ""
            return f"its host is {recovery.state.value}{reason}"
    return "the trigger did not act on its host"
