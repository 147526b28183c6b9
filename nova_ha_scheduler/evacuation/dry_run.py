# SPDX-License-Identifier: Apache-2.0
"""What would happen: the engine's own step on a live picture, without effects."""

from dataclasses import replace

from nova_ha_scheduler.evacuation import engine
from nova_ha_scheduler.evacuation.cloud import Scope
from nova_ha_scheduler.evacuation.interfaces import Cloud, CloudUnreachable
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.records import (
    Evidence,
    HostRecovery,
    HostState,
    Proof,
    Reason,
    ServerRecovery,
    State,
)
from nova_ha_scheduler.evacuation.turn import Turn

_UNLIMITED = 1_000_000


def plan(cloud: Cloud, options: Options, host: str) -> list[ServerRecovery]:
    """The servers of a host as they would be if it were known to be dead now.

    ASKED: with the destination; WAITING or LEFT: with the reason. How many may be
    under way at the same time is not regarded.

    :raises CloudUnreachable: also if there is no such host.
    """
    picture = cloud.observe(Scope(hosts=frozenset({host}), destinations=True))
    if host not in picture.hosts:
        raise CloudUnreachable(f"{host}: {Reason.UNKNOWN_HOST.sentence()}")
    now = picture.taken_at
    dead = HostRecovery(
        id=host,
        host=host,
        state=HostState.EVACUATING,
        started_at=now,
        evidence=Evidence(Proof.CONFIRMATION, "dry run", now),
    )
    no_limits = replace(
        options, max_in_flight=_UNLIMITED, max_in_flight_per_zone=_UNLIMITED
    )
    turn = Turn(State(hosts={host: dead}), picture, (), frozenset(), now, no_limits)
    engine.decide(turn)
    return turn.servers_of(turn.hosts[host])
