# SPDX-License-Identifier: Apache-2.0
"""Why a host is, or is not, a destination for a server: every check with its answer.

The same checks as the board's, one after the other, in words.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.planner import ground
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.planner.room import Room
from nova_ha_scheduler.rules.terms import Operation, Request


@dataclass(frozen=True)
class HostCheck:
    """
    :ivar no: why it keeps the server off the host; "": it does not.
    :ivar yes: what there is to say where it does not.
    """

    name: str
    no: str = ""
    yes: str = ""


_STATUS = "status"


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
) -> Iterator[HostCheck]:
    """All of them, in the order in which the board asks; each may be the no."""
    beside = list(fitting(server, host))
    shut = next((check.no for check in beside if check.name == _STATUS), "")
    yield from _state(asked, host, shut)
    for name, rule in ground.RULES.items():
        no = rule.refusal(asked, host.facts, False, preferences.policy)
        yield HostCheck(name, str(no) if no else "", _fact(name, host))
    yield from (check for check in beside if check.name != _STATUS)


def _state(asked: Request, host: Host, shut: str) -> Iterator[HostCheck]:
    if asked.source is not None:
        yield HostCheck(
            "other host", "it is there" if host.name == asked.source else ""
        )
    forced = "forced down" if host.forced_down else "down"
    yield HostCheck("service", "" if host.up else forced, "up")
    why = f"disabled: {host.disabled_reason or 'without a reason'}"
    yield HostCheck(_STATUS, why if host.disabled else shut, "enabled")


def _fact(name: str, host: Host) -> str:
    return f"in {host.facts.zone_words}" if name == "storage zone" else ""


def fitting(server: Server, host: Host) -> Iterator[HostCheck]:
    """What is beside the rules: zone, group, traits and room."""
    room = Room(host)
    no: dict[str, list[str]] = defaultdict(list)
    for obstacle in ground.obstacles(server, host, room):
        no[obstacle.check].append(obstacle.words)
    yes = {
        "availability zone": host.availability_zone,
        "server group": "",
        "traits": ", ".join(sorted(server.traits)),
    }
    if room.free is not None:
        for what, wanted in sorted(server.needs.items()):
            yes[what] = f"{wanted} needed, {room.free[what]} free"
    for check in {**yes, **no}:
        yield HostCheck(check, ", ".join(no[check]), yes.get(check, ""))


def first_no(found: Iterator[HostCheck]) -> HostCheck | None:
    """The first check that keeps the server off the host, if one does."""
    return next((check for check in found if check.no), None)
