# SPDX-License-Identifier: Apache-2.0
"""A small cloud as nova-scheduler's filters see it, and as the planner does.

Nova's own RequestSpec, HostState, ComputeNode and Aggregate objects, and the plugin's
filters. What is Nova's and not here: Placement (a host takes what it has room for) and
nova-compute's count of what is on it (nova.compute.resource_tracker: by flavor).
"""

import uuid
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from nova import objects
from nova.scheduler.host_manager import HostState

from nova_ha_scheduler import filters
from nova_ha_scheduler.admission import published
from nova_ha_scheduler.cluster.picture import Host, Server
from nova_ha_scheduler.operation import Scheduling, remember
from nova_ha_scheduler.planner import reserve
from nova_ha_scheduler.planner.ground import Ground
from nova_ha_scheduler.planner.losses import Loss, WhatIf
from nova_ha_scheduler.planner.preferences import Preferences
from nova_ha_scheduler.rules.terms import HostFacts, Operation, Request

objects.register_all()

PET = {"ha": "true"}


def facts(**metadata: str) -> HostFacts:
    """facts(zone="nfs-a", ha="true", reserved="true")"""
    names = {"zone": "storage_zone", "ha": "ha"}
    return HostFacts.of([{names.get(k, f"ha:{k}"): v for k, v in metadata.items()}])


def host(name: str, room: dict[str, int], **values: Any) -> Host:
    """A protected one of zone nfs-a, unless something else is said."""
    tags = {k: values.pop(k) for k in ("reserved", "maintenance") if k in values}
    found = {"facts": facts(zone="nfs-a", ha="true", **tags)} | values
    return Host(name, free=dict(room), capacity=dict(room), **found)


def spare(name: str, room: dict[str, int], **values: Any) -> Host:
    return host(name, room, reserved="true", **values)


def room(vcpus: int, ram: int, disk: int = 1000) -> dict[str, int]:
    return {"VCPU": vcpus, "MEMORY_MB": ram, "DISK_GB": disk}


def flavor(vcpus: int = 1, ram: int = 1024, disk: int = 1, **values: Any) -> Any:
    """:param values: swap (MiB), ephemeral_gb, extra_specs."""
    given = {"swap": 0, "ephemeral_gb": 0, "extra_specs": dict(PET)} | values
    return objects.Flavor(
        name="flavor", vcpus=vcpus, memory_mb=ram, root_gb=disk, **given
    )


def spec(of: Any, **values: Any) -> Any:
    """A boot request."""
    given = {"instance_uuid": str(uuid.uuid4()), "is_bfv": False} | values
    return objects.RequestSpec(flavor=of, **given)


def properties(**values: Any) -> Any:
    """The image of a request."""
    return objects.ImageMeta(properties=objects.ImageMetaProps(**values))


@dataclass
class Site:
    """
    :ivar hosts: as the planner sees them when nothing is on them.
    :ivar servers: what is there now.
    """

    hosts: dict[str, Host]
    servers: dict[str, Server] = field(default_factory=dict)
    flavors: dict[str, Any] = field(default_factory=dict)

    @property
    def seen(self) -> dict[str, Host]:
        """The hosts, with what is free on them."""
        return {n: replace(h, free=self.free(n)) for n, h in self.hosts.items()}

    def on(self, name: str) -> list[Server]:
        return [s for s in self.servers.values() if s.host == name]

    def free(self, name: str) -> dict[str, int]:
        left = dict(self.hosts[name].capacity or {})
        for server in self.on(name):
            for what, n in server.needs.items():
                left[what] -= n
        return left

    def state(self, name: str) -> Any:
        """The host as nova-scheduler loads it."""
        seen, there = self.hosts[name], self.on(name)
        total = room(0, 0, 0) | dict(seen.capacity or {})
        used = {what: sum(s.needs.get(what, 0) for s in there) for what in total}
        state = HostState(name, name, None)
        state.update(compute=_compute(name, total, used), aggregates=_aggregates(seen))
        return state

    def states(self) -> list[Any]:
        return [self.state(name) for name in sorted(self.hosts)]

    def publish(self, path: Path, taken_at: float) -> None:
        ground = Ground(self.seen, Preferences())
        published.write(path, taken_at, reserve.zones(ground, self.servers))

    def put(self, server: Server, of: Any) -> None:
        self.servers[server.uuid] = server
        self.flavors[server.uuid] = of

    def losses(self, failures: int) -> list[Loss]:
        """The losses that leave somebody, of all in which so many hosts die or less.

        A host that is down, disabled or under maintenance takes nobody anyway.
        """
        what_if = WhatIf(Ground(self.seen, Preferences()), self.servers)
        mortal = what_if.mortal
        dead = (d for n in range(1, failures + 1) for d in combinations(mortal, n))
        return [loss for names in dead if (loss := what_if.die(*names)).left]


def offer(enabled: list[Any], request: Any, states: list[Any]) -> list[str]:
    """The hosts that the filters pass, by name."""
    for one in enabled:
        states = one.filter_all(states, request)
    return [state.host for state in states]


def resizing(request: Any, server: Server, source: Host) -> Any:
    """The request as of a resize, looked up already."""
    found = Request(
        Operation.RESIZE,
        request.instance_uuid,
        True,
        source=server.host,
        source_facts=source.facts,
    )
    remember(request, Scheduling(found))
    return request


def all_filters() -> list[Any]:
    return [cls() for cls in filters.all_filters()]


def _compute(name: str, total: dict[str, int], used: dict[str, int]) -> Any:
    return objects.ComputeNode(
        uuid=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        memory_mb=total["MEMORY_MB"],
        memory_mb_used=used["MEMORY_MB"],
        free_ram_mb=total["MEMORY_MB"] - used["MEMORY_MB"],
        vcpus=total["VCPU"],
        vcpus_used=used["VCPU"],
        local_gb=total["DISK_GB"],
        local_gb_used=used["DISK_GB"],
        free_disk_gb=total["DISK_GB"] - used["DISK_GB"],
        disk_available_least=0,  # the pool is as good as full, by other hosts
        updated_at=None,
        numa_topology=None,
        pci_device_pools=None,
        host_ip="127.0.0.1",
        hypervisor_type="fake",
        hypervisor_version=1,
        hypervisor_hostname=name,
        cpu_info="",
        supported_hv_specs=[],
        stats={},
        metrics="[]",
        cpu_allocation_ratio=1.0,
        ram_allocation_ratio=1.0,
        disk_allocation_ratio=1.0,
    )


def _aggregates(seen: Host) -> list[Any]:
    found = dict.fromkeys(seen.facts.flags, "true")
    tags = [{key: value} for key, value in found.items()]
    tags += [{"storage_zone": zone} for zone in seen.facts.zones]
    return [
        objects.Aggregate(name=f"{seen.name}-{n}", hosts=[], metadata=metadata)
        for n, metadata in enumerate(tags)
    ]
