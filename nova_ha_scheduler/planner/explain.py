# SPDX-License-Identifier: Apache-2.0
"""Why a host is, or is not, a destination for a server: every check with its answer.

The same checks as the board's, one after the other, in words.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.planner import ground
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.rules import (
    failover_host,
    ha_flavor,
    maintenance,
    storage_zone,
)
from nova_ha_scheduler.rules.terms import Operation, Request, Rule

_RULES: Mapping[str, Rule] = {
    "storage zone": storage_zone,
    "failover host": failover_host,
    "ha flavor": ha_flavor,
    "maintenance": maintenance,
}
"""Each with the name of what it is about."""


@dataclass(frozen=True)
class HostCheck:
    """
    :ivar no: why it keeps the server off the host; "": it does not.
    :ivar yes: what there is to say where it does not.
    """

    name: str
    no: str = ""
    yes: str = ""


@dataclass(frozen=True)
class Taken:
    """What else is decided about a host already.

    :ivar dead: whether it is to be, or is being, recovered itself.
    :ivar needs: amounts by resource class.
    :ivar groups: the server groups that have got a member there.
    """

    dead: bool = False
    needs: Mapping[str, int] = field(default_factory=dict)
    groups: Collection[str] = ()


NOTHING = Taken()


def request(
    server: Server,
    hosts: Mapping[str, Host],
    preferences: Preferences,
    operation: Operation,
) -> Request:
    """The operation on the server, as the rules are asked.

    A boot or an unshelve is asked about as if the server were nowhere.
    """
    source = hosts.get(server.host) or Host(server.host)
    asked = ground.request_for(server, source, preferences, operation)
    if operation.makes_disk:
        return Request(operation, "", asked.ha, local_disk=asked.local_disk)
    return replace(asked, server=server.uuid, source=source.name)


def checks(
    server: Server,
    asked: Request,
    host: Host,
    preferences: Preferences,
    taken: Taken = NOTHING,
) -> Iterator[HostCheck]:
    """All of them, in the order in which the board asks; each may be the no."""
    yield from _state(asked, host, taken)
    for name, rule in _RULES.items():
        no = rule.refusal(asked, host.facts, False, preferences.policy)
        yield HostCheck(name, str(no) if no else "", _fact(name, host))
    yield from fitting(server, host, taken, asked.operation)


def _state(asked: Request, host: Host, taken: Taken) -> Iterator[HostCheck]:
    if asked.source is not None:
        yield HostCheck(
            "other host", "it is there" if host.name == asked.source else ""
        )
    forced = "forced down" if host.forced_down else "down"
    yield HostCheck("service", "" if host.up else forced, "up")
    why = f"disabled: {host.disabled_reason or 'without a reason'}"
    shut = f"closed in Placement ({ground.CLOSED})"
    closed = shut if ground.CLOSED in host.traits else ""
    yield HostCheck("status", why if host.disabled else closed, "enabled")
    if taken.dead:
        yield HostCheck("alive", "in recovery")


def _fact(name: str, host: Host) -> str:
    return f"in {host.facts.zone_words}" if name == "storage zone" else ""


def fitting(
    server: Server,
    host: Host,
    taken: Taken = NOTHING,
    operation: Operation = Operation.EVACUATE,
) -> Iterator[HostCheck]:
    """What is beside the rules: zone, group, traits and room."""
    pinned, there = server.availability_zone, host.availability_zone
    outside = pinned is not None and pinned != there
    yield HostCheck(
        "availability zone", f"it is pinned to {pinned}" if outside else "", there
    )
    yield HostCheck("server group", _group(server, host, taken))
    lacking = sorted(server.traits - host.traits)
    bad = sorted(server.forbidden_traits & host.traits)
    no = [f"without {trait}" for trait in lacking]
    no += [f"with {trait}, which is forbidden" for trait in bad]
    yield HostCheck("traits", ", ".join(no), ", ".join(sorted(server.traits)))
    if host.free is None:
        yield HostCheck("room", "its free room is unknown")
        return
    for what, wanted in sorted(server.needs.items()):
        free = host.free.get(what, 0) - taken.needs.get(what, 0)
        words = f"{wanted} needed, {free} free"
        yield HostCheck(what, words if free < wanted else "", words)


def _group(server: Server, host: Host, taken: Taken) -> str:
    there = host.name in server.group_hosts
    if server.group is None:
        return ""
    if not server.group_apart:
        alone = server.group_hosts and not there
        return "without the others of its affinity group" if alone else ""
    near = there or server.group in taken.groups
    return "with a server of its anti-affinity group" if near else ""


def first_no(found: Iterator[HostCheck]) -> HostCheck | None:
    """The first check that keeps the server off the host, if one does."""
    return next((check for check in found if check.no), None)
