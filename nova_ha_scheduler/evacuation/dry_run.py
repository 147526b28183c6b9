# SPDX-License-Identifier: Apache-2.0
"""What would happen: the engine's own step on a live picture, without effects."""

import sys
from dataclasses import replace

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.model import Scope
from nova_ha_scheduler.evacuation import engine, records
from nova_ha_scheduler.evacuation.evidence import Evidence, Proof
from nova_ha_scheduler.evacuation.interfaces import Cloud
from nova_ha_scheduler.evacuation.options import Options
from nova_ha_scheduler.evacuation.turn import Turn


def plan(cloud: Cloud, options: Options, host: str) -> list[records.ServerRecovery]:
    """The servers of a host as they would be if it were known to be dead now.

    ASKED: with the destination; WAITING or LEFT: with the reason. How many may be
    under way at the same time is not regarded.

    :raises CloudUnreachable: also if there is no such host.
    """
    picture = cloud.observe(Scope(hosts=frozenset({host}), destinations=True))
    if host not in picture.hosts:
        sentence = records.Reason.UNKNOWN_HOST.sentence()
        raise CloudUnreachable(f"{host}: {sentence}")
    now, state = picture.taken_at, records.HostState.EVACUATING
    proof = Evidence(Proof.CONFIRMATION, "dry run", now)
    dead = records.HostRecovery(host, host, state, started_at=now, evidence=proof)
    many = sys.maxsize
    no_limits = replace(options, max_in_flight=many, max_in_flight_per_zone=many)
    known = records.State(hosts={host: dead})
    turn = Turn(known, picture, (), frozenset(), now, no_limits)
    engine.decide(turn)
    return turn.servers_of(dead)
