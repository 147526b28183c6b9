# SPDX-License-Identifier: Apache-2.0
"""What an evacuation of a host would do: a plan, and nothing is asked of anybody."""

from collections.abc import Sequence

from nova_ha_scheduler.evacuation import planner, servers
from nova_ha_scheduler.evacuation.cloud import Picture
from nova_ha_scheduler.evacuation.options import Options


def preview(
    picture: Picture, host: str, dead: frozenset[str], options: Options
) -> Sequence[planner.Decision]:
    """A decision for each server of a host: its destination, or why not.

    :param picture: one whose scope has the host, and destinations.
    :param dead: further hosts in recovery.
    """
    facts = picture.hosts[host].facts
    left, candidates = [], []
    for server in picture.servers_of(host):
        if why := servers.why_left(server, facts, options):
            left.append(planner.Decision(server.uuid, None, *why))
        else:
            candidates.append(planner.Candidate(server))
    candidates.sort(key=lambda c: servers.urgency(c.server, options))
    return [
        *planner.plan(candidates, picture.hosts, dead | {host}, (), options),
        *left,
    ]
