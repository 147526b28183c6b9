# SPDX-License-Identifier: Apache-2.0
"""More urgent servers that may want room in a moment: those of hosts that may be dead,
too, and are not proven to be yet. Hosts that die together do not show it at once."""

from collections.abc import Iterable

from nova_ha_scheduler.cluster.picture import Server
from nova_ha_scheduler.evacuation import stopping
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.planner import triage


def hosts(step: Step) -> frozenset[str]:
    """Those whose servers may have to be recovered soon."""
    known = step.open_hosts()
    to_come = {h.host for h in known if h.state.traits.to_come}
    to_come -= {h.host for h in known if stopping.stops(step, h)}
    fading = suspicion.endangered(step.picture, step.options)
    return frozenset(to_come | fading - {h.host for h in known})


def of(
    step: Step, waiting: Iterable[Server], resting: Iterable[Server]
) -> list[Server]:
    """
    :param waiting: those that may be asked for now.
    :param resting: those of dead hosts that may be, but not now.
    """
    options = step.options
    last = max(triage.urgency(server, options)[:2] for server in waiting)
    found = list(resting)
    for name in sorted(hosts(step)):
        if seen := step.picture.hosts.get(name):
            listed = step.picture.servers_of(name)
            found += [s for s in listed if not triage.why_left(s, seen.facts, options)]
    return [s for s in found if triage.urgency(s, options)[:2] < last]
