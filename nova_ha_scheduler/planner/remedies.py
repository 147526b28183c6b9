# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a zone's capacity, and what would mend it, in sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.cluster.providers import Resources
from nova_ha_scheduler.planner.capacity import ZoneCapacity, zones
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.losses import Left, Loss, WhatIf
from nova_ha_scheduler.rules import vocabulary

_MOST_HOSTS = 4
"""How many more reserve hosts are thought of."""


def problems(
    ground: Ground, servers: Mapping[str, Server], zone: ZoneCapacity, failures: int
) -> list[str]:
    """What would leave servers, and what would not let it come to that."""
    said = []
    if zone.worst is not None:
        said.append(_loss(WhatIf(ground, servers), zone.worst))
        said += _more_hosts(ground, servers, zone, failures)
    elif not zone.proven:
        said.append(
            f"{zone.survivable} of its hosts may die, whichever they are; whether "
            f"{failures} may is not known: too many combinations to try"
        )
    said += list(_refused(zone))
    for name, lacks in zone.small.items():
        words = f"reserve host {name} is too small for server {_name(zone.largest)}"
        said.append(f"{words}: even when it is empty, it has {', '.join(lacks)}")
    return said


def _loss(what_if: WhatIf, loss: Loss) -> str:
    die = "dies" if len(loss.hosts) == 1 else "die together"
    short = what_if.short(loss)
    if short is None:
        missing = ": no other host may take them, whatever room it has"
    elif short:
        words = f"{amounts(short)} short, were all free room in one piece"
        missing = f" for want of room: {words}"
    else:
        missing = " for want of room: there would be enough, but not in one piece"
    first, plural = loss.homeless[0], "" if loss.servers == 1 else "s"
    return (
        f"if {', '.join(loss.hosts)} {die}, {len(loss.homeless)} of {loss.servers} "
        f"protected server{plural} would be left{missing}; first "
        f"{first.server.name} ({amounts(first.server.needs)}): {first.why}"
    )


def _more_hosts(
    ground: Ground, servers: Mapping[str, Server], zone: ZoneCapacity, failures: int
) -> Iterator[str]:
    """How many more hosts as large as the largest one would do."""
    members = [h for h in ground.hosts.values() if h.facts.zone_words == zone.name]
    model = max(members, key=lambda host: (_memory(host), host.name))
    size = model.capacity
    if not size or len(model.facts.zones) != 1:
        return
    flags = frozenset({vocabulary.HA, vocabulary.RESERVED})
    facts = replace(model.facts, flags=flags, bad=())
    more: dict[str, Host] = {}
    for count in range(1, _MOST_HOSTS + 1):
        name = f"{model.name} {count}"  # no host's name: it has a blank
        more[name] = replace(
            model,
            name=name,
            facts=facts,
            up=True,
            disabled=False,
            free=size,
            providers=tuple(one.emptied() for one in model.providers),
            offers=None,
        )
        larger = Ground({**ground.hosts, **more}, ground.preferences)
        (found,) = zones(larger, servers, failures, zone.name)
        if found.worst is None and found.proven:
            hosts = (
                "1 more reserve host" if count == 1 else f"{count} more reserve hosts"
            )
            yield f"{hosts} as large as {model.name} ({amounts(size)}) would do"
            return


def _refused(zone: ZoneCapacity) -> Iterator[str]:
    """Those whom no room would help."""
    for name, loss in zone.hosts.items():
        for left in loss.left:
            if not left.room and left.server.host == name:
                yield f"server {_name(left.server)} on {name} would be left: {left.why}"


def first_left(zone: ZoneCapacity) -> Left | None:
    """The server that would be left first."""
    losses = [zone.worst] if zone.worst else list(zone.hosts.values())
    return next((left for loss in losses for left in loss.left), None)


def amounts(found: Resources) -> str:
    """'MEMORY_MB=65536, VCPU=8'."""
    return ", ".join(f"{what}={n}" for what, n in sorted(found.items()))


def _name(server: Server | None) -> str:
    return server.name if server else ""


def _memory(host: Host) -> int:
    return (host.capacity or {}).get("MEMORY_MB", 0)
