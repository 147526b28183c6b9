# SPDX-License-Identifier: Apache-2.0
"""A cloud of two hosts with all that each API shows of them, as data to be spoilt.

The host c1 is dead, and its server has landed on spare1; everything of c2 is well.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from nova_ha_scheduler.cluster.errors import CloudUnreachable
from nova_ha_scheduler.cluster.openstack.observer import Observer
from nova_ha_scheduler.cluster.picture import Picture, Scope

Json = dict[str, Any]

AT = "2026-01-01T00:00:00"
DB1 = "aaaaaaaa-0000-4000-8000-000000000001"
"""Was on c1, and is on spare1 now."""
DB2 = "aaaaaaaa-0000-4000-8000-000000000002"
"""Is still on c1."""
WEB = "aaaaaaaa-0000-4000-8000-000000000003"
"""Is on c2."""
NODES = {"c1": "node-1", "c2": "node-2", "spare1": "node-3"}
MINE, THEIRS = "project-1", "project-2"
SCOPE = Scope(hosts=frozenset({"c1", "c2"}), landed=frozenset({DB1}), destinations=True)


class Clock:
    """It stands still, a year after what is shown."""

    time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def steady(self) -> float:
        return self.now()


def service(host: str, up: bool = True) -> Json:
    return {
        "id": f"service-{host}",
        "host": host,
        "binary": "nova-compute",
        "state": "up" if up else "down",
        "status": "enabled",
        "disabled_reason": None,
        "forced_down": not up,
        "updated_at": AT,
        "zone": "nova",
    }


def aggregate(number: int, *hosts: str, **more: str) -> Json:
    metadata = {"ha": "true", "storage_zone": "nfs-a", **more}
    name = f"of-{hosts[0]}"
    known = {"id": number, "uuid": f"aggregate-{number}", "name": name}
    return {**known, "metadata": metadata, "hosts": list(hosts)}


def server(uuid: str, host: str, **more: Any) -> Json:
    return {
        "id": uuid,
        "name": f"server-{uuid[-1]}",
        "status": "ACTIVE",
        "created": "2026-01-01T00:00:00Z",
        "OS-EXT-SRV-ATTR:host": host,
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:power_state": 1,
        "locked": False,
        "metadata": {"ha:priority": "7"},
        "tenant_id": MINE,
        "flavor": {
            "extra_specs": {"ha": "true", "hw:cpu_policy": "dedicated"},
            "vcpus": 1,
            "ram": 128 if uuid == WEB else 64,  # it is of another kind
            "disk": 1,
            "ephemeral": 0,
            "swap": 0,
        },
        "image": {"id": "image-1", "properties": {"hw_cpu_realtime_mask": "^0"}},
        "os-extended-volumes:volumes_attached": [{"id": f"volume-{uuid[-1]}"}],
        "scheduler_hints": {"group": [f"group-{uuid[-1]}"]},
        "pinned_availability_zone": None,
        **more,
    }


def port(uuid: str, host: str, **more: Any) -> Json:
    return {
        "id": f"port-{uuid[-1]}",
        "device_id": uuid,
        "project_id": MINE,
        "binding:host_id": host,
        "binding:vif_type": "ovs",
        "binding:vnic_type": "normal",
        "admin_state_up": True,
        "status": "ACTIVE",
        **more,
    }


def volume(uuid: str, **more: Any) -> Json:
    attachments = [{"server_id": uuid, "attachment_id": "attachment"}]
    found = {"id": f"volume-{uuid[-1]}", "status": "in-use"}
    return {**found, "attachments": attachments, **more}


def _summary(node: str) -> Json:
    amounts = {"capacity": 64, "used": 1}
    resources = {"VCPU": dict(amounts), "MEMORY_MB": dict(amounts)}
    return {"root_provider_uuid": node, "traits": ["T"], "resources": resources}


def bodies() -> dict[str, Json]:
    """The answers, by path; of several lists of servers and records, by host."""
    record = {
        "id": 1,
        "instance_uuid": DB1,
        "source_compute": "c1",
        "dest_compute": "spare1",
        "status": "done",
        "migration_type": "evacuation",
        "created_at": AT,
    }
    group = {"policy": "anti-affinity", "rules": {}}
    hosts = ("c1", "c2", "spare1")
    return {
        "/os-services": {"services": [service(h, h != "c1") for h in hosts]},
        "/os-aggregates": {
            "aggregates": [aggregate(n, h) for n, h in enumerate(hosts, 1)]
        },
        "/servers/detail?c1": {"servers": [server(DB2, "c1")]},
        "/servers/detail?c2": {"servers": [server(WEB, "c2")]},
        "/servers/detail": {"servers": [server(DB1, "spare1")]},
        "/os-migrations?c1": {"migrations": [record]},
        "/os-migrations?c2": {"migrations": []},
        "/ports": {
            "ports": [port(DB1, "spare1"), port(DB2, "c1"), port(WEB, "c2")],
        },
        "/volumes/detail": {"volumes": [volume(DB1), volume(WEB)]},
        "/os-hypervisors/detail": {
            "hypervisors": [{"id": n, "service": {"host": h}} for h, n in NODES.items()]
        },
        "/os-server-groups": {
            "server_groups": [
                {**group, "id": f"group-{uuid[-1]}", "members": [uuid]}
                for uuid in (DB2, WEB)
            ]
        },
        "/allocation_candidates": {
            "provider_summaries": {node: _summary(node) for node in NODES.values()}
        },
        "/resource_providers": {
            "resource_providers": [
                {"uuid": node, "root_provider_uuid": node} for node in NODES.values()
            ]
        },
        "/resource_providers/node-1/allocations": {
            "allocations": {DB2: {"resources": {"VCPU": 1, "MEMORY_MB": 64}}}
        },
        "/resource_providers/node-2/allocations": {
            "allocations": {WEB: {"resources": {"VCPU": 1, "MEMORY_MB": 128}}}
        },
        f"/allocations/{DB2}": {
            "allocations": {"node-1": {"resources": {"VCPU": 1, "MEMORY_MB": 64}}}
        },
        f"/allocations/{WEB}": {
            "allocations": {"node-2": {"resources": {"VCPU": 1, "MEMORY_MB": 128}}}
        },
        f"/servers/{DB1}": {"server": server(DB1, "spare1")},
        f"/servers/{DB2}": {"server": server(DB2, "c1")},
        f"/servers/{WEB}": {"server": server(WEB, "c2")},
        "/images": {
            "images": [{"id": "image-1", "updated_at": "2025-01-01T00:00:00Z"}]
        },
    }


class Api:
    """Answers from such bodies, as the production one hands them on."""

    def __init__(self, found: Mapping[str, Any] | None = None) -> None:
        self.bodies: dict[str, Any] = {**bodies(), **(found or {})}

    def get(
        self, service: str, path: str, version: str | None = None, params: Any = None
    ) -> Any:
        host = (params or {}).get("host") or (params or {}).get("source_compute")
        body = copy.deepcopy(self.bodies.get(f"{path}?{host}", self.bodies.get(path)))
        if path == "/os-server-groups" and params["offset"] != "0":
            return {"server_groups": []}
        if not isinstance(body, dict):
            raise CloudUnreachable(f"{path}: the answer is no object")
        return body

    def pages(
        self, service: str, path: str, key: str, version: str | None = None, **more: Any
    ) -> Iterator[Any]:
        found = self.get(service, path, version, more).get(key)
        if not isinstance(found, list):
            raise CloudUnreachable(f"{path}: the answer has no list")
        return iter(found)


def look(found: Mapping[str, Any], scope: Scope = SCOPE) -> Picture:
    """A picture by an observer that has seen the cloud when it was well."""
    api: Any = Api()
    observer = Observer(api, Clock())
    try:
        observer.observe(scope)
        api.bodies |= found
        return observer.observe(scope)
    finally:
        observer.close()
