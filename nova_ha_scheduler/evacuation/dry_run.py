# SPDX-License-Identifier: Apache-2.0
"""What would happen: the engine's own step on a picture, without effects."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.picture import Picture, Scope
from nova_ha_scheduler.evacuation import engine
from nova_ha_scheduler.evacuation.interfaces import Cloud
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import triage
from nova_ha_scheduler.records.evidence import Evidence, Proof
from nova_ha_scheduler.records.host_recovery import HostRecovery, HostState
from nova_ha_scheduler.records.server_recovery import ServerRecovery, ServerState
from nova_ha_scheduler.records.state import State


def look(cloud: Cloud, hosts: Collection[str]) -> Picture:
    """What plan() needs to see.

    :raises CloudUnreachable: it cannot be seen.
    """
    return cloud.observe(Scope(hosts=frozenset(hosts), destinations=True))


def plan(
    picture: Picture,
    options: Options,
    hosts: Sequence[str],
    chosen: Mapping[str, str] | None = None,
) -> list[ServerRecovery]:
    """The servers of the hosts as they would be if all of these were known to be dead
    now, in the order of asking.

    ASKED: with the destination; WAITING or LEFT: with the reason; MOVING: somebody has
    asked for it. How many may be under way at the same time is not regarded.

    :param chosen: where a person wants servers to go, by server, and nowhere else.
    :raises Refused: Nova knows no such host.
    """
    for host in (*hosts, *sorted({*(chosen or {}).values()})):
        host_names.require(host, picture.hosts)
    now, many = picture.taken_at, sys.maxsize
    dead = {host: _dead(host, now, chosen or {}) for host in hosts}
    no_limits = replace(
        options,
        max_in_flight=many,
        max_in_flight_per_zone=many,
        max_in_flight_per_destination=many,
    )
    step = Step(State(hosts=dead), picture, (), frozenset(), now, no_limits)
    engine.decide(step)
    found = [
        _with_reason(step.hosts[host.id], record)
        for host in dead.values()
        for record in step.servers_of(host)
    ]
    servers = picture.servers
    return sorted(found, key=lambda r: triage.urgency(servers[r.server], options))


def why_not(
    planned: Sequence[ServerRecovery], chosen: Mapping[str, str]
) -> dict[str, str]:
    """Why servers would not go where a person wants them, as sentences, by server.

    :param planned: what :func:`plan` has found for that choice.
    """
    others = "somebody has asked Nova for its evacuation already"
    return {
        record.server: record.sentence or others
        for record in planned
        if record.server in chosen and record.state is not ServerState.ASKED
    }


def _dead(host: str, now: float, chosen: Mapping[str, str]) -> HostRecovery:
    proof = Evidence(Proof.CONFIRMATION, "dry run", now)
    state = HostState.EVACUATING
    return HostRecovery(host, host, state, now, evidence=proof, chosen=chosen)


def _with_reason(host: HostRecovery, record: ServerRecovery) -> ServerRecovery:
    """A server that waits waits for what its host waits for, if for nothing else."""
    if record.state is ServerState.WAITING and record.reason is None:
        return record.because(host.reason, host.detail)
    return record
